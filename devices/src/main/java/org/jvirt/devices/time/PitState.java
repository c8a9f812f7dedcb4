package org.jvirt.devices.time;

import java.util.List;

/// What the 8254 and port 0x61 remember.
///
/// @param portB   the writable bits 3–0 of port 0x61
/// @param dueTick tick of the next interrupt, or -1
public record PitState(List<PitChannelState> channels, int portB, long dueTick) {
    public PitState {
        channels = List.copyOf(channels);
        if (channels.size() != 3) {
            throw new IllegalArgumentException("An 8254 has 3 channels, not %d".formatted(channels.size()));
        }
    }
}

package org.jvirt.core.interrupt;

import java.util.List;

/// What the 8254 and port 0x61 remember.
///
/// @param portB   the writable bits 3–0 of port 0x61
/// @param dueTick tick of the next interrupt, or -1
public record PitState(List<PitChannelState> channels, int portB, long dueTick) {
    /// After power-on: no channel counts, and channel 2 waits for its gate at port 0x61.
    public static final PitState RESET = new PitState(
            List.of(PitChannelState.reset(true), PitChannelState.reset(true), PitChannelState.reset(false)), 0, -1);

    public PitState {
        channels = List.copyOf(channels);
        if (channels.size() != 3) {
            throw new IllegalArgumentException("An 8254 has 3 channels, not %d".formatted(channels.size()));
        }
    }
}

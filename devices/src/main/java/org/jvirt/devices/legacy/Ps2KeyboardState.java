package org.jvirt.devices.legacy;

import java.util.List;

/// What a PS/2 keyboard remembers.
///
/// @param command command whose parameter is expected, 0 for none
/// @param lastByte what RESEND repeats
public record Ps2KeyboardState(
        List<Integer> queue, boolean scanning, int scancodeSet, int leds, int typematic, int command, int lastByte) {
    /// After power-on.
    public static final Ps2KeyboardState RESET = new Ps2KeyboardState(List.of(), true, 2, 0, 0x2b, 0, 0);

    public Ps2KeyboardState {
        queue = List.copyOf(queue);
    }
}

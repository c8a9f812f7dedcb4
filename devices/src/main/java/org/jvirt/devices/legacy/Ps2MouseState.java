package org.jvirt.devices.legacy;

import java.util.List;

/// What a PS/2 mouse remembers.
///
/// @param type        0 without, 3 with a wheel, 4 with five buttons as well
/// @param command     command whose parameter is expected, 0 for none
/// @param rateHistory the last three sample rates in bits 23–0, the newest lowest
/// @param dx          movement not yet reported, dy and dz as well
public record Ps2MouseState(
        List<Integer> queue,
        int type,
        boolean reporting,
        boolean remote,
        boolean wrap,
        boolean scaling,
        int resolution,
        int sampleRate,
        int rateHistory,
        int command,
        int buttons,
        int dx,
        int dy,
        int dz) {
    /// After power-on.
    public static final Ps2MouseState RESET =
            new Ps2MouseState(List.of(), 0, false, false, false, false, 2, 100, 0, 0, 0, 0, 0, 0);

    public Ps2MouseState {
        queue = List.copyOf(queue);
    }
}

package org.jvirt.devices.legacy;

/// What the keyboard controller remembers.
///
/// @param command    controller command whose parameter is expected, 0 for none
/// @param output     the last byte in the output buffer
/// @param full       whether it still waits to be read
/// @param outputFrom who put it there: 0 controller, 1 keyboard, 2 mouse
public record I8042State(
        int commandByte,
        int outputPort,
        int command,
        int output,
        boolean full,
        int outputFrom,
        boolean lastWriteWasCommand,
        Ps2KeyboardState keyboard,
        Ps2MouseState mouse) {
    /// After power-on.
    public static final I8042State RESET =
            new I8042State(0x47, 0xdf, 0, 0, false, 0, false, Ps2KeyboardState.RESET, Ps2MouseState.RESET);
}

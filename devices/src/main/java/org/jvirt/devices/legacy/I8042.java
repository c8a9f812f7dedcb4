package org.jvirt.devices.legacy;

import org.jvirt.core.InterruptLine;
import org.jvirt.core.IoDevice;
import org.jvirt.core.PowerControl;
import org.jvirt.core.Snapshottable;
import org.jvirt.devices.ByteDevice;

/// The PS/2 keyboard controller with a keyboard and a mouse: ports 0x60 ([#dataPort]) and 0x64 ([#commandPort]).
///
/// The controller is never busy: a command is done when the write returns. The A20 gate is stored only.
///
/// ```
///  keyboard queue ──┐ (command byte bit 4 stops it)
///                   ├──► output buffer ──► IRQ 1 or 12, read at port 0x60
///  mouse queue ─────┘ (bit 5 stops it)      ▲
///                           controller answers
/// ```
///
/// Thread-safe: one lock, held while the lines are driven.
public final class I8042 implements Snapshottable<I8042State> {
    private static final int STATUS_OBF = 0x01;
    private static final int STATUS_SYS = 0x04;
    private static final int STATUS_A2 = 0x08;
    private static final int STATUS_UNLOCKED = 0x10;
    private static final int STATUS_AUX = 0x20;

    private static final int CB_KEYBOARD_INTERRUPT = 0x01;
    private static final int CB_AUX_INTERRUPT = 0x02;
    private static final int CB_SYSTEM = 0x04;
    private static final int CB_KEYBOARD_OFF = 0x10;
    private static final int CB_AUX_OFF = 0x20;
    private static final int CB_TRANSLATE = 0x40;

    private static final int OUT_NO_RESET = 0x01;
    private static final int OUT_A20 = 0x02;

    private static final int FROM_CONTROLLER = 0;
    private static final int FROM_KEYBOARD = 1;
    private static final int FROM_MOUSE = 2;

    private final InterruptLine irq1;
    private final InterruptLine irq12;
    private final PowerControl power;
    private final Ps2Keyboard keyboard;
    private final Ps2Mouse mouse;
    private int commandByte;
    private int outputPort;
    private int command;
    private int output;
    private boolean full;
    private int outputFrom;
    private boolean lastWriteWasCommand;

    public I8042(InterruptLine irq1, InterruptLine irq12, PowerControl power) {
        this(irq1, irq12, power, I8042State.RESET);
    }

    public I8042(InterruptLine irq1, InterruptLine irq12, PowerControl power, I8042State saved) {
        this.irq1 = irq1;
        this.irq12 = irq12;
        this.power = power;
        keyboard = new Ps2Keyboard(saved.keyboard());
        mouse = new Ps2Mouse(saved.mouse());
        synchronized (this) {
            load(saved);
        }
    }

    private void load(I8042State s) {
        commandByte = s.commandByte();
        outputPort = s.outputPort();
        command = s.command();
        output = s.output();
        full = s.full();
        outputFrom = s.outputFrom();
        lastWriteWasCommand = s.lastWriteWasCommand();
        driveLocked();
    }

    @Override
    public String id() {
        return "i8042";
    }

    @Override
    public synchronized I8042State save() {
        return new I8042State(
                commandByte,
                outputPort,
                command,
                output,
                full,
                outputFrom,
                lastWriteWasCommand,
                keyboard.save(),
                mouse.save());
    }

    public synchronized void reset() {
        keyboard.load(Ps2KeyboardState.RESET);
        mouse.load(Ps2MouseState.RESET);
        load(I8042State.RESET);
    }

    /// A key goes down or up.
    ///
    /// @param code     in scan code set 2
    /// @param extended whether the code follows 0xE0
    public synchronized void key(int code, boolean extended, boolean down) {
        keyboard.key(code & 0xff, extended, down);
        fillLocked();
    }

    /// The mouse moves by so many counts right and up, its wheel by steps away from the user, and its buttons are:
    /// bit 0 left, 1 right, 2 middle, 3 and 4 the side ones.
    public synchronized void mouse(int right, int up, int wheel, int buttons) {
        mouse.move(right, up, wheel, buttons);
        fillLocked();
    }

    /// The keyboard's lamps: bit 0 scroll lock, 1 num lock, 2 caps lock.
    public synchronized int leds() {
        return keyboard.leds();
    }

    /// Port 0x60.
    public IoDevice dataPort() {
        return new ByteDevice() {
            @Override
            public int readByte(int offset) {
                return readData();
            }

            @Override
            public void writeByte(int offset, int value) {
                resetIf(writeData(value));
            }
        };
    }

    /// Port 0x64.
    public IoDevice commandPort() {
        return new ByteDevice() {
            @Override
            public int readByte(int offset) {
                return status();
            }

            @Override
            public void writeByte(int offset, int value) {
                resetIf(writeCommand(value));
            }
        };
    }

    private void resetIf(boolean asked) {
        if (asked) {
            power.reset();
        }
    }

    private synchronized int status() {
        return STATUS_UNLOCKED
                | (full ? STATUS_OBF : 0)
                | (full && outputFrom == FROM_MOUSE ? STATUS_AUX : 0)
                | ((commandByte & CB_SYSTEM) != 0 ? STATUS_SYS : 0)
                | (lastWriteWasCommand ? STATUS_A2 : 0);
    }

    /// An empty buffer gives its last content.
    private synchronized int readData() {
        int value = output;
        full = false;
        // Low in between: the next byte is a new edge.
        driveLocked();
        fillLocked();
        return value;
    }

    // ---- commands; the answer says whether the machine is to be reset

    private synchronized boolean writeCommand(int value) {
        lastWriteWasCommand = true;
        command = 0;
        if (value >= 0xf0) {
            // Pulses output lines: bit 0, low active, is the processor's reset.
            return (value & 1) == 0;
        }
        if (value >= 0x20 && value < 0x40) {
            // Only byte 0 of the controller's RAM has a meaning.
            answerLocked(value == 0x20 ? commandByte : 0);
            return false;
        }
        switch (value) {
            case 0x60, 0xd1, 0xd2, 0xd3, 0xd4 -> command = value;
            case 0xa7 -> setCommandByteLocked(commandByte | CB_AUX_OFF);
            case 0xa8 -> setCommandByteLocked(commandByte & ~CB_AUX_OFF);
            case 0xa9, 0xab -> answerLocked(0);
            case 0xaa -> {
                commandByte |= CB_SYSTEM;
                answerLocked(0x55);
            }
            case 0xad -> setCommandByteLocked(commandByte | CB_KEYBOARD_OFF);
            case 0xae -> setCommandByteLocked(commandByte & ~CB_KEYBOARD_OFF);
            // The input port: the keyboard is not locked.
            case 0xc0 -> answerLocked(0x80);
            case 0xd0 -> answerLocked(outputPort & 0xcf | outputLinesLocked());
            case 0xdd -> outputPort &= ~OUT_A20;
            case 0xdf -> outputPort |= OUT_A20;
            case 0xe0 -> answerLocked(0);
            default -> {
                if (value > 0x60 && value < 0x80) {
                    // The rest of the RAM takes a byte and keeps nothing.
                    command = value;
                }
            }
        }
        return false;
    }

    /// Bits 4 and 5 of the output port are the two interrupt lines.
    private int outputLinesLocked() {
        return !full ? 0 : outputFrom == FROM_MOUSE ? 0x20 : 0x10;
    }

    private synchronized boolean writeData(int value) {
        lastWriteWasCommand = false;
        int pending = command;
        command = 0;
        switch (pending) {
            case 0 -> {
                // Talking to the keyboard switches its clock on.
                commandByte &= ~CB_KEYBOARD_OFF;
                keyboard.write(value);
            }
            case 0x60 -> setCommandByteLocked(value);
            case 0xd1 -> {
                outputPort = value;
                return (value & OUT_NO_RESET) == 0;
            }
            case 0xd2 -> putLocked(value, FROM_KEYBOARD);
            case 0xd3 -> putLocked(value, FROM_MOUSE);
            case 0xd4 -> {
                commandByte &= ~CB_AUX_OFF;
                mouse.write(value);
            }
            default -> {
                // RAM that nobody reads.
            }
        }
        fillLocked();
        return false;
    }

    private void setCommandByteLocked(int value) {
        commandByte = value & 0x7f;
        driveLocked();
        fillLocked();
    }

    private void answerLocked(int value) {
        putLocked(value, FROM_CONTROLLER);
    }

    /// A byte that was there and not read is overwritten, as in hardware.
    private void putLocked(int value, int from) {
        full = false;
        driveLocked();
        output = value;
        outputFrom = from;
        full = true;
        driveLocked();
    }

    /// Lets the devices put their next byte into an empty buffer.
    private void fillLocked() {
        boolean released = false;
        while (!full && keyboard.hasData() && (commandByte & CB_KEYBOARD_OFF) == 0) {
            int value = keyboard.take();
            boolean translates = (commandByte & CB_TRANSLATE) != 0;
            if (translates && value == 0xf0) {
                // The code follows: the keyboard queues both or neither.
                released = true;
            } else {
                int translated = translates ? Scancodes.toSet1(value) : value;
                putLocked(released ? translated | 0x80 : translated, FROM_KEYBOARD);
            }
        }
        if (!full && mouse.hasData() && (commandByte & CB_AUX_OFF) == 0) {
            putLocked(mouse.take(), FROM_MOUSE);
        }
    }

    private void driveLocked() {
        boolean fromMouse = outputFrom == FROM_MOUSE;
        irq1.set(full && !fromMouse && (commandByte & CB_KEYBOARD_INTERRUPT) != 0);
        irq12.set(full && fromMouse && (commandByte & CB_AUX_INTERRUPT) != 0);
    }
}

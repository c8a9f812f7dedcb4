package org.jvirt.devices.legacy;

/// A PS/2 keyboard with scan code sets 1 and 2. Guarded by the lock of its [I8042].
///
/// Source: IBM PS/2 Hardware Interface Technical Reference, "Keyboards (101- and 102-key)".
final class Ps2Keyboard {
    private static final int QUEUE_BYTES = 16;

    private static final int ACK = 0xfa;
    private static final int RESEND = 0xfe;
    private static final int SELF_TEST_PASSED = 0xaa;

    private final ByteQueue queue = new ByteQueue(QUEUE_BYTES);
    private boolean scanning;
    private int scancodeSet;
    private int leds;
    private int typematic;
    private int command;
    private int lastByte;

    Ps2Keyboard(Ps2KeyboardState s) {
        load(s);
    }

    final void load(Ps2KeyboardState s) {
        queue.load(s.queue());
        scanning = s.scanning();
        scancodeSet = s.scancodeSet();
        leds = s.leds();
        typematic = s.typematic();
        command = s.command();
        lastByte = s.lastByte();
    }

    Ps2KeyboardState save() {
        return new Ps2KeyboardState(queue.save(), scanning, scancodeSet, leds, typematic, command, lastByte);
    }

    /// Bit 0 scroll lock, 1 num lock, 2 caps lock.
    int leds() {
        return leds;
    }

    boolean hasData() {
        return !queue.isEmpty();
    }

    int take() {
        lastByte = queue.take();
        return lastByte;
    }

    /// A key of scan code set 2 goes down or up; lost when there is no room for all of it.
    void key(int code, boolean extended, boolean down) {
        if (!scanning) {
            return;
        }
        int length = (extended ? 1 : 0) + (down || scancodeSet == 1 ? 1 : 2);
        if (!queue.hasRoomFor(length)) {
            return;
        }
        if (extended) {
            queue.add(0xe0);
        }
        if (scancodeSet == 1) {
            queue.add(Scancodes.toSet1(code) | (down ? 0 : 0x80));
        } else {
            if (!down) {
                queue.add(0xf0);
            }
            queue.add(code);
        }
    }

    /// A byte from the host.
    void write(int value) {
        int pending = command;
        command = 0;
        if (pending != 0 && value < 0xed) {
            parameter(pending, value);
        } else {
            command(value);
        }
    }

    private void parameter(int pending, int value) {
        switch (pending) {
            case 0xed -> {
                leds = value & 7;
                queue.add(ACK);
            }
            case 0xf3 -> {
                typematic = value & 0x7f;
                queue.add(ACK);
            }
            case 0xf0 -> {
                switch (value) {
                    case 0 -> queue.add(ACK, scancodeSet);
                    case 1, 2 -> {
                        scancodeSet = value;
                        queue.add(ACK);
                    }
                    // Set 3 does not exist here.
                    default -> queue.add(RESEND);
                }
            }
            // Set 3's key types: which key is of no interest.
            default -> queue.add(ACK);
        }
    }

    private void command(int value) {
        switch (value) {
            case 0xed, 0xf0, 0xf3, 0xfb, 0xfc, 0xfd -> {
                command = value;
                queue.add(ACK);
            }
            case 0xee -> queue.add(0xee);
            case 0xf2 -> queue.add(ACK, 0xab, 0x83);
            case 0xf4 -> {
                queue.clear();
                scanning = true;
                queue.add(ACK);
            }
            case 0xf5 -> {
                defaults();
                scanning = false;
                queue.add(ACK);
            }
            case 0xf6 -> {
                defaults();
                queue.add(ACK);
            }
            case 0xf7, 0xf8, 0xf9, 0xfa -> queue.add(ACK);
            case 0xfe -> queue.add(lastByte);
            case 0xff -> {
                defaults();
                leds = 0;
                queue.add(ACK, SELF_TEST_PASSED);
            }
            default -> queue.add(RESEND);
        }
    }

    private void defaults() {
        queue.clear();
        scanning = true;
        scancodeSet = 2;
        typematic = 0x2b;
    }
}

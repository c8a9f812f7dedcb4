package org.jvirt.devices.legacy;

/// A PS/2 mouse, with wheel and five buttons for drivers that knock for them (IntelliMouse and IntelliMouse
/// Explorer). Guarded by the lock of its [I8042].
///
/// Source: IBM PS/2 Hardware Interface Technical Reference, "Mouse".
final class Ps2Mouse {
    private static final int QUEUE_BYTES = 16;

    private static final int ACK = 0xfa;
    private static final int RESEND = 0xfe;
    private static final int SELF_TEST_PASSED = 0xaa;

    private static final int KNOCK_WHEEL = 200 << 16 | 100 << 8 | 80;
    private static final int KNOCK_EXPLORER = 200 << 16 | 200 << 8 | 80;

    private static final int MAX_PENDING = 1 << 16;

    private final ByteQueue queue = new ByteQueue(QUEUE_BYTES);
    private int type;
    private boolean reporting;
    private boolean remote;
    private boolean wrap;
    private boolean scaling;
    private int resolution;
    private int sampleRate;
    private int rateHistory;
    private int command;
    private int buttons;
    private int dx;
    private int dy;
    private int dz;

    Ps2Mouse(Ps2MouseState s) {
        load(s);
    }

    final void load(Ps2MouseState s) {
        queue.load(s.queue());
        type = s.type();
        reporting = s.reporting();
        remote = s.remote();
        wrap = s.wrap();
        scaling = s.scaling();
        resolution = s.resolution();
        sampleRate = s.sampleRate();
        rateHistory = s.rateHistory();
        command = s.command();
        buttons = s.buttons();
        dx = s.dx();
        dy = s.dy();
        dz = s.dz();
    }

    Ps2MouseState save() {
        return new Ps2MouseState(
                queue.save(),
                type,
                reporting,
                remote,
                wrap,
                scaling,
                resolution,
                sampleRate,
                rateHistory,
                command,
                buttons,
                dx,
                dy,
                dz);
    }

    boolean hasData() {
        return !queue.isEmpty();
    }

    int take() {
        int value = queue.take();
        if (queue.isEmpty()) {
            reportRest();
        }
        return value;
    }

    /// Movement to the right and up, wheel steps away from the user, and buttons: bit 0 left, 1 right, 2 middle, 3
    /// and 4 the side ones.
    void move(int right, int up, int wheel, int newButtons) {
        boolean clicked = newButtons != buttons;
        buttons = newButtons & 0x1f;
        dx = Math.clamp((long) dx + right, -MAX_PENDING, MAX_PENDING);
        dy = Math.clamp((long) dy + up, -MAX_PENDING, MAX_PENDING);
        dz = Math.clamp((long) dz - wheel, -MAX_PENDING, MAX_PENDING);
        if (reporting && !remote && !wrap && (clicked || dx != 0 || dy != 0 || dz != 0) && queue.hasRoomFor(4)) {
            report();
        }
    }

    /// Movement that was too much for one packet, or found no room.
    private void reportRest() {
        if (reporting && !remote && !wrap && (dx != 0 || dy != 0 || type != 0 && dz != 0)) {
            report();
        }
    }

    private void report() {
        int x = Math.clamp(dx, -255, 255);
        int y = Math.clamp(dy, -255, 255);
        dx -= x;
        dy -= y;
        queue.add(8 | (x < 0 ? 0x10 : 0) | (y < 0 ? 0x20 : 0) | buttons & 7, x & 0xff, y & 0xff);
        int z = Math.clamp(dz, -8, 7);
        dz = type == 0 ? 0 : dz - z;
        if (type == 3) {
            queue.add(z & 0xff);
        } else if (type == 4) {
            queue.add(z & 0xf | (buttons & 0x18) << 1);
        }
    }

    /// A byte from the host.
    void write(int value) {
        if (wrap && value != 0xec && value != 0xff) {
            queue.add(value);
            return;
        }
        int pending = command;
        command = 0;
        switch (pending) {
            case 0xe8 -> {
                resolution = value & 3;
                queue.add(ACK);
            }
            case 0xf3 -> {
                setSampleRate(value);
                queue.add(ACK);
            }
            default -> command(value);
        }
    }

    private void setSampleRate(int rate) {
        sampleRate = rate;
        rateHistory = (rateHistory << 8 | rate) & 0xff_ffff;
        if (rateHistory == KNOCK_WHEEL && type == 0) {
            type = 3;
        } else if (rateHistory == KNOCK_EXPLORER && type != 0) {
            type = 4;
        }
    }

    private void command(int value) {
        switch (value) {
            case 0xe6 -> scaling = false;
            case 0xe7 -> scaling = true;
            case 0xe8, 0xf3 -> command = value;
            case 0xe9, 0xeb, 0xf2, 0xfe, 0xff -> {
                answer(value);
                return;
            }
            case 0xea -> remote = false;
            case 0xec -> wrap = false;
            case 0xee -> wrap = true;
            case 0xf0 -> remote = true;
            case 0xf4 -> reporting = true;
            case 0xf5 -> {
                reporting = false;
                queue.clear();
            }
            case 0xf6 -> defaults();
            default -> {
                queue.add(RESEND);
                return;
            }
        }
        queue.add(ACK);
    }

    private void answer(int value) {
        switch (value) {
            case 0xe9 -> {
                int status = (remote ? 0x40 : 0) | (reporting ? 0x20 : 0) | (scaling ? 0x10 : 0);
                int order = (buttons & 1) << 2 | (buttons & 4) >> 1 | (buttons & 2) >> 1;
                queue.add(ACK, status | order, resolution, sampleRate);
            }
            case 0xeb -> {
                queue.add(ACK);
                report();
            }
            case 0xf2 -> queue.add(ACK, type);
            case 0xff -> {
                defaults();
                type = 0;
                queue.clear();
                queue.add(ACK, SELF_TEST_PASSED, 0);
            }
            // Resend: nothing is ever damaged on the way.
            default -> queue.add(ACK);
        }
    }

    private void defaults() {
        reporting = false;
        remote = false;
        wrap = false;
        scaling = false;
        resolution = 2;
        sampleRate = 100;
        rateHistory = 0;
        dx = 0;
        dy = 0;
        dz = 0;
    }
}

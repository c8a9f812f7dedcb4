package org.jvirt.devices.interrupt;

import java.util.ArrayList;
import java.util.List;
import org.jvirt.core.IoDevice;
import org.jvirt.core.LocalInterrupts;
import org.jvirt.core.TscClock;
import org.jvirt.core.interrupt.ApicConfig;
import org.jvirt.testkit.ManualClock;

/// All controllers on a manual clock, with the moves that tests make.
final class Board {
    static final int EOI = 0xb0;
    static final int LDR = 0xd0;
    static final int DFR = 0xe0;
    static final int SVR = 0xf0;
    static final int ESR = 0x280;
    static final int ICR_LOW = 0x300;
    static final int ICR_HIGH = 0x310;
    static final int LVT_TIMER = 0x320;
    static final int LVT_LINT0 = 0x350;
    static final int LVT_LINT1 = 0x360;
    static final int LVT_ERROR = 0x370;
    static final int TICR = 0x380;
    static final int TCCR = 0x390;
    static final int TDCR = 0x3e0;
    static final int NONE = LocalInterrupts.NONE;

    final ManualClock clock = new ManualClock();
    final TscClock tsc = new TscClock(clock, 2_000_000_000L);
    final PcInterrupts controllers;
    final List<RecordingSignals> cpus = new ArrayList<>();

    Board(int vcpus) {
        controllers = new PcInterrupts(new ApicConfig(vcpus, 40, true), tsc);
        for (int i = 0; i < vcpus; i++) {
            cpus.add(new RecordingSignals());
            controllers.connect(i, cpus.get(i));
        }
    }

    /// All local APICs software-enabled, the 8259 pair masked.
    static Board enabled(int vcpus) {
        var board = new Board(vcpus);
        for (int i = 0; i < vcpus; i++) {
            board.apicWrite(i, SVR, 0x1ff);
        }
        board.controllers.pins().masterPic().write(1, 1, 0xff);
        board.controllers.pins().slavePic().write(1, 1, 0xff);
        return board;
    }

    LocalInterrupts cpu(int index) {
        return controllers.local(index);
    }

    void apicWrite(int cpu, int register, long value) {
        controllers.localApicPage(cpu).write(register, 4, value);
    }

    int apicRead(int cpu, int register) {
        return (int) controllers.localApicPage(cpu).read(register, 4);
    }

    void ipi(int from, int destination, long command) {
        apicWrite(from, ICR_HIGH, (long) destination << 24);
        apicWrite(from, ICR_LOW, command);
    }

    /// Initialises the 8259 pair as PCs do: vectors 0x20 and 0x28, everything unmasked.
    void initPics(int icw4) {
        initPic(controllers.pins().masterPic(), 0x20, 4, icw4);
        initPic(controllers.pins().slavePic(), 0x28, 2, icw4);
    }

    private static void initPic(IoDevice pic, int vectors, int cascade, int icw4) {
        pic.write(0, 1, 0x11);
        pic.write(1, 1, vectors);
        pic.write(1, 1, cascade);
        pic.write(1, 1, icw4);
    }

    void redirect(int pin, long entry) {
        IoDevice ioApic = controllers.pins().ioApic();
        ioApic.write(0, 4, 0x11 + 2 * pin);
        ioApic.write(0x10, 4, entry >>> 32);
        ioApic.write(0, 4, 0x10 + 2 * pin);
        ioApic.write(0x10, 4, entry & 0xffff_ffffL);
    }

    long redirection(int pin) {
        IoDevice ioApic = controllers.pins().ioApic();
        ioApic.write(0, 4, 0x10 + 2 * pin);
        return ioApic.read(0x10, 4);
    }

    void raise(int gsi) {
        controllers.line(gsi).set(true);
    }

    void lower(int gsi) {
        controllers.line(gsi).set(false);
    }
}

package org.jvirt.machine;

import org.jspecify.annotations.Nullable;
import org.jvirt.core.Bus;
import org.jvirt.core.ExitHandler;
import org.jvirt.core.InterruptLine;
import org.jvirt.core.MsiSink;
import org.jvirt.core.Vm;
import org.jvirt.core.VmClock;
import org.jvirt.core.interrupt.PcInterruptsState;
import org.jvirt.core.interrupt.PicState;
import org.jvirt.core.interrupt.PitState;
import org.jvirt.devices.time.Hpet;

/// The engine's interrupt controllers and timer: their registers never reach the
/// machine and its buses.
final class EngineInterrupts implements BoardInterrupts {
    private static final int LINES = 24;

    private final Vm vm;
    private final int vcpus;
    private final ChangingLine[] lines = new ChangingLine[LINES];
    private @Nullable PitState atPause;

    EngineInterrupts(Vm vm, int vcpus) {
        this.vm = vm;
        this.vcpus = vcpus;
        for (int gsi = 0; gsi < LINES; gsi++) {
            lines[gsi] = new ChangingLine(vm.irq(gsi));
        }
    }

    @Override
    public InterruptLine line(int gsi) {
        return lines[gsi];
    }

    @Override
    public MsiSink msi() {
        return vm.msi();
    }

    @Override
    public void plug(Bus ports, Bus mmio) {
        // The engine answers.
    }

    @Override
    public void plugTimer(Bus ports, VmClock clock, Hpet hpet) {
        hpet.onLegacyReplacement(vm::holdPit);
    }

    @Override
    public ExitHandler exits(int index, Bus ports, Bus mmio, BusExits.Unhandled unhandled) {
        return new BusExits(ports, mmio, unhandled);
    }

    @Override
    public void setLevelTriggered(int irqs) {
        PcInterruptsState now = vm.saveInterrupts();
        vm.loadInterrupts(new PcInterruptsState(
                now.config(),
                withElcr(now.master(), irqs & 0xff),
                withElcr(now.slave(), irqs >>> 8),
                now.ioApic(),
                now.apics()));
    }

    private static PicState withElcr(PicState pic, int elcr) {
        return new PicState(
                pic.lines(),
                pic.irr(),
                pic.isr(),
                pic.imr(),
                elcr,
                pic.vectorBase(),
                pic.icw4(),
                pic.nextIcw(),
                pic.needsIcw4(),
                pic.single(),
                pic.firstPriority(),
                pic.rotateOnAutoEnd(),
                pic.specialMask(),
                pic.readIsr(),
                pic.poll());
    }

    @Override
    public void reset() {
        vm.resetInterrupts();
        vm.loadPit(PitState.RESET);
        atPause = null;
    }

    /// The engine's 8254 counts on in host time; what it does until [#resume] is forgotten there.
    @Override
    public void pause() {
        atPause = vm.savePit();
    }

    @Override
    public void resume() {
        PitState saved = atPause;
        if (saved != null) {
            vm.loadPit(saved);
            atPause = null;
        }
    }

    @Override
    public void disconnect() {
        for (ChangingLine line : lines) {
            line.disconnect();
        }
    }

    @Override
    public PcInterruptsState save() {
        return vm.saveInterrupts();
    }

    @Override
    public void nmi() {
        NmiMessages.send(vm.msi(), vcpus);
    }

    /// Tells the engine, which asks the kernel, of changes only: some devices repeat themselves. The order of
    /// changes is kept.
    private static final class ChangingLine implements InterruptLine {
        private final InterruptLine line;
        private boolean level; // guarded by this
        private boolean connected = true; // guarded by this

        ChangingLine(InterruptLine line) {
            this.line = line;
        }

        @Override
        public synchronized void set(boolean high) {
            if (connected && high != level) {
                level = high;
                line.set(high);
            }
        }

        synchronized void disconnect() {
            connected = false;
        }
    }
}

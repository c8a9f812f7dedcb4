package org.jvirt.devices.interrupt;

import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.jvirt.core.InterruptController;
import org.jvirt.core.InterruptLine;
import org.jvirt.core.LocalInterrupts;
import org.jvirt.core.MsiSink;
import org.jvirt.core.VcpuSignals;
import org.jvirt.core.interrupt.ApicConfig;
import org.jvirt.core.interrupt.LocalApicState;
import org.jvirt.core.interrupt.PcInterruptsState;

/// The interrupt controllers of a PC whose local APICs are the engine's: 8259 pair and IO-APIC. INTR drives LINT0
/// of vCPU 0; the IO-APIC sends messages as devices do. Thread-safe; sending allocates nothing and never blocks.
public final class SplitInterrupts implements InterruptController {
    private static final long MSI_GPA = 0xfee0_0000L;
    private static final long MSI_LOGICAL = 4;
    private static final int LEVEL_ASSERTED = 1 << 15 | 1 << 14;

    private final PinControllers pins = new PinControllers(new Carrier(), Optional.empty(), this::intrChanged);
    private final LocalInterrupts intr = new Intr();
    private volatile @Nullable Engine engine;
    private volatile @Nullable VcpuSignals signals;

    /// What the engine with the local APICs offers.
    ///
    /// @param messages      where messages go
    /// @param announcements who wants to know which message each pin sends
    private record Engine(MsiSink messages, PinAnnouncements announcements) {}

    /// As [org.jvirt.core.Vm#announcePin].
    public interface PinAnnouncements {
        void announcePin(int pin, long address, int data);
    }

    /// Connects the engine's local APICs. No vCPU runs yet.
    public void attach(MsiSink messages, PinAnnouncements announcements) {
        engine = new Engine(messages, announcements);
    }

    /// Nothing reaches the engine any more, which is about to be closed.
    public void detach() {
        engine = null;
    }

    public PinControllers pins() {
        return pins;
    }

    /// Bus reset of the 8259 pair and the IO-APIC.
    public void reset() {
        pins.reset();
    }

    /// What these controllers and the engine's local APICs remember.
    public PcInterruptsState save(ApicConfig config, List<LocalApicState> engines) {
        return new PcInterruptsState(config, pins.saveMaster(), pins.saveSlave(), pins.saveIoApic(), engines);
    }

    private void intrChanged() {
        VcpuSignals first = signals;
        if (first != null && pins.intr()) {
            first.interruptPending();
        }
    }

    @Override
    public InterruptLine line(int gsi) {
        return pins.line(gsi);
    }

    @Override
    public boolean hasLocalApics() {
        return false;
    }

    @Override
    public MsiSink msi() {
        throw engines();
    }

    @Override
    public LocalInterrupts local(int index) {
        if (index != 0) {
            throw engines();
        }
        return intr;
    }

    @Override
    public void vectorEnded(int vector) {
        pins.endOfInterrupt(vector);
    }

    @Override
    public void connect(int index, VcpuSignals newSignals) {
        if (index == 0) {
            signals = newSignals;
        }
    }

    private static IllegalStateException engines() {
        return new IllegalStateException("The local APICs belong to the engine");
    }

    /// Messages as MSI. Source: Intel SDM volume 3, "Message signalled interrupts".
    private final class Carrier implements MessageCarrier {
        @Override
        public boolean interrupt(
                int destination, boolean logical, int mode, int vector, boolean level, boolean redirectionHint) {
            Engine e = engine;
            if (e != null) {
                e.messages.send(address(destination, logical), data(mode, vector, level));
            }
            return true;
        }

        @Override
        public void programmed(int pin, long entry) {
            Engine e = engine;
            if (e != null) {
                e.announcements.announcePin(
                        pin,
                        address(IoApic.destination(entry), IoApic.isLogical(entry)),
                        data(IoApic.mode(entry), IoApic.vector(entry), IoApic.isLevel(entry)));
            }
        }

        private static long address(int destination, boolean logical) {
            return MSI_GPA | (destination & 0xffL) << 12 | (destination & 0x7f00) >> 3 | (logical ? MSI_LOGICAL : 0);
        }

        private static int data(int mode, int vector, boolean level) {
            return (level ? LEVEL_ASSERTED : 0) | mode << 8 | vector;
        }
    }

    /// What the 8259 pair asks of vCPU 0.
    private final class Intr implements LocalInterrupts {
        @Override
        public boolean pending() {
            return pins.intr();
        }

        @Override
        public int acknowledge() {
            return pins.intr() ? pins.acknowledgeIntr() : NONE;
        }

        @Override
        public boolean allowsSilentEnd(int vector) {
            return false;
        }

        @Override
        public void endOfInterrupt() {
            throw engines();
        }

        @Override
        public int taskPriority() {
            throw engines();
        }

        @Override
        public void setTaskPriority(int priority) {
            throw engines();
        }

        @Override
        public long apicBase() {
            throw engines();
        }

        @Override
        public void setApicBase(long value) {
            throw engines();
        }

        @Override
        public long readMsr(int msr) {
            throw engines();
        }

        @Override
        public void writeMsr(int msr, long value) {
            throw engines();
        }

        @Override
        public long tscDeadline() {
            throw engines();
        }

        @Override
        public void setTscDeadline(long ticks) {
            throw engines();
        }
    }
}

package org.jvirt.devices.interrupt;

import java.util.Arrays;
import java.util.Optional;
import org.jvirt.core.InterruptController;
import org.jvirt.core.InterruptLine;
import org.jvirt.core.IoDevice;
import org.jvirt.core.LocalInterrupts;
import org.jvirt.core.MsiSink;
import org.jvirt.core.Snapshottable;
import org.jvirt.core.TscClock;
import org.jvirt.core.VcpuSignals;
import org.jvirt.core.interrupt.ApicConfig;
import org.jvirt.core.interrupt.PcInterruptsState;

/// All interrupt controllers of a PC: those with pins, and a local APIC for each processor, whose LINT0 INTR
/// drives.
///
/// Thread-safe; sending an interrupt or an IPI allocates nothing and never blocks. For locks see the package.
public final class PcInterrupts implements InterruptController, Snapshottable<PcInterruptsState> {
    private final ApicConfig config;
    private final LocalApic[] apics;
    private final PinControllers pins;
    private final ApicBus bus;

    /// In the state after power-on.
    public PcInterrupts(ApicConfig config, TscClock tsc) {
        this(config, tsc, Optional.empty());
    }

    /// As saved. `tsc` must tell the time of the saving until the machine runs.
    public PcInterrupts(TscClock tsc, PcInterruptsState saved) {
        this(saved.config(), tsc, Optional.of(saved));
    }

    private PcInterrupts(ApicConfig config, TscClock tsc, Optional<PcInterruptsState> saved) {
        this.config = config;
        apics = new LocalApic[config.vcpus()];
        bus = new ApicBus(this, apics);
        pins = new PinControllers(bus, saved, this::intrChanged);
        for (int i = 0; i < apics.length; i++) {
            int index = i;
            apics[i] = saved.map(s -> new LocalApic(s.apics().get(index), config, bus, tsc))
                    .orElseGet(() -> new LocalApic(index, config, bus, tsc));
        }
    }

    @Override
    public String id() {
        return "interrupts";
    }

    @Override
    public PcInterruptsState save() {
        return new PcInterruptsState(
                config,
                pins.saveMaster(),
                pins.saveSlave(),
                pins.saveIoApic(),
                Arrays.stream(apics).map(LocalApic::save).toList());
    }

    /// Bus reset: all controllers as after power-on. The levels of the lines stay what their devices make them.
    public void reset() {
        pins.reset();
        for (LocalApic apic : apics) {
            apic.reset();
        }
    }

    /// @param gsi 0–23
    @Override
    public InterruptLine line(int gsi) {
        return pins.line(gsi);
    }

    @Override
    public MsiSink msi() {
        return bus;
    }

    @Override
    public LocalInterrupts local(int index) {
        return apics[index];
    }

    @Override
    public void connect(int index, VcpuSignals signals) {
        apics[index].connect(signals);
    }

    /// The register page that vCPU `index` finds at [#localApicGpa], 4 KiB.
    public IoDevice localApicPage(int index) {
        return apics[index];
    }

    /// Where vCPU `index` sees its register page now; -1 when its APIC is off or in x2APIC mode. One volatile read.
    public long localApicGpa(int index) {
        return apics[index].pageGpa();
    }

    /// The 8259 pair and the IO-APIC.
    public PinControllers pins() {
        return pins;
    }

    /// A rising edge at LINT1 of every processor, where a PC has its NMI.
    public void nmi() {
        for (LocalApic apic : apics) {
            apic.lint1();
        }
    }

    boolean intr() {
        return pins.intr();
    }

    int acknowledgeIntr() {
        return pins.acknowledgeIntr();
    }

    void endOfInterrupt(int vector) {
        pins.endOfInterrupt(vector);
    }

    private void intrChanged() {
        for (LocalApic apic : apics) {
            apic.lint0Changed();
        }
    }
}

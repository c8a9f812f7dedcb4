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
import org.jvirt.core.interrupt.PicState;

/// The interrupt controllers of a PC, wired as on its board: interrupts 0–15 reach the 8259 pair and the IO-APIC,
/// with interrupt 0 at IO-APIC pin 2; 16–23 reach the IO-APIC only; INTR drives LINT0 of every local APIC and
/// IO-APIC pin 0. Line 2 is the cascade: only the IO-APIC's pin 2 sees it.
///
/// Thread-safe; sending an interrupt or an IPI allocates nothing and never blocks. For locks see the package.
public final class PcInterrupts implements InterruptController, Snapshottable<PcInterruptsState> {
    /// Where the IO-APIC's registers are mapped.
    public static final long IO_APIC_GPA = 0xfec0_0000L;

    /// How much space they take.
    public static final long IO_APIC_BYTES = 0x1000;

    private static final int TIMER_PIN = 2;
    private static final int INTR_PIN = 0;

    private static final int SOURCE_LINE = 1;
    private static final int SOURCE_TIMER = 2;

    private final ApicConfig config;
    private final LocalApic[] apics;
    private final PicPair pics;
    private final IoApic ioApic;
    private final ApicBus bus;
    private final InterruptLine[] lines = new InterruptLine[IoApic.PINS];

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
        pics = new PicPair(
                saved.map(PcInterruptsState::master).orElse(PicState.RESET),
                saved.map(PcInterruptsState::slave).orElse(PicState.RESET),
                this::intrChanged);
        ioApic = saved.map(s -> new IoApic(bus, s.ioApic())).orElseGet(() -> new IoApic(bus));
        for (int i = 0; i < apics.length; i++) {
            int index = i;
            apics[i] = saved.map(s -> new LocalApic(s.apics().get(index), config, bus, tsc))
                    .orElseGet(() -> new LocalApic(index, config, bus, tsc));
        }
        for (int gsi = 0; gsi < lines.length; gsi++) {
            lines[gsi] = makeLine(gsi);
        }
    }

    private InterruptLine makeLine(int gsi) {
        if (gsi == 0) {
            return high -> {
                pics.set(0, high);
                ioApic.set(TIMER_PIN, SOURCE_TIMER, high);
            };
        }
        if (gsi < 16 && gsi != PicPair.CASCADE) {
            return high -> {
                pics.set(gsi, high);
                ioApic.set(gsi, SOURCE_LINE, high);
            };
        }
        return high -> ioApic.set(gsi, SOURCE_LINE, high);
    }

    @Override
    public String id() {
        return "interrupts";
    }

    @Override
    public PcInterruptsState save() {
        return new PcInterruptsState(
                config,
                pics.saveMaster(),
                pics.saveSlave(),
                ioApic.save(),
                Arrays.stream(apics).map(LocalApic::save).toList());
    }

    /// Bus reset: all controllers as after power-on. The levels of the lines stay what their devices make them.
    public void reset() {
        pics.reset();
        ioApic.reset();
        for (LocalApic apic : apics) {
            apic.reset();
        }
    }

    /// @param gsi 0–23
    @Override
    public InterruptLine line(int gsi) {
        return lines[gsi];
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

    /// Ports 0x20–0x21.
    public IoDevice masterPic() {
        return pics.masterPorts();
    }

    /// Ports 0xA0–0xA1.
    public IoDevice slavePic() {
        return pics.slavePorts();
    }

    /// Ports 0x4D0–0x4D1: which inputs of the 8259 pair are level-triggered.
    public IoDevice elcr() {
        return pics.elcrPorts();
    }

    /// The IO-APIC's registers, at [#IO_APIC_GPA].
    public IoDevice ioApic() {
        return ioApic;
    }

    /// A rising edge at LINT1 of every processor, where a PC has its NMI.
    public void nmi() {
        for (LocalApic apic : apics) {
            apic.lint1();
        }
    }

    boolean intr() {
        return pics.intr();
    }

    int acknowledgeIntr() {
        return pics.acknowledge();
    }

    void endOfInterrupt(int vector) {
        ioApic.endOfInterrupt(vector);
    }

    private void intrChanged() {
        for (LocalApic apic : apics) {
            apic.lint0Changed();
        }
        ioApic.set(INTR_PIN, SOURCE_LINE, pics.intr());
    }
}

package org.jvirt.machine;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.jvirt.core.Bus;
import org.jvirt.core.CharBackend;
import org.jvirt.core.InterruptLine;
import org.jvirt.core.PowerControl;
import org.jvirt.core.VmClock;
import org.jvirt.devices.SharedLine;
import org.jvirt.devices.acpi.PowerManagement;
import org.jvirt.devices.acpi.ResetControl;
import org.jvirt.devices.legacy.DebugExit;
import org.jvirt.devices.legacy.DebugPort;
import org.jvirt.devices.legacy.DmaController;
import org.jvirt.devices.legacy.I8042;
import org.jvirt.devices.legacy.PostCode;
import org.jvirt.devices.legacy.SystemControlPortA;
import org.jvirt.devices.legacy.Uart16550;
import org.jvirt.devices.pci.Ich9Lpc;
import org.jvirt.devices.pci.Ich9Smbus;
import org.jvirt.devices.pci.PciAddress;
import org.jvirt.devices.pci.PciAllocator;
import org.jvirt.devices.pci.PciAllocator.Window;
import org.jvirt.devices.pci.PciHost;
import org.jvirt.devices.pci.PirqRouter;
import org.jvirt.devices.pci.Q35HostBridge;
import org.jvirt.devices.testdev.PcTestDevice;
import org.jvirt.devices.testdev.PciTestDevice;
import org.jvirt.devices.time.CmosSettings;
import org.jvirt.devices.time.Hpet;
import org.jvirt.devices.time.Rtc;
import org.jvirt.machine.firmware.Platform.IsaDevice;
import org.jvirt.machine.layout.MemoryMap;

/// What is soldered to the board: buses, interrupt controllers, clocks, chipset and the legacy ports, each at the
/// place where PCs have it.
final class PcBoard {
    private static final int[] SERIAL_PORTS = {0x3f8, 0x2f8, 0x3e8, 0x2e8};
    private static final int[] SERIAL_IRQS = {4, 3, 4, 3};
    private static final int SCI = 9;
    private static final int PORT_E9 = 0xe9;
    private static final int SEABIOS_DEBUG_PORT = 0x402;
    private static final Window IO_WINDOW = new Window(0xc000, 0x1_0000);
    /// Interrupts 9, 10 and 11: the SCI and the PCI pins' ISA routes.
    private static final int LEVEL_TRIGGERED = 1 << 9 | 1 << 10 | 1 << 11;

    private static final int FIRST_PCI_GSI = 16;
    private static final int LINES = 24;
    private static final int FIRST_TEST_SLOT = 24;
    private static final int APMC_EN = 1 << 5;
    private static final int HPET_TIMERS = 3;

    private final MemoryMap map;
    private final @Nullable SharedLine[] shared = new SharedLine[LINES];
    private final Bus ports = new Bus("ports");
    private final Bus mmio = new Bus("mmio");
    private final BoardInterrupts interrupts;
    private final PciHost pci;
    private final PirqRouter pirqs;
    private final Q35HostBridge hostBridge;
    private final Ich9Lpc lpc;
    private final PowerManagement powerManagement;
    private final List<Runnable> resets = new ArrayList<>();
    private final List<IsaDevice> isaDevices = new ArrayList<>();

    PcBoard(VmConfig config, MemoryMap map, VmClock clock, BoardInterrupts interrupts, PowerControl power) {
        this.map = map;
        this.interrupts = interrupts;
        interrupts.plug(ports, mmio);
        resets.add(interrupts::reset);

        var resetControl = new ResetControl(power);
        resets.add(resetControl::reset);
        for (int gsi = FIRST_PCI_GSI; gsi < LINES; gsi++) {
            shared[gsi] = new SharedLine(interrupts.line(gsi));
        }
        pirqs = new PirqRouter(this::line);
        pci = new PciHost(ports, mmio, interrupts.msi(), pirqs, Optional.of(resetControl));
        powerManagement = new PowerManagement(clock, interrupts.line(SCI), power, true);
        resets.add(powerManagement::reset);
        ports.map("apm", 0xb2, 2, powerManagement.apmPorts());
        hostBridge = new Q35HostBridge(pci);
        lpc = new Ich9Lpc(pci, pirqs, Optional.of(powerManagement));
        pci.add(PciAddress.of(0, 0), hostBridge);
        pci.add(PciAddress.of(31, 0), lpc);
        pci.add(PciAddress.of(31, 3), new Ich9Smbus());
        resets.add(pci::reset);

        markManagementModeSetUp();
        clocks(config, clock);
        legacy(config, clock, power);
    }

    private void clocks(VmConfig config, VmClock clock) {
        var hpet = new Hpet(clock, HPET_TIMERS, Hpet.PERIOD_FEMTOS_10_NS, this::line, interrupts.msi());
        mmio.map("hpet", MemoryMap.HPET, MemoryMap.HPET_BYTES, hpet);
        interrupts.plugTimer(ports, clock, hpet);
        var cmos = new CmosSettings(map.lowRamEnd(), map.highRamBytes(), config.cpus());
        var rtc = new Rtc(clock, hpet.rtcInput(), config.rtcOffsetNanos(), cmos);
        ports.map("rtc", 0x70, 4, rtc);
        isaDevices.add(IsaDevice.realTimeClock());
        resets.addAll(List.of(rtc::reset, hpet::reset));
    }

    /// A driver of its own for each device that shares one of the PCI interrupts.
    private InterruptLine line(int gsi) {
        SharedLine line = shared[gsi];
        return line == null ? interrupts.line(gsi) : line.driver();
    }

    private void legacy(VmConfig config, VmClock clock, PowerControl power) {
        for (int i = 0; i < config.serials().size(); i++) {
            var uart = new Uart16550(
                    "serial" + i,
                    clock,
                    interrupts.line(SERIAL_IRQS[i]),
                    config.serials().get(i));
            ports.map("serial" + i, SERIAL_PORTS[i], Uart16550.BYTES, uart);
            resets.add(uart::reset);
            isaDevices.add(IsaDevice.serial(i + 1, SERIAL_PORTS[i], SERIAL_IRQS[i]));
        }
        var i8042 = new I8042(interrupts.line(1), interrupts.line(12), power);
        ports.map("i8042-data", 0x60, 1, i8042.dataPort());
        ports.map("i8042-command", 0x64, 1, i8042.commandPort());
        resets.add(i8042::reset);
        isaDevices.add(IsaDevice.keyboard());
        isaDevices.add(IsaDevice.mouse());
        var dma = new DmaController();
        ports.map("dma-1", 0x00, 0x10, dma.first());
        ports.map("dma-2", 0xc0, 0x20, dma.second());
        ports.map("dma-pages", 0x81, 0xf, dma.pages());
        resets.add(dma::reset);
        ports.map("post-code", 0x80, 1, new PostCode());
        var port92 = new SystemControlPortA(power);
        ports.map("port-92", 0x92, 1, port92);
        resets.add(port92::reset);
        config.debugConsole().ifPresent(backend -> {
            var debug = new DebugPort(value -> write(backend, value));
            if (!config.testDevices().contains(new VmConfig.TestDevice.Pc())) {
                // pc-testdev takes this port for itself.
                ports.map("debug-e9", PORT_E9, 1, debug);
            }
            ports.map("debug-402", SEABIOS_DEBUG_PORT, 1, debug);
        });
        for (VmConfig.TestDevice device : config.testDevices()) {
            switch (device) {
                case VmConfig.TestDevice.DebugExit exit ->
                    ports.map("debug-exit", exit.port(), exit.sizeBytes(), new DebugExit(power));
                case VmConfig.TestDevice.Pc _ -> new PcTestDevice(ports, mmio, this::line);
                case VmConfig.TestDevice.Pci _ -> pci.addAtFreeDevice(FIRST_TEST_SLOT, new PciTestDevice());
            }
        }
    }

    private static void write(CharBackend backend, int value) {
        backend.write(new byte[] {(byte) value}, 0, 1);
    }

    /// What firmware would do to the chipset: opens the ECAM window, places power management and all BARs, routes
    /// and marks the level-triggered interrupts.
    void programLikeFirmware() {
        hostBridge.enableEcam(MemoryMap.ECAM);
        lpc.programLikeFirmware(Ich9Lpc.USUAL_PM_BASE);
        interrupts.setLevelTriggered(LEVEL_TRIGGERED);
        long window64 = map.pciWindow64();
        new PciAllocator(
                        IO_WINDOW,
                        new Window(MemoryMap.PCI_WINDOW, MemoryMap.PCI_WINDOW_END),
                        new Window(window64, window64 + MemoryMap.PCI_WINDOW64_BYTES))
                .assign(pci, pirqs);
    }

    /// Brings everything to its state after power-on. No vCPU runs.
    void reset() {
        resets.forEach(Runnable::run);
        markManagementModeSetUp();
    }

    /// There is no system management mode. Firmware that finds APMC_EN set takes it for set up already and does not
    /// wait for a handler to answer.
    private void markManagementModeSetUp() {
        powerManagement.write(PowerManagement.SMI_EN, 4, APMC_EN);
    }

    Bus ports() {
        return ports;
    }

    Bus mmio() {
        return mmio;
    }

    BoardInterrupts interrupts() {
        return interrupts;
    }

    PciHost pci() {
        return pci;
    }

    PowerManagement powerManagement() {
        return powerManagement;
    }

    List<IsaDevice> isaDevices() {
        return List.copyOf(isaDevices);
    }
}

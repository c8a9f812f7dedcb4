package org.jvirt.machine.firmware;

import java.util.List;
import org.jvirt.machine.layout.MemoryMap;

/// What the tables say about the machine.
///
/// @param memory      where RAM and windows are
/// @param cpus        processors; APIC id and ACPI uid are the index
/// @param isaDevices  which legacy devices exist
/// @param pciPinGsi   which global interrupt INTA–INTD of each PCI device on bus 0 raises
/// @param power       the ACPI power-management registers
public record Platform(
        MemoryMap memory, int cpus, List<IsaDevice> isaDevices, PinRouting pciPinGsi, PowerRegisters power) {
    /// A device with fixed ports that plug-and-play systems want to be told of.
    ///
    /// @param name    four characters, unique
    /// @param irq     an ISA interrupt, or -1
    /// @param portRanges first port and count, in pairs
    /// @param unit    tells devices of one kind apart
    public record IsaDevice(String name, String eisaId, int irq, List<PortRange> portRanges, int unit) {
        public IsaDevice {
            portRanges = List.copyOf(portRanges);
        }

        public static IsaDevice serial(int unit, int port, int irq) {
            return new IsaDevice("COM" + unit, "PNP0501", irq, List.of(new PortRange(port, 8)), unit);
        }

        public static IsaDevice keyboard() {
            return new IsaDevice("KBD", "PNP0303", 1, List.of(new PortRange(0x60, 1), new PortRange(0x64, 1)), 0);
        }

        public static IsaDevice mouse() {
            return new IsaDevice("MOU", "PNP0F13", 12, List.of(), 0);
        }

        public static IsaDevice realTimeClock() {
            return new IsaDevice("RTC", "PNP0B00", 8, List.of(new PortRange(0x70, 8)), 0);
        }
    }

    /// Ports that a device decodes.
    public record PortRange(int first, int count) {}

    /// How interrupt pins of PCI devices reach the IO-APIC.
    @FunctionalInterface
    public interface PinRouting {
        /// @param pin 0 for INTA
        int gsi(int device, int pin);

        /// The routing of an ICH9 after firmware has set it up: devices 0–24 share PIRQE–H (GSI 20–23), turned by
        /// the device number; devices from 25 on, which are the south bridge's own, use PIRQA–D (GSI 16–19).
        static int ich9(int device, int pin) {
            return device < 25 ? 20 + (device + pin & 3) : 16 + pin;
        }
    }

    /// @param base           I/O base of the ACPI block as in ICH9: PM1 event +0, PM1 control +4, timer +8, GPE0
    ///     +0x20
    /// @param smiCommandPort where ACPI mode is requested, or 0 where the machine is always in it
    /// @param acpiEnable     the value to write there
    /// @param acpiDisable    the value that goes back
    /// @param sleepTypeOff   SLP_TYP of soft-off
    /// @param sciGsi         the system control interrupt
    public record PowerRegisters(
            int base, int smiCommandPort, int acpiEnable, int acpiDisable, int sleepTypeOff, int sciGsi) {
        public static final PowerRegisters ICH9 = new PowerRegisters(0x600, 0xb2, 2, 3, 0, 9);
    }

    public Platform {
        isaDevices = List.copyOf(isaDevices);
    }
}

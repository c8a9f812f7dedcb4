package org.jvirt.machine.firmware;

import static org.jvirt.machine.firmware.Aml.*;

import java.util.ArrayList;
import java.util.List;
import org.jvirt.machine.firmware.Platform.IsaDevice;
import org.jvirt.machine.firmware.Platform.PortRange;
import org.jvirt.machine.layout.MemoryMap;

/// The byte code of the differentiated system description table: host bridge, legacy devices, processors, soft-off.
///
/// PCI interrupts are given as fixed global interrupts, so an operating system that is told to do without the
/// IO-APIC has no interrupt pins of PCI devices; message-signalled interrupts do not depend on this.
final class Dsdt {
    private static final int LAST_PORT = 0xffff;
    private static final int CONFIG_PORTS = 0xcf8;
    private static final int FW_CFG_PORT = 0x510;
    private static final int PRESENT_ENABLED_FUNCTIONING = 0xb;
    private static final String PCI_HOST_BRIDGE_UUID = "33db4d5b-1ff7-401c-9657-7441c03dd766";

    private final Platform platform;
    private final MemoryMap memory;

    Dsdt(Platform platform) {
        this.platform = platform;
        memory = platform.memory();
    }

    byte[] build() {
        return join(
                scope("\\_SB", hostBridge(), motherboard(), firmwareConfiguration(), processors()),
                define(
                        "\\_S5",
                        pack(
                                integer(platform.power().sleepTypeOff()),
                                integer(platform.power().sleepTypeOff()),
                                integer(0),
                                integer(0))));
    }

    private byte[] hostBridge() {
        return device(
                "PCI0",
                define("_HID", eisaId("PNP0A08")),
                define("_CID", eisaId("PNP0A03")),
                define("_UID", integer(0)),
                define("_SEG", integer(0)),
                define("_BBN", integer(0)),
                define("_CRS", windows()),
                define("_PRT", routing()),
                operatingSystemCapabilities(),
                southBridge());
    }

    private byte[] windows() {
        var crs = new Resources()
                .busNumbers(0, 0xff)
                .ports(CONFIG_PORTS, 8)
                .portWindow(0, CONFIG_PORTS - 1)
                .portWindow(CONFIG_PORTS + 8, LAST_PORT)
                .memoryWindow(MemoryMap.VGA, MemoryMap.OPTION_ROMS - 1, true)
                .memoryWindow(MemoryMap.LOW_RAM_END, MemoryMap.ECAM - 1, false)
                .memoryWindow(MemoryMap.PCI_WINDOW, MemoryMap.PCI_WINDOW_END - 1, false);
        long window64 = memory.pciWindow64();
        return crs.memoryWindow64(window64, window64 + MemoryMap.PCI_WINDOW64_BYTES - 1)
                .template();
    }

    /// `_PRT` has more than 127 entries; a package holds up to 255.
    private byte[] routing() {
        var entries = new ArrayList<byte[]>();
        for (int device = 0; device < 32; device++) {
            for (int pin = 0; pin < 4; pin++) {
                long anyFunction = (long) device << 16 | 0xffff;
                entries.add(pack(
                        integer(anyFunction),
                        integer(pin),
                        integer(0),
                        integer(platform.pciPinGsi().gsi(device, pin))));
            }
        }
        return pack(entries.toArray(byte[][]::new));
    }

    /// `_OSC` (PCI Firmware 3.3, 4.5.1): hands over power events, error reporting and the capability structure;
    /// there is no hot-plug to hand over.
    private static byte[] operatingSystemCapabilities() {
        byte[] status = name("CDW1");
        byte[] control = name("CDW3");
        int grantable = 0x1c;
        int unrecognisedUuid = 4;
        int masked = 0x10;
        return method(
                "_OSC",
                4,
                doubleWordField(argument(3), 0, "CDW1"),
                when(
                        equal(argument(0), uuid(PCI_HOST_BRIDGE_UUID)),
                        doubleWordField(argument(3), 8, "CDW3"),
                        store(control, local(0)),
                        and(local(0), integer(grantable), local(0)),
                        when(not(equal(local(0), control)), or(status, integer(masked), status)),
                        store(local(0), control)),
                otherwise(or(status, integer(unrecognisedUuid), status)),
                giveBack(argument(3)));
    }

    private byte[] southBridge() {
        var children = new ArrayList<byte[]>();
        children.add(define("_ADR", integer(0x001f_0000)));
        for (IsaDevice isa : platform.isaDevices()) {
            var crs = new Resources();
            for (PortRange range : isa.portRanges()) {
                crs.ports(range.first(), range.count());
            }
            if (isa.irq() >= 0) {
                crs.irq(isa.irq());
            }
            children.add(device(
                    isa.name(),
                    define("_HID", eisaId(isa.eisaId())),
                    define("_UID", integer(isa.unit())),
                    define("_STA", integer(0xf)),
                    define("_CRS", crs.template())));
        }
        return device("LPC", children.toArray(byte[][]::new));
    }

    /// Claims the addresses that no other device does, so that nothing is placed over them.
    private byte[] motherboard() {
        byte[] claimed = new Resources()
                .fixedMemory(MemoryMap.ECAM, MemoryMap.ECAM_BYTES, true)
                .ports(platform.power().base(), 0x80)
                .ports(0xb2, 2)
                .template();
        return join(
                device("MBRD", define("_HID", eisaId("PNP0C02")), define("_UID", integer(0)), define("_CRS", claimed)),
                device(
                        "HPET",
                        define("_HID", eisaId("PNP0103")),
                        define("_UID", integer(0)),
                        define(
                                "_CRS",
                                new Resources()
                                        .fixedMemory(MemoryMap.HPET, MemoryMap.HPET_BYTES, false)
                                        .template())));
    }

    private static byte[] firmwareConfiguration() {
        return device(
                "FWCF",
                define("_HID", string("QEMU0002")),
                define("_STA", integer(PRESENT_ENABLED_FUNCTIONING)),
                define("_CRS", new Resources().ports(FW_CFG_PORT, 0xc).template()));
    }

    private byte[] processors() {
        List<byte[]> devices = new ArrayList<>();
        for (int i = 0; i < platform.cpus(); i++) {
            devices.add(device("C%03X".formatted(i), define("_HID", string("ACPI0007")), define("_UID", integer(i))));
        }
        return join(devices.toArray(byte[][]::new));
    }
}

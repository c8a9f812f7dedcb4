package org.jvirt.machine;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jvirt.machine.firmware.AcpiTables;
import org.jvirt.machine.firmware.Platform;
import org.jvirt.machine.firmware.Platform.IsaDevice;
import org.jvirt.machine.firmware.SmbiosTables;
import org.jvirt.machine.layout.MemoryMap;

/// ACPI and SMBIOS of a machine. Where no firmware runs they lie below 1 MiB:
///
/// ```
/// 0xE_0000 RSDP (in a page of its own)   0xE_1000 ACPI tables   0xF_0000 SMBIOS anchor and structures
/// ```
final class FirmwareTables {
    static final long RSDP_GPA = MemoryMap.BIOS_AREA;

    private static final long TABLES_GPA = MemoryMap.BIOS_AREA + 0x1000;
    /// Where operating systems begin to look for the anchor.
    private static final long SMBIOS_GPA = MemoryMap.BIOS_AREA + 0x1_0000;

    private static final String VERSION = "1";

    private final AcpiTables acpi;
    private final SmbiosTables smbios;

    FirmwareTables(VmConfig config, MemoryMap map, List<IsaDevice> isaDevices) {
        acpi = new AcpiTables(
                new Platform(map, config.cpus(), isaDevices, Platform.PinRouting::ich9, Platform.PowerRegisters.ICH9));
        smbios = new SmbiosTables(config.name(), VERSION, config.uuid(), map, config.cpus());
    }

    /// The fw_cfg files.
    Map<String, byte[]> files() {
        var files = new LinkedHashMap<>(acpi.files());
        files.putAll(smbios.files());
        return files;
    }

    /// What lies where when there is no firmware, by address.
    Map<Long, byte[]> place() {
        var placed = new LinkedHashMap<Long, byte[]>();
        Map<Long, byte[]> tables = acpi.place(TABLES_GPA);
        int count = 0;
        for (Map.Entry<Long, byte[]> file : tables.entrySet()) {
            // The last file is the RSDP.
            boolean rsdp = ++count == tables.size();
            place(placed, rsdp ? RSDP_GPA : file.getKey(), file.getValue(), SMBIOS_GPA);
        }
        smbios.place(SMBIOS_GPA).forEach((gpa, content) -> place(placed, gpa, content, MemoryMap.ONE_MIB));
        return placed;
    }

    private static void place(Map<Long, byte[]> placed, long gpa, byte[] content, long limit) {
        if (gpa + content.length > limit) {
            throw new IllegalStateException(
                    "Firmware tables end at 0x%x, behind 0x%x".formatted(gpa + content.length, limit));
        }
        placed.put(gpa, content);
    }
}

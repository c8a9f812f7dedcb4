package org.jvirt.machine;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.jvirt.core.GuestMemory;
import org.jvirt.devices.fwcfg.FwCfg;
import org.jvirt.devices.fwcfg.FwCfgKey;
import org.jvirt.machine.boot.OfferedKernel;
import org.jvirt.machine.layout.E820Entry;
import org.jvirt.machine.layout.MemoryMap;

/// What firmware and guests are told through fw_cfg.
final class FirmwareConfiguration {
    private static final int SETUP_GPA = 0x1_0000;
    private static final int COMMAND_LINE_GPA = 0x2_0000;
    private static final int KERNEL_GPA = 0x10_0000;
    private static final int INITRD_GPA = 0x800_0000;

    private FirmwareConfiguration() {}

    static FwCfg of(VmConfig config, MemoryMap map, FirmwareTables tables, GuestMemory memory) {
        FwCfg.Builder builder = FwCfg.builder()
                .item(FwCfgKey.UUID, uuid(config))
                .item64(FwCfgKey.RAM_SIZE, map.ramBytes())
                .item16(FwCfgKey.NOGRAPHIC, 1)
                .item16(FwCfgKey.NB_CPUS, config.cpus())
                .item16(FwCfgKey.MAX_CPUS, config.cpus())
                .item16(FwCfgKey.BOOT_DEVICE, 'c')
                .item16(FwCfgKey.BOOT_MENU, 0)
                .item32(FwCfgKey.IRQ0_OVERRIDE, 1)
                .item64(FwCfgKey.NUMA, 0)
                .file("etc/e820", e820(map))
                .file("etc/system-states", new byte[] {(byte) 0x80, 0, 0, 0, 0, (byte) 0x80})
                .file("etc/reserved-memory-end", longs(map.pciWindow64()))
                .file("etc/show-boot-menu", new byte[2]);
        String bootOrder = new DrivePlaces(config.disks(), config.cdroms()).bootOrder();
        if (!bootOrder.isEmpty()) {
            builder.file("bootorder", (bootOrder + "\0").getBytes(StandardCharsets.US_ASCII));
        }
        tables.files().forEach(builder::file);
        if (config.boot() instanceof BootConfig.Firmware firmware) {
            firmware.kernel()
                    .ifPresent(offered -> offer(
                            builder, OfferedKernel.of(offered.kernel(), offered.initrd(), offered.commandLine())));
        }
        return builder.build(memory);
    }

    private static void offer(FwCfg.Builder builder, OfferedKernel kernel) {
        builder.item32(FwCfgKey.SETUP_ADDR, SETUP_GPA)
                .item32(FwCfgKey.SETUP_SIZE, kernel.setup().length)
                .item(FwCfgKey.SETUP_DATA, kernel.setup())
                .item32(FwCfgKey.KERNEL_ADDR, KERNEL_GPA)
                .item32(FwCfgKey.KERNEL_SIZE, kernel.kernel().length)
                .item(FwCfgKey.KERNEL_DATA, kernel.kernel())
                .item32(FwCfgKey.INITRD_ADDR, INITRD_GPA)
                .item32(FwCfgKey.INITRD_SIZE, kernel.initrd().length)
                .item(FwCfgKey.INITRD_DATA, kernel.initrd())
                .item32(FwCfgKey.CMDLINE_ADDR, COMMAND_LINE_GPA)
                .item32(FwCfgKey.CMDLINE_SIZE, kernel.commandLine().length)
                .item(FwCfgKey.CMDLINE_DATA, kernel.commandLine());
    }

    /// RAM, as firmware wants it: without the holes below 1 MiB, which it makes itself.
    private static byte[] e820(MemoryMap map) {
        List<E820Entry> entries = map.highRamBytes() == 0
                ? List.of(new E820Entry(0, map.lowRamEnd(), E820Entry.Type.RAM))
                : List.of(
                        new E820Entry(0, map.lowRamEnd(), E820Entry.Type.RAM),
                        new E820Entry(MemoryMap.FOUR_GIB, map.highRamBytes(), E820Entry.Type.RAM));
        ByteBuffer bytes = ByteBuffer.allocate(20 * entries.size()).order(ByteOrder.LITTLE_ENDIAN);
        for (E820Entry entry : entries) {
            bytes.putLong(entry.gpa())
                    .putLong(entry.sizeBytes())
                    .putInt(entry.type().number());
        }
        return bytes.array();
    }

    private static byte[] uuid(VmConfig config) {
        return ByteBuffer.allocate(16)
                .putLong(config.uuid().getMostSignificantBits())
                .putLong(config.uuid().getLeastSignificantBits())
                .array();
    }

    private static byte[] longs(long value) {
        return ByteBuffer.allocate(8)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(value)
                .array();
    }
}

package org.jvirt.machine.firmware;

import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.UUID;
import org.jvirt.machine.layout.MemoryMap;

/// The SMBIOS structures of a machine: BIOS, system, enclosure, processors, memory (SMBIOS 3.0).
public final class SmbiosTables {
    public static final String ANCHOR_FILE = "etc/smbios/smbios-anchor";
    public static final String TABLES_FILE = "etc/smbios/smbios-tables";

    private static final int ANCHOR_BYTES = 24;
    private static final long DEVICE_BYTES = 16L << 30;
    private static final int NONE = 0xfffe;

    private final ByteWriter tables = new ByteWriter();

    /// @param name what the system is called
    /// @param uuid tells this machine from all others
    public SmbiosTables(String name, String version, UUID uuid, MemoryMap memory, int cpus) {
        bios(version);
        system(version, name, uuid);
        enclosure();
        for (int i = 0; i < cpus; i++) {
            processor(i);
        }
        memory(memory);
        structure(32, 0x2000, new ByteWriter().zeroes(6).u8(0).bytes());
        structure(127, 0x7f00, new byte[0]);
    }

    /// The fw_cfg files.
    public Map<String, byte[]> files() {
        var files = new LinkedHashMap<String, byte[]>();
        files.put(ANCHOR_FILE, anchor(0));
        files.put(TABLES_FILE, tables.bytes());
        return files;
    }

    /// Anchor and tables as they lie in memory from `gpa` (a multiple of 16) on, by address.
    public Map<Long, byte[]> place(long gpa) {
        var placed = new LinkedHashMap<Long, byte[]>();
        long tableGpa = gpa + 32;
        placed.put(gpa, anchor(tableGpa));
        placed.put(tableGpa, tables.bytes());
        return placed;
    }

    /// The 64-bit entry point (SMBIOS 3.0, 5.2.2).
    private byte[] anchor(long tableGpa) {
        byte[] anchor = new ByteWriter()
                .text("_SM3_", 5, ' ')
                .u8(0)
                .u8(ANCHOR_BYTES)
                .u8(3)
                .u8(0)
                .u8(0)
                .u8(1)
                .u8(0)
                .u32(tables.size())
                .u64(tableGpa)
                .bytes();
        anchor[5] = Checksum.of(anchor, 0, ANCHOR_BYTES);
        return anchor;
    }

    private void bios(String version) {
        int notSupported = 1 << 3;
        byte[] body = new ByteWriter()
                .u8(1)
                .u8(2)
                .u16(0xe800)
                .u8(3)
                .u8(0)
                .u64(notSupported)
                .u8(0)
                .u8(1 << 4 | 1 << 2)
                .u8(0)
                .u8(0)
                .u8(0xff)
                .u8(0xff)
                .bytes();
        structure(0, 0, body, "jvirt", version, "01/01/2026");
    }

    private void system(String version, String name, UUID uuid) {
        int powerSwitch = 6;
        var body = new ByteWriter().u8(1).u8(2).u8(3).u8(0);
        long high = uuid.getMostSignificantBits();
        body.u32(high >>> 32)
                .u16((int) (high >>> 16))
                .u16((int) high)
                .u64(Long.reverseBytes(uuid.getLeastSignificantBits()));
        body.u8(powerSwitch).u8(0).u8(4);
        structure(1, 0x100, body.bytes(), "jvirt", "PC (Q35, ICH9)", version, name);
    }

    private void enclosure() {
        int other = 1;
        int safe = 3;
        int unknown = 2;
        byte[] body = new ByteWriter()
                .u8(1)
                .u8(other)
                .u8(0)
                .u8(0)
                .u8(0)
                .u8(safe)
                .u8(safe)
                .u8(safe)
                .u8(unknown)
                .u32(0)
                .u8(0)
                .u8(0)
                .u8(0)
                .u8(0)
                .u8(0)
                .bytes();
        structure(3, 0x300, body, "jvirt");
    }

    private void processor(int index) {
        int central = 3;
        int otherFamily = 1;
        int populatedEnabled = 0x41;
        byte[] body = new ByteWriter()
                .u8(1)
                .u8(central)
                .u8(otherFamily)
                .u8(2)
                .u64(0)
                .u8(0)
                .u8(0)
                .u16(0)
                .u16(1000)
                .u16(1000)
                .u8(populatedEnabled)
                .u8(otherFamily)
                .u16(0xffff)
                .u16(0xffff)
                .u16(0xffff)
                .u8(0)
                .u8(0)
                .u8(0)
                .u8(1)
                .u8(1)
                .u8(1)
                .u16(4)
                .u16(otherFamily)
                .u16(1)
                .u16(1)
                .u16(1)
                .bytes();
        structure(4, 0x400 + index, body, "CPU " + index, "jvirt");
    }

    private void memory(MemoryMap memory) {
        int array = 0x1000;
        int devices = Math.toIntExact(Math.ceilDiv(memory.ramBytes(), DEVICE_BYTES));
        int systemBoard = 3;
        int systemMemory = 3;
        int multiBitEcc = 6;
        var body = new ByteWriter().u8(systemBoard).u8(systemMemory).u8(multiBitEcc);
        long kib = memory.ramBytes() >> 10;
        boolean large = kib >= 0x8000_0000L;
        body.u32(large ? 0x8000_0000L : kib).u16(NONE).u16(devices).u64(large ? memory.ramBytes() : 0);
        structure(16, array, body.bytes());
        long left = memory.ramBytes();
        for (int i = 0; i < devices; i++) {
            memoryDevice(i, array, Math.min(left, DEVICE_BYTES));
            left -= DEVICE_BYTES;
        }
        mappedRange(0, array, 0, memory.lowRamEnd());
        if (memory.highRamBytes() > 0) {
            mappedRange(1, array, MemoryMap.FOUR_GIB, memory.highRamEnd());
        }
    }

    private void memoryDevice(int index, int array, long sizeBytes) {
        int dimm = 9;
        int ram = 7;
        int other = 1 << 1;
        byte[] body = new ByteWriter()
                .u16(array)
                .u16(NONE)
                .u16(0xffff)
                .u16(0xffff)
                .u16((int) (sizeBytes >> 20))
                .u8(dimm)
                .u8(0)
                .u8(1)
                .u8(0)
                .u8(ram)
                .u16(other)
                .u16(0)
                .u8(2)
                .u8(0)
                .u8(0)
                .u8(0)
                .u8(0)
                .u32(0)
                .u16(0)
                .u16(0)
                .u16(0)
                .u16(0)
                .bytes();
        structure(17, 0x1100 + index, body, "DIMM " + index, "jvirt");
    }

    private void mappedRange(int index, int array, long gpa, long end) {
        byte[] body;
        if (end >> 10 > 0xffff_ffffL) {
            body = new ByteWriter()
                    .u32(0xffff_ffffL)
                    .u32(0xffff_ffffL)
                    .u16(array)
                    .u8(1)
                    .u64(gpa)
                    .u64(end - 1)
                    .bytes();
        } else {
            body = new ByteWriter()
                    .u32(gpa >> 10)
                    .u32((end >> 10) - 1)
                    .u16(array)
                    .u8(1)
                    .u64(0)
                    .u64(0)
                    .bytes();
        }
        structure(19, 0x1300 + index, body);
    }

    private void structure(int type, int handle, byte[] body, String... strings) {
        tables.u8(type).u8(4 + body.length).u16(handle).add(body);
        for (String string : strings) {
            tables.add(string.getBytes(StandardCharsets.UTF_8)).u8(0);
        }
        if (strings.length == 0) {
            tables.u8(0);
        }
        tables.u8(0);
    }
}

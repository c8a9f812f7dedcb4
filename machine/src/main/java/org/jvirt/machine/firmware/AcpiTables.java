package org.jvirt.machine.firmware;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jvirt.machine.firmware.Platform.PowerRegisters;
import org.jvirt.machine.layout.MemoryMap;

/// The ACPI tables of a machine: RSDP, RSDT, XSDT, FADT (revision 5), FACS, DSDT, MADT, MCFG and HPET.
///
/// They are two files, as firmware for virtual machines expects: `etc/acpi/tables`, in which all pointers are
/// offsets, and `etc/acpi/rsdp`, with a [TableLoader] script that makes addresses of the offsets.
public final class AcpiTables {
    public static final String TABLES_FILE = "etc/acpi/tables";
    public static final String RSDP_FILE = "etc/acpi/rsdp";
    public static final String LOADER_FILE = "etc/table-loader";

    private static final int HEADER_BYTES = 36;
    private static final int CHECKSUM_OFFSET = 9;
    private static final int ISA_IRQ_TIMER = 0;
    private static final int LEVEL_HIGH = 0xd;

    private final Platform platform;
    private final ByteWriter tables = new ByteWriter();
    private final TableLoader loader = new TableLoader();
    private final byte[] rsdp;

    public AcpiTables(Platform platform) {
        this.platform = platform;
        loader.allocate(TABLES_FILE, 64, false);
        rsdp = build();
    }

    /// The fw_cfg files.
    public Map<String, byte[]> files() {
        var files = new LinkedHashMap<String, byte[]>();
        files.put(TABLES_FILE, tables.bytes());
        files.put(RSDP_FILE, rsdp.clone());
        files.put(LOADER_FILE, loader.encode());
        return files;
    }

    /// The tables as they lie in memory from `gpa` on, by address; the RSDP is the last.
    public Map<Long, byte[]> place(long gpa) {
        return loader.place(files(), gpa);
    }

    private byte[] build() {
        int facs = facs();
        int dsdt = table("DSDT", 2, new Dsdt(platform).build(), List.of());
        int fadt = fadt(facs, dsdt);
        List<Integer> described = new ArrayList<>();
        described.add(fadt);
        described.add(table("APIC", 4, madt(), List.of()));
        described.add(table("MCFG", 1, mcfg(), List.of()));
        described.add(table("HPET", 1, hpet(), List.of()));
        int rsdt = index("RSDT", 4, described);
        int xsdt = index("XSDT", 8, described);
        return rsdp(rsdt, xsdt);
    }

    private int facs() {
        tables.align(64);
        int offset = tables.size();
        tables.text("FACS", 4, ' ').u32(64).zeroes(24).u8(2).zeroes(31);
        return offset;
    }

    /// Appends a table with its standard header (ACPI 6.5, 5.2.6).
    ///
    /// @param pointers offset in the body and size of each field that is a pointer
    private int table(String signature, int revision, byte[] body, List<int[]> pointers) {
        tables.align(16);
        int offset = tables.size();
        int length = HEADER_BYTES + body.length;
        tables.text(signature, 4, ' ')
                .u32(length)
                .u8(revision)
                .u8(0)
                .text("JVIRT", 6, ' ')
                .text("JVIRTPC", 8, ' ')
                .u32(1)
                .text("JVRT", 4, ' ')
                .u32(1)
                .add(body);
        for (int[] pointer : pointers) {
            loader.addPointer(TABLES_FILE, TABLES_FILE, offset + HEADER_BYTES + pointer[0], pointer[1]);
        }
        loader.addChecksum(TABLES_FILE, offset + CHECKSUM_OFFSET, offset, length);
        return offset;
    }

    private int index(String signature, int pointerBytes, List<Integer> described) {
        var body = new ByteWriter();
        var pointers = new ArrayList<int[]>();
        for (int offset : described) {
            pointers.add(new int[] {body.size(), pointerBytes});
            body.number(offset, pointerBytes);
        }
        return table(signature, 1, body.bytes(), pointers);
    }

    private byte[] rsdp(int rsdt, int xsdt) {
        var writer = new ByteWriter();
        writer.text("RSD PTR ", 8, ' ')
                .u8(0)
                .text("JVIRT", 6, ' ')
                .u8(2)
                .u32(rsdt)
                .u32(36)
                .u64(xsdt)
                .u8(0)
                .zeroes(3);
        loader.allocate(RSDP_FILE, 16, true);
        loader.addPointer(RSDP_FILE, TABLES_FILE, 16, 4);
        loader.addPointer(RSDP_FILE, TABLES_FILE, 24, 8);
        loader.addChecksum(RSDP_FILE, 8, 0, 20);
        loader.addChecksum(RSDP_FILE, 32, 0, 36);
        return writer.bytes();
    }

    /// ACPI 6.5, 5.2.9, in the length of revision 5.
    private int fadt(int facs, int dsdt) {
        PowerRegisters power = platform.power();
        int wbinvd = 1;
        int c1OnAllProcessors = 1 << 2;
        int noSleepButton = 1 << 5;
        int noFixedRtcWake = 1 << 6;
        int timerHas32Bits = 1 << 8;
        int resetRegister = 1 << 10;
        int legacyDevices = 1;
        int keyboardController = 1 << 1;
        int event = power.base();
        int control = power.base() + 4;
        int timer = power.base() + 8;
        int generalPurpose = power.base() + 0x20;
        var body = new ByteWriter()
                .u32(facs)
                .u32(dsdt)
                .u8(0)
                .u8(0)
                .u16(power.sciGsi())
                .u32(power.smiCommandPort())
                .u8(power.smiCommandPort() == 0 ? 0 : power.acpiEnable())
                .u8(power.smiCommandPort() == 0 ? 0 : power.acpiDisable())
                .u8(0)
                .u8(0)
                .u32(event)
                .u32(0)
                .u32(control)
                .u32(0)
                .u32(0)
                .u32(timer)
                .u32(generalPurpose)
                .u32(0)
                .u8(4)
                .u8(2)
                .u8(0)
                .u8(4)
                .u8(16)
                .u8(0)
                .u8(0)
                .u8(0);
        // C2 and C3 latencies above their limits: there are no such states. No flush stride, no duty cycle, no
        // alarms; the century lies in CMOS 0x32.
        body.u16(0xfff).u16(0xfff).u16(0).u16(0).u8(0).u8(0).u8(0).u8(0).u8(0x32);
        body.u16(legacyDevices | keyboardController).u8(0);
        body.u32(wbinvd | c1OnAllProcessors | noSleepButton | noFixedRtcWake | timerHas32Bits | resetRegister);
        register(body, 8, 1, 0xcf9).u8(6).u16(0).u8(1);
        body.u64(0);
        int wideDsdt = body.size();
        body.u64(dsdt);
        register(body, 32, 2, event);
        register(body, 0, 0, 0);
        register(body, 16, 2, control);
        register(body, 0, 0, 0);
        register(body, 0, 0, 0);
        register(body, 32, 3, timer);
        register(body, 128, 1, generalPurpose);
        register(body, 0, 0, 0);
        // No sleep control and status registers: those are for hardware-reduced machines.
        register(body, 0, 0, 0);
        register(body, 0, 0, 0);
        return table("FACP", 5, body.bytes(), List.of(new int[] {0, 4}, new int[] {4, 4}, new int[] {wideDsdt, 8}));
    }

    /// A generic address in I/O space (ACPI 6.5, 5.2.3.2); all zero for a register that does not exist.
    private static ByteWriter register(ByteWriter body, int bits, int accessSize, int port) {
        return body.u8(port == 0 ? 0 : 1).u8(bits).u8(0).u8(accessSize).u64(port);
    }

    /// ACPI 6.5, 5.2.12. Processors with ids that do not fit a byte are described as x2APICs.
    private byte[] madt() {
        int pcAtCompatible = 1;
        var body = new ByteWriter().u32(MemoryMap.LOCAL_APIC).u32(pcAtCompatible);
        for (int i = 0; i < platform.cpus(); i++) {
            if (i < 255) {
                body.u8(0).u8(8).u8(i).u8(i).u32(1);
            } else {
                body.u8(9).u8(16).u16(0).u32(i).u32(1).u32(i);
            }
        }
        body.u8(1).u8(12).u8(0).u8(0).u32(MemoryMap.IO_APIC).u32(0);
        body.u8(2).u8(10).u8(0).u8(ISA_IRQ_TIMER).u32(2).u16(0);
        int sci = platform.power().sciGsi();
        body.u8(2).u8(10).u8(0).u8(sci).u32(sci).u16(LEVEL_HIGH);
        // NMI on LINT1 of all processors.
        body.u8(4).u8(6).u8(0xff).u16(0).u8(1);
        if (platform.cpus() > 255) {
            body.u8(10).u8(12).u16(0).u32(0xffff_ffffL).u8(1).zeroes(3);
        }
        return body.bytes();
    }

    /// PCI Firmware 3.3, 4.1.2.
    private static byte[] mcfg() {
        return new ByteWriter()
                .u64(0)
                .u64(MemoryMap.ECAM)
                .u16(0)
                .u8(0)
                .u8(255)
                .u32(0)
                .bytes();
    }

    /// IA-PC HPET 1.0a, 3.2.4: revision 1, three 64-bit timers, legacy replacement, vendor 0x8086.
    private static byte[] hpet() {
        int id = 0x8086_0000 | 1 << 15 | 1 << 13 | 2 << 8 | 1;
        var body = new ByteWriter().u32(id);
        body.u8(0).u8(64).u8(0).u8(0).u64(MemoryMap.HPET);
        return body.u8(0).u16(0x80).u8(0).bytes();
    }
}

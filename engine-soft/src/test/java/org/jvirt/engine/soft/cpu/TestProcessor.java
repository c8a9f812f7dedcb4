package org.jvirt.engine.soft.cpu;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import org.jvirt.core.ExitHandler;
import org.jvirt.core.GuestMemory;
import org.jvirt.core.InterruptController;
import org.jvirt.core.InterruptLine;
import org.jvirt.core.LocalInterrupts;
import org.jvirt.core.MsiSink;
import org.jvirt.core.TscClock;
import org.jvirt.core.VcpuSignals;
import org.jvirt.core.VmSpec;
import org.jvirt.core.cpu.CpuFeature;
import org.jvirt.core.cpu.CpuidLeaf;
import org.jvirt.core.cpu.CpuidRegister;
import org.jvirt.core.cpu.CpuidTable;
import org.jvirt.core.cpu.Segment;
import org.jvirt.testkit.ManualClock;
import org.jvirt.testkit.TestMemory;

/// One processor with 4 MiB of memory in a mode of choice, without devices: for tests of single operations.
///
/// ```
/// 0x00_1000  where tests put code
/// 0x10_0000  four pages that are not present in 64-bit mode
/// 0x3F_0000  page tables: identity mapping, 4 KiB pages for the first 2 MiB, one of 2 MiB for the others
/// ```
public final class TestProcessor implements AutoCloseable {
    public static final long CODE = 0x1000;
    public static final long ABSENT = 0x10_0000;
    public static final int ABSENT_BYTES = 0x4000;
    private static final long RAM_BYTES = 4 << 20;
    private static final long TABLES = 0x3F_0000;
    private static final int CODE_ATTRIBUTES = Segment.PRESENT | Segment.S | 0xB;
    private static final int DATA_ATTRIBUTES = Segment.PRESENT | Segment.S | 3;

    public final GuestMemory memory = TestMemory.ofBytes(RAM_BYTES);
    public final Processors processors;
    public final Cpu cpu;

    private TestProcessor(CpuidTable cpuid) {
        var spec = new VmSpec(
                "test", memory, cpuid, 1, new TscClock(new ManualClock(), 1_000_000_000L), Optional.of(new Silence()));
        processors = new Processors(spec, new Silence());
        cpu = processors.create(0, new NoDevices());
    }

    /// In 64-bit mode at privilege level 0, with all features.
    public static TestProcessor long64() {
        return long64(features(List.of(CpuFeature.values())));
    }

    /// In 64-bit mode at privilege level 0.
    public static TestProcessor long64(CpuidTable cpuid) {
        var test = new TestProcessor(cpuid);
        test.buildPageTables();
        enterLongMode(test.cpu);
        return test;
    }

    /// Another processor in 64-bit mode on the same memory.
    public Cpu another() {
        Cpu second = processors.create(1, new NoDevices());
        enterLongMode(second);
        return second;
    }

    private static void enterLongMode(Cpu cpu) {
        cpu.control.setCr4(Control.PAE);
        cpu.control.setCr3(TABLES);
        cpu.control.setEfer(Control.EFER_LME);
        segments(cpu, 0, 0xFFFF_FFFFL, Segment.BIG);
        cpu.control.setCr0(Control.PE | Control.PG);
        cpu.segments.set(Segments.CS, 8, 0, 0xFFFF_FFFFL, CODE_ATTRIBUTES | Segment.LONG | Segment.GRANULARITY);
        cpu.updateMode();
        cpu.leave = false;
    }

    /// In 32-bit protected mode without paging, segments from 0 to 4 GiB.
    public static TestProcessor protected32() {
        var test = new TestProcessor(features(List.of(CpuFeature.values())));
        Cpu cpu = test.cpu;
        cpu.control.setCr0(Control.PE);
        segments(test.cpu, 0, 0xFFFF_FFFFL, Segment.BIG | Segment.GRANULARITY);
        cpu.updateMode();
        cpu.leave = false;
        return test;
    }

    /// In real mode, all segments at 0.
    public static TestProcessor real16() {
        var test = new TestProcessor(features(List.of(CpuFeature.values())));
        segments(test.cpu, 0, 0xFFFF, 0);
        test.cpu.updateMode();
        test.cpu.leave = false;
        return test;
    }

    /// Gives a segment register other limits: expand-up, writable data.
    public void data(int segment, long base, long limit) {
        cpu.segments.set(segment, 0x10, base, limit, DATA_ATTRIBUTES | Segment.BIG);
    }

    private static void segments(Cpu cpu, long base, long limit, int attributes) {
        cpu.segments.set(Segments.CS, 8, base, limit, CODE_ATTRIBUTES | attributes);
        for (int i : new int[] {Segments.ES, Segments.SS, Segments.DS, Segments.FS, Segments.GS}) {
            cpu.segments.set(i, 0x10, base, limit, DATA_ATTRIBUTES | attributes);
        }
    }

    private void buildPageTables() {
        memory.writeLong(TABLES, TABLES + 0x1000 | 7);
        memory.writeLong(TABLES + 0x1000, TABLES + 0x2000 | 7);
        memory.writeLong(TABLES + 0x2000, TABLES + 0x3000 | 7);
        memory.writeLong(TABLES + 0x2008, 0x20_0000 | 0x87);
        for (int i = 0; i < 512; i++) {
            long page = (long) i << 12;
            boolean absent = page >= ABSENT && page < ABSENT + ABSENT_BYTES;
            memory.writeLong(TABLES + 0x3000 + 8L * i, absent ? 0 : page | 7);
        }
    }

    /// A CPUID table with these features and 40 bits of physical address.
    public static CpuidTable features(List<CpuFeature> features) {
        var leaves = new TreeMap<Long, int[]>();
        leaves.put(0x8000_0008L << 32, new int[] {0x3028, 0, 0, 0});
        for (CpuFeature feature : features) {
            int[] registers = leaves.computeIfAbsent(
                    (feature.function() & 0xFFFF_FFFFL) << 32 | feature.index(), key -> new int[4]);
            registers[slot(feature.register())] |= 1 << feature.bit();
        }
        var list = new ArrayList<CpuidLeaf>();
        leaves.forEach(
                (key, r) -> list.add(new CpuidLeaf((int) (key >>> 32), (int) (long) key, r[0], r[1], r[2], r[3])));
        return new CpuidTable(list);
    }

    private static int slot(CpuidRegister register) {
        return switch (register) {
            case EAX -> 0;
            case EBX -> 1;
            case ECX -> 2;
            case EDX -> 3;
        };
    }

    @Override
    public void close() {
        memory.close();
    }

    /// There is nothing behind ports and unmapped addresses.
    private static final class NoDevices implements ExitHandler {
        @Override
        public long readPort(int port, int size) {
            return -1;
        }

        @Override
        public void writePort(int port, int size, long value) {
            // nobody listens
        }

        @Override
        public long readMmio(long gpa, int size) {
            return -1;
        }

        @Override
        public void writeMmio(long gpa, int size, long value) {
            // nobody listens
        }
    }

    /// An interrupt controller on which nothing happens.
    private static final class Silence implements InterruptController {
        @Override
        public InterruptLine line(int gsi) {
            throw new IllegalStateException("no lines here");
        }

        @Override
        public MsiSink msi() {
            throw new IllegalStateException("no messages here");
        }

        @Override
        public LocalInterrupts local(int index) {
            return new NoInterrupts();
        }

        @Override
        public void connect(int index, VcpuSignals signals) {
            // never raised
        }
    }

    private static final class NoInterrupts implements LocalInterrupts {
        @Override
        public boolean pending() {
            return false;
        }

        @Override
        public int acknowledge() {
            return NONE;
        }

        @Override
        public boolean allowsSilentEnd(int vector) {
            return false;
        }

        @Override
        public void endOfInterrupt() {
            // none began
        }

        @Override
        public int taskPriority() {
            return 0;
        }

        @Override
        public void setTaskPriority(int priority) {
            // nothing to hold back
        }

        @Override
        public long apicBase() {
            return 0xFEE0_0900L;
        }

        @Override
        public void setApicBase(long value) {
            // fixed
        }

        @Override
        public long readMsr(int msr) {
            return 0;
        }

        @Override
        public void writeMsr(int msr, long value) {
            // no registers
        }

        @Override
        public long tscDeadline() {
            return 0;
        }

        @Override
        public void setTscDeadline(long ticks) {
            // no timer
        }
    }
}

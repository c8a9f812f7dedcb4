package org.jvirt.engine.soft.translate.verify;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jvirt.core.ExitHandler;
import org.jvirt.core.GuestMemory;
import org.jvirt.core.Hypervisor;
import org.jvirt.core.MemorySlot;
import org.jvirt.core.RunResult;
import org.jvirt.core.TscClock;
import org.jvirt.core.Vcpu;
import org.jvirt.core.Vm;
import org.jvirt.core.VmSpec;
import org.jvirt.core.cpu.Activity;
import org.jvirt.core.cpu.ControlRegisters;
import org.jvirt.core.cpu.CpuFeature;
import org.jvirt.core.cpu.CpuState;
import org.jvirt.core.cpu.CpuidLeaf;
import org.jvirt.core.cpu.CpuidRegister;
import org.jvirt.core.cpu.CpuidTable;
import org.jvirt.core.cpu.DescriptorTable;
import org.jvirt.core.cpu.GeneralRegisters;
import org.jvirt.core.cpu.Segment;
import org.jvirt.core.cpu.SegmentRegisters;
import org.jvirt.testkit.ManualClock;
import org.jvirt.testkit.TestMemory;

/// One processor of the engine under test, which runs one verified program after another.
final class Machine implements AutoCloseable {
    private static final MemorySlot RAM = new MemorySlot(0, 0, Layout.RAM_BYTES, 0, false);
    private static final MemorySlot ROM = new MemorySlot(1, Layout.ROM_GPA, Layout.PAGE, Layout.RAM_BYTES, true);
    private static final int MSR_STAR = 0xC000_0081;
    private static final int MSR_LSTAR = 0xC000_0082;
    private static final int MSR_FMASK = 0xC000_0084;
    private static final int MOST_ACCESSES = 20_000;

    private final GuestMemory memory = TestMemory.of(Layout.RAM_BYTES + Layout.PAGE, List.of(RAM, ROM));
    private final Kernel kernel = new Kernel();
    private final Interruptions interruptions = new Interruptions();
    private final List<Long> accesses = new ArrayList<>();
    private final Vm vm;
    private final Vcpu vcpu;
    private final CpuState start;
    private boolean stopped;
    private long turns;

    private static final Set<CpuFeature> NEWER = Set.of(
            CpuFeature.BMI1,
            CpuFeature.BMI2,
            CpuFeature.ABM,
            CpuFeature.MOVBE,
            CpuFeature.ADX,
            CpuFeature.SHA_NI,
            CpuFeature.F16C,
            CpuFeature.FMA,
            CpuFeature.AVX2);

    /// @param old whether to leave out features that newer processors have: some encodings mean something else then
    Machine(Hypervisor engine, boolean old) {
        var spec = new VmSpec(
                "verify",
                memory,
                cpuid(engine, old ? NEWER : Set.of()),
                1,
                new TscClock(new ManualClock(), 1_000_000_000L),
                Optional.of(interruptions));
        vm = engine.createVm(spec);
        vcpu = vm.createVcpu(0, new Devices());
        memory.write(Layout.KERNEL_GPA, kernel.code());
        tables();
        start = initial();
    }

    /// All features of the engine, but for five-level paging and what makes results differ from run to run.
    static CpuidTable cpuid(Hypervisor engine, Set<CpuFeature> without) {
        return cpuid(engine, without, false);
    }

    /// @param fiveLevels whether paging with five levels is among the features
    static CpuidTable cpuid(Hypervisor engine, Set<CpuFeature> without, boolean fiveLevels) {
        var leaves = new TreeMap<Long, int[]>();
        leaves.put(0L, new int[] {0xD, 0x756E_6547, 0x6C65_746E, 0x4965_6E69});
        leaves.put(0x8000_0000L << 32, new int[] {0x8000_0008, 0, 0, 0});
        leaves.put(0x8000_0008L << 32, new int[] {0x3028, 0, 0, 0});
        for (CpuFeature feature : engine.supportedFeatures()) {
            if (!without.contains(feature)
                    && (fiveLevels || feature != CpuFeature.LA57)
                    && feature != CpuFeature.RDRAND
                    && feature != CpuFeature.RDSEED) {
                int[] registers = leaves.computeIfAbsent(
                        (feature.function() & 0xFFFF_FFFFL) << 32 | feature.index(), key -> new int[4]);
                registers[CpuidRegister.valueOf(feature.register().name()).ordinal()] |= 1 << feature.bit();
            }
        }
        var list = new ArrayList<CpuidLeaf>();
        leaves.forEach(
                (key, r) -> list.add(new CpuidLeaf((int) (key >>> 32), (int) (long) key, r[0], r[1], r[2], r[3])));
        return new CpuidTable(list);
    }

    private void tables() {
        long code = Segment.PRESENT | Segment.S | 0xB | Segment.GRANULARITY;
        long data = Segment.PRESENT | Segment.S | 0x3 | Segment.GRANULARITY | Segment.BIG;
        descriptor(Layout.CODE64, code | Segment.LONG);
        descriptor(Layout.DATA_SELECTOR, data);
        descriptor(Layout.CODE32, code | Segment.BIG);
        descriptor(Layout.USER_CODE32 & ~3, code | Segment.BIG | 3 << 5);
        descriptor(Layout.USER_DATA & ~3, data | 3 << 5);
        descriptor(Layout.USER_CODE64 & ~3, code | Segment.LONG | 3 << 5);
        memory.writeLong(Layout.TSS_GPA + 4, Layout.KERNEL_STACK);
        memory.writeLong(Layout.TSS_GPA + 36, Layout.FAULT_STACK);
        memory.writeLong(Layout.TSS_GPA + 44, Layout.INTERRUPT_STACK);
        memory.writeShort(Layout.TSS_GPA + 102, 0x68);
        for (int vector = 0; vector < 256; vector++) {
            boolean forUsers = vector == 3 || vector == 4 || vector >= 0x80 && vector < 0x90;
            long target = kernel.gate(vector);
            long attributes = 0x8E00 | (vector == Layout.INTERRUPT_VECTOR ? 2 : 1) | (forUsers ? 3 << 13 : 0);
            memory.writeLong(
                    Layout.IDT_GPA + 16L * vector,
                    target & 0xFFFF | (long) Layout.CODE64 << 16 | attributes << 32 | (target >>> 16 & 0xFFFF) << 48);
            memory.writeLong(Layout.IDT_GPA + 16L * vector + 8, target >>> 32);
        }
    }

    private void descriptor(int selector, long attributes) {
        memory.writeLong(Layout.GDT_GPA + selector, 0x000F_0000_0000_FFFFL | attributes << 40);
    }

    private void map(Program program) {
        var tables = new PageTables(memory, Layout.TABLES_GPA, Layout.TABLES_BYTES);
        for (long at = 0; at < Layout.KERNEL_BYTES; at += Layout.PAGE) {
            // used already: which of its stacks are is no concern of the program
            tables.map(Layout.KERNEL + at, at, PageTables.WRITABLE | PageTables.ACCESSED | PageTables.DIRTY);
        }
        long user = program.kind().user() ? PageTables.USER : 0;
        for (long at = 0; at < Layout.CODE_BYTES; at += Layout.PAGE) {
            tables.map(
                    program.codeAddress() + at,
                    codePage(at),
                    user | (program.writesCode() || at == Code.WORDS ? PageTables.WRITABLE : 0));
        }
        for (DataPage page : DataPage.values()) {
            if (page.kind != DataPage.Kind.ABSENT) {
                long rights = PageTables.NO_EXECUTE
                        | (page.kind == DataPage.Kind.READ_ONLY ? 0 : PageTables.WRITABLE)
                        | (page.kind == DataPage.Kind.SUPERVISOR ? 0 : user);
                tables.map(Layout.DATA + page.offset(), page.gpa(), rights);
                tables.map(program.codeAddress() + Layout.DATA + page.offset(), page.gpa(), rights);
                tables.map(Layout.DATA_HIGH + page.offset(), page.gpa(), rights);
            }
        }
    }

    /// The pages of the code lie in another order than their addresses.
    private static long codePage(long offset) {
        return Layout.CODE_GPA + (offset * 3 & Layout.CODE_BYTES - 1);
    }

    private CpuState initial() {
        CpuState reset = CpuState.reset(Activity.RUNNING, 0);
        var code = Segment.flat(Layout.CODE64, Segment.PRESENT | Segment.S | 0xB | Segment.GRANULARITY | Segment.LONG);
        var data = Segment.flat(
                Layout.DATA_SELECTOR, Segment.PRESENT | Segment.S | 0x3 | Segment.GRANULARITY | Segment.BIG);
        var userData = Segment.flat(
                Layout.USER_DATA, Segment.PRESENT | Segment.S | 0x3 | Segment.GRANULARITY | Segment.BIG | 3 << 5);
        var task = new Segment(Layout.TASK, Layout.KERNEL + Layout.TSS_GPA, 0x67, Segment.PRESENT | 0xB);
        long[] registers = new long[16];
        registers[4] = Layout.KERNEL_STACK;
        var msrs = new TreeMap<>(reset.msrs());
        msrs.put(MSR_STAR, (long) (Layout.USER_CODE32 | 3) << 48 | (long) Layout.CODE64 << 32);
        msrs.put(MSR_LSTAR, kernel.systemCall());
        msrs.put(MSR_FMASK, 0x4_0700L);
        return reset.with(GeneralRegisters.of(registers, Kernel.ENTRY, 2))
                .with(new SegmentRegisters(
                        userData,
                        code,
                        data,
                        userData,
                        userData,
                        userData,
                        reset.segments().ldt(),
                        task,
                        new DescriptorTable(Layout.KERNEL + Layout.GDT_GPA, 0x47),
                        new DescriptorTable(Layout.KERNEL + Layout.IDT_GPA, 0xFFF)))
                .with(new ControlRegisters(
                        Kernel.USUAL_CR0, 0, Layout.TABLES_GPA, Kernel.USUAL_CR4, 0, 0xD01, Kernel.USUAL_XCR0))
                .withMsrs(msrs);
    }

    /// Runs a program from its first to its last entry state, but not for longer than a limit.
    Outcome run(Program program, Code code, Duration limit) {
        map(program);
        for (int at = 0; at < Layout.CODE_BYTES; at += Layout.PAGE) {
            memory.write(codePage(at), Arrays.copyOfRange(code.page(), at, at + Layout.PAGE));
        }
        for (DataPage page : DataPage.values()) {
            if (page.isRam()) {
                memory.write(page.gpa(), program.data()[page.ordinal()]);
            }
        }
        memory.load(Layout.ROM_GPA, program.data()[DataPage.ROM.ordinal()]);
        memory.write(Layout.ENTRIES_GPA, program.entries().bytes());
        int entries = program.entries().count();
        memory.fill(Layout.LOG_GPA, (long) entries * Slot.BYTES, (byte) 0);
        memory.writeLong(Layout.WORDS_GPA + Kernel.ENTRIES_LEFT, entries);
        memory.writeLong(Layout.WORDS_GPA + Kernel.NEXT_ENTRY, Layout.KERNEL + Layout.ENTRIES_GPA);
        memory.writeLong(Layout.WORDS_GPA + Kernel.NEXT_RECORD, Layout.KERNEL + Layout.LOG_GPA);
        accesses.clear();
        turns = 0;
        vcpu.load(start);
        long before = vcpu.instructions();
        stopped = false;
        var done = new CompletableFuture<RunResult>();
        var _ = done.orTimeout(limit.toMillis(), TimeUnit.MILLISECONDS).whenComplete((result, failure) -> {
            if (failure != null) {
                vcpu.kick();
            }
        });
        if (program.interrupted()) {
            interruptions.begin();
        }
        RunResult result = vcpu.run();
        interruptions.end();
        done.complete(result);
        return outcome(entries, stopped ? Optional.of(result) : Optional.empty(), vcpu.instructions() - before);
    }

    private Outcome outcome(int entries, Optional<RunResult> result, long instructions) {
        byte[] log = new byte[entries * Slot.BYTES];
        memory.read(Layout.LOG_GPA, log);
        byte[] tables = new byte[Layout.TABLES_BYTES];
        memory.read(Layout.TABLES_GPA, tables);
        byte[] code = new byte[Layout.CODE_BYTES];
        memory.read(Layout.CODE_GPA, code);
        var data = new byte[DataPage.values().length][];
        for (DataPage page : DataPage.values()) {
            data[page.ordinal()] = new byte[page.isRam() ? Layout.PAGE : 0];
            if (page.isRam()) {
                memory.read(page.gpa(), data[page.ordinal()]);
            }
        }
        return new Outcome(result, vcpu.state(), log, data, code, tables, List.copyOf(accesses), instructions);
    }

    /// How many interrupts have come so far.
    long interrupts() {
        return interruptions.taken();
    }

    @Override
    public void close() {
        interruptions.close();
        vcpu.close();
        vm.close();
        memory.close();
    }

    /// Answers change with each access; all are noted.
    private final class Devices implements ExitHandler {
        private long note(int kind, long address, int size, long value) {
            turns++;
            accesses.add((long) kind << 60 | (long) size << 56 | address);
            accesses.add(value);
            if (accesses.size() > 2 * MOST_ACCESSES) {
                accesses.clear();
                vcpu.kick();
            }
            return (address + 1 + 0x1_0000L * turns) * 0x9E37_79B9_7F4A_7C15L >>> 64 - 8 * size;
        }

        @Override
        public long readPort(int port, int size) {
            return note(0, port, size, 0);
        }

        @Override
        public void writePort(int port, int size, long value) {
            if (port == Layout.EXIT_PORT) {
                stopped = true;
                vcpu.kick();
            } else {
                note(1, port, size, value & -1L >>> 64 - 8 * size);
            }
        }

        @Override
        public long readMmio(long gpa, int size) {
            return note(2, gpa, size, 0);
        }

        @Override
        public void writeMmio(long gpa, int size, long value) {
            note(3, gpa, size, value & -1L >>> 64 - 8 * size);
        }
    }
}

package org.jvirt.engine.soft.translate.verify;

import static org.jvirt.x86.Mem.mem;
import static org.jvirt.x86.Registers.*;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import org.jvirt.core.ExitHandler;
import org.jvirt.core.GuestMemory;
import org.jvirt.core.Hypervisor;
import org.jvirt.core.TscClock;
import org.jvirt.core.Vcpu;
import org.jvirt.core.Vm;
import org.jvirt.core.VmSpec;
import org.jvirt.core.cpu.Activity;
import org.jvirt.core.cpu.ControlRegisters;
import org.jvirt.core.cpu.CpuFeature;
import org.jvirt.core.cpu.CpuState;
import org.jvirt.core.cpu.DescriptorTable;
import org.jvirt.core.cpu.GeneralRegisters;
import org.jvirt.core.cpu.Segment;
import org.jvirt.core.cpu.SegmentRegisters;
import org.jvirt.testkit.ManualClock;
import org.jvirt.testkit.TestMemory;
import org.jvirt.x86.Assembler;
import org.jvirt.x86.CodeSize;
import org.jvirt.x86.Reg;

/// One processor that executes an access again and again, at level 0 or 3, and logs what faults.
///
/// ```
/// 0x1000  kernel: again ─ body ─ back      0x3000  body
/// 0x2_0000  GDT, IDT, task state           0x3_0000  page tables
/// 0x4_0000  stacks, a page each            0x10_0000  log
/// ```
///
/// The body has [#data] in RBX and faults at most once; a fault goes on behind it.
final class FaultMachine implements AutoCloseable {
    static final int ROUNDS = 32;
    /// Pages of data, from [#data] on.
    static final int ABSENT = 0x1000;

    static final int READ_ONLY = 0x2000;
    static final int SUPERVISOR = 0x3000;
    static final int RESERVED = 0x4000;
    static final int NO_EXECUTE = 0x5000;
    static final int LAST = 0x6000;

    private static final long RAM_BYTES = 0x20_0000;
    private static final long CODE = 0x1000;
    private static final long BODY = 0x3000;
    private static final long GDT = 0x2_0000;
    private static final long IDT = 0x2_1000;
    private static final long TASK = 0x2_2000;
    private static final long TABLES = 0x3_0000;
    private static final long HIGH_TABLES = 0x3_6000;
    private static final long TOP_TABLE = 0x3_F000;
    private static final long KERNEL_STACK = 0x4_1000;
    private static final long PROGRAM_STACK = 0x4_3000;
    private static final long FIRST_STACK = 0x4_5000;
    private static final long DOUBLE_FAULT_STACK = 0x4_7000;
    private static final long LOG = 0x10_0000;
    private static final long FRAMES = 0x18_0000;
    private static final long DATA = 0x2345_0000L;
    private static final long BEYOND_MEMORY = 1L << 45;
    private static final int STOP_PORT = 0xF4;
    private static final int KERNEL_CODE = 0x08;
    private static final int KERNEL_DATA = 0x10;
    private static final int PROGRAM_DATA = 0x23;
    private static final int PROGRAM_CODE = 0x2B;
    private static final int BACK_VECTOR = 0x80;
    private static final int LA57 = 1 << 12;
    private static final int SMEP_SMAP = 3 << 20;
    private static final Reg[] LOGGED = {RCX, RSI, RDI, RAX};

    /// What has been logged of a fault. RSP is that of the code, and `stack` that of the handler.
    record Fault(
            long vector,
            long code,
            long rip,
            long cs,
            long flags,
            long rsp,
            long ss,
            long address,
            long stack,
            List<Long> registers) {
        private static final int BYTES = 128;
    }

    /// How it is done.
    ///
    /// @param user   at level 3
    /// @param levels of page tables
    /// @param ist    the stack that the gate of page faults names, or zero
    /// @param smap   whether a supervisor may not touch pages of programs
    /// @param noExecute whether EFER.NXE is set
    record Way(boolean user, int levels, int ist, boolean smap, boolean noExecute) {
        Way(boolean user, int levels, int ist, boolean smap) {
            this(user, levels, ist, smap, true);
        }
    }

    private final GuestMemory memory = TestMemory.ofBytes(RAM_BYTES);
    private final Interruptions interruptions = new Interruptions();
    private final Way way;
    private final long data;
    private final Vm vm;
    private final Vcpu vcpu;
    private final Assembler kernel = new Assembler(CodeSize.CODE64, CODE);
    private final Assembler body = new Assembler(CodeSize.CODE64, BODY);

    FaultMachine(Hypervisor engine, Way way) {
        this.way = way;
        boolean five = way.levels() == 5;
        // not an address of four levels
        data = !five ? DATA : way.user() ? 0x00AB_0000_0000_0000L + DATA : 0xFF11_0000_0000_0000L + DATA;
        Set<CpuFeature> without = EnumSet.noneOf(CpuFeature.class);
        vm = engine.createVm(new VmSpec(
                "faults",
                memory,
                Machine.cpuid(engine, without, five),
                1,
                new TscClock(new ManualClock(), 1_000_000_000L),
                Optional.of(interruptions)));
        vcpu = vm.createVcpu(0, new Ports());
        descriptors();
        pages(five);
    }

    long data() {
        return data;
    }

    private void descriptors() {
        long code = Segment.PRESENT | Segment.S | 0xB | Segment.GRANULARITY | Segment.LONG;
        long flat = Segment.PRESENT | Segment.S | 0x3 | Segment.GRANULARITY | Segment.BIG;
        descriptor(KERNEL_CODE, code);
        descriptor(KERNEL_DATA, flat);
        descriptor(PROGRAM_DATA & ~3, flat | 3 << 5);
        descriptor(PROGRAM_CODE & ~3, code | 3 << 5);
        memory.writeLong(TASK + 4, KERNEL_STACK);
        memory.writeLong(TASK + 36, FIRST_STACK);
        memory.writeLong(TASK + 44, DOUBLE_FAULT_STACK);
    }

    private void descriptor(int selector, long attributes) {
        memory.writeLong(GDT + selector, 0x000F_0000_0000_FFFFL | attributes << 40);
    }

    private void pages(boolean five) {
        var tables = new PageTables(memory, TABLES, 0x6000);
        long used = PageTables.WRITABLE | PageTables.ACCESSED | PageTables.DIRTY;
        for (long at = 0; at < FRAMES; at += Layout.PAGE) {
            boolean program = at == BODY && way.user() || at == PROGRAM_STACK - Layout.PAGE;
            tables.map(at, at, used | (program ? PageTables.USER : 0));
        }
        PageTables upper = five ? new PageTables(memory, HIGH_TABLES, 0x6000) : tables;
        long plain = used | PageTables.USER;
        upper.map(data, FRAMES, plain);
        upper.map(data + READ_ONLY, FRAMES + 0x1000, plain & ~PageTables.WRITABLE);
        upper.map(data + SUPERVISOR, FRAMES + 0x2000, used);
        upper.map(data + RESERVED, BEYOND_MEMORY, plain);
        upper.map(data + NO_EXECUTE, FRAMES + 0x3000, plain | PageTables.NO_EXECUTE);
        upper.map(data + LAST, FRAMES + 0x4000, plain);
        if (five) {
            long rights = PageTables.PRESENT | PageTables.WRITABLE | PageTables.USER;
            memory.writeLong(TOP_TABLE, TABLES | rights);
            memory.writeLong(TOP_TABLE + (data >>> 48 & 511) * 8, HIGH_TABLES | rights);
        }
    }

    /// Has each turn do this, at level 0 or 3.
    List<Fault> run(Consumer<Assembler> access) {
        kernel();
        body.stc();
        access.accept(body);
        body.label("after");
        if (way.user()) {
            body.int_(BACK_VECTOR);
        } else {
            body.mov(RAX, kernel.address("back")).jmp(RAX);
        }
        kernel.label("resume")
                .mov(R14, body.address("after"))
                .mov(mem(RSP).disp(16).qword(), R14);
        kernel.add(RSP, 16).iretq();
        memory.write(CODE, kernel.assemble());
        memory.write(BODY, body.assemble());
        for (int vector : new int[] {8, 13, 14, BACK_VECTOR}) {
            gate(vector);
        }
        vcpu.load(state());
        vcpu.run();
        return log();
    }

    /// What the engine tells of its work.
    String statistics() {
        return vcpu.statistics();
    }

    private void gate(int vector) {
        long target = kernel.address("vector" + vector);
        int stack = vector == 14 ? way.ist() : vector == 8 ? 2 : 0;
        long attributes = 0x8E00 | stack | (vector == BACK_VECTOR ? 3 << 13 : 0);
        long at = IDT + 16L * vector;
        memory.writeLong(at, target & 0xFFFF | (long) KERNEL_CODE << 16 | attributes << 32 | (target >>> 16) << 48);
    }

    private void kernel() {
        kernel.mov(R12, ROUNDS).mov(R13, LOG);
        if (way.smap()) {
            kernel.mov(RAX, CR4).or(EAX, SMEP_SMAP).mov(CR4, RAX);
        }
        kernel.label("again").mov(RBX, data).mov(RAX, 0x1122_3344_5566_7788L);
        kernel.mov(ECX, 64).mov(RSI, data).mov(RDI, data + LAST);
        if (way.user()) {
            kernel.push(PROGRAM_DATA).mov(RDX, PROGRAM_STACK - 64).push(RDX).push(0x202);
            kernel.push(PROGRAM_CODE).push((int) BODY).iretq();
        } else {
            kernel.mov(RSP, KERNEL_STACK - 264).mov(RDX, BODY).jmp(RDX);
        }
        kernel.label("vector" + BACK_VECTOR);
        kernel.label("back").mov(RSP, KERNEL_STACK).dec(R12).jnz("again");
        kernel.out(STOP_PORT, AL);
        for (int vector : new int[] {8, 13, 14}) {
            kernel.label("vector" + vector).push(vector).jmp("log");
        }
        kernel.label("log");
        for (int i = 0; i < 7; i++) {
            kernel.mov(R14, mem(RSP).disp(8 * i).qword())
                    .mov(mem(R13).disp(8 * i).qword(), R14);
        }
        kernel.mov(R14, CR2)
                .mov(mem(R13).disp(56).qword(), R14)
                .mov(mem(R13).disp(64).qword(), RSP);
        for (int i = 0; i < LOGGED.length; i++) {
            kernel.mov(mem(R13).disp(72 + 8 * i).qword(), LOGGED[i]);
        }
        kernel.add(R13, Fault.BYTES);
    }

    private List<Fault> log() {
        var found = new ArrayList<Fault>();
        for (long at = LOG; memory.readLong(at) != 0; at += Fault.BYTES) {
            long[] words = new long[13];
            for (int i = 0; i < words.length; i++) {
                words[i] = memory.readLong(at + 8L * i);
            }
            found.add(new Fault(
                    words[0],
                    words[1],
                    words[2],
                    words[3],
                    words[4],
                    words[5],
                    words[6],
                    words[7],
                    words[8],
                    List.of(words[9], words[10], words[11], words[12])));
        }
        return found;
    }

    private CpuState state() {
        CpuState reset = CpuState.reset(Activity.RUNNING, 0);
        var code = Segment.flat(KERNEL_CODE, Segment.PRESENT | Segment.S | 0xB | Segment.GRANULARITY | Segment.LONG);
        var flat = Segment.flat(KERNEL_DATA, Segment.PRESENT | Segment.S | 0x3 | Segment.GRANULARITY | Segment.BIG);
        var program = Segment.flat(
                PROGRAM_DATA, Segment.PRESENT | Segment.S | 0x3 | Segment.GRANULARITY | Segment.BIG | 3 << 5);
        var task = new Segment(0x30, TASK, 0x67, Segment.PRESENT | 0xB);
        long[] registers = new long[16];
        registers[4] = KERNEL_STACK;
        boolean five = way.levels() == 5;
        return reset.with(GeneralRegisters.of(registers, CODE, 2))
                .with(new SegmentRegisters(
                        program,
                        code,
                        flat,
                        program,
                        program,
                        program,
                        reset.segments().ldt(),
                        task,
                        new DescriptorTable(GDT, 0x3F),
                        new DescriptorTable(IDT, 0xFFF)))
                .with(new ControlRegisters(
                        Kernel.USUAL_CR0,
                        0,
                        five ? TOP_TABLE : TABLES,
                        Kernel.USUAL_CR4 | (five ? LA57 : 0),
                        0,
                        way.noExecute() ? 0xD01 : 0x501,
                        Kernel.USUAL_XCR0));
    }

    @Override
    public void close() {
        interruptions.close();
        vcpu.close();
        vm.close();
        memory.close();
    }

    private final class Ports implements ExitHandler {
        @Override
        public long readPort(int port, int size) {
            return 0;
        }

        @Override
        public void writePort(int port, int size, long value) {
            if (port == STOP_PORT) {
                vcpu.kick();
            }
        }

        @Override
        public long readMmio(long gpa, int size) {
            return 0;
        }

        @Override
        public void writeMmio(long gpa, int size, long value) {
            // no registers
        }
    }
}

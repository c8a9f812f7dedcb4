package org.jvirt.engine.soft.oracle;

import java.util.Optional;
import java.util.TreeMap;
import org.jvirt.core.GuestMemory;
import org.jvirt.core.TscClock;
import org.jvirt.core.VmSpec;
import org.jvirt.core.cpu.Activity;
import org.jvirt.core.cpu.ControlRegisters;
import org.jvirt.core.cpu.CpuState;
import org.jvirt.core.cpu.CpuidTable;
import org.jvirt.core.cpu.DebugRegisters;
import org.jvirt.core.cpu.DescriptorTable;
import org.jvirt.core.cpu.GeneralRegisters;
import org.jvirt.core.cpu.PendingEvents;
import org.jvirt.core.cpu.Segment;
import org.jvirt.core.cpu.SegmentRegisters;
import org.jvirt.core.cpu.XsaveArea;
import org.jvirt.engine.soft.cpu.Control;
import org.jvirt.engine.soft.cpu.Cpu;
import org.jvirt.engine.soft.cpu.CpuStates;
import org.jvirt.engine.soft.cpu.GuestFault;
import org.jvirt.engine.soft.cpu.Op;
import org.jvirt.engine.soft.cpu.Processors;
import org.jvirt.engine.soft.cpu.Segments;
import org.jvirt.testkit.ManualClock;
import org.jvirt.testkit.QuietMachine;
import org.jvirt.testkit.TestMemory;
import org.jvirt.x86.CodeSize;

/// The interpreter's processor in user mode, 64-bit or compatibility mode, with the memory of [TestLayout]:
/// executes one operation and shows what became of everything.
final class InterpretedProcessor implements AutoCloseable {
    private static final long CODE_GPA = 0x1000;
    private static final long DATA_GPA = 0x4000;
    private static final long TABLES = 0x8000;
    private static final long USER_WRITABLE = 7;
    private static final int EXTENDED_BYTES = 576 + 256;
    private static final long ALL_COMPONENTS = 7;
    /// A limit that leaves no room for the map of permitted ports.
    private static final long TSS_WITHOUT_PORTS = 0x40;

    /// Nothing was thrown.
    static final int NO_FAULT = -1;

    private final CodeSize codeSize;
    private final GuestMemory memory = TestMemory.ofBytes(1 << 20);
    private final Cpu cpu;
    private final byte[] extended = new byte[EXTENDED_BYTES];
    private long faultAddress;

    InterpretedProcessor(CodeSize codeSize, CpuidTable cpuid) {
        this.codeSize = codeSize;
        buildPageTables();
        var spec = new VmSpec(
                "oracle",
                memory,
                cpuid,
                1,
                new TscClock(new ManualClock(), 1_000_000_000L),
                Optional.of(QuietMachine.interrupts()));
        cpu = new Processors(spec, QuietMachine.interrupts()).create(0, QuietMachine.exits());
        CpuStates.load(cpu, initial(XsaveArea.initial()));
    }

    Cpu cpu() {
        return cpu;
    }

    private void buildPageTables() {
        memory.writeLong(TABLES, TABLES + 0x1000 | USER_WRITABLE);
        memory.writeLong(TABLES + 0x1000, TABLES + 0x2000 | USER_WRITABLE);
        map(TestLayout.CODE, CODE_GPA, TestLayout.CODE_BYTES, TABLES + 0x3000);
        map(TestLayout.DATA, DATA_GPA, TestLayout.DATA_BYTES, TABLES + 0x4000);
    }

    private void map(long gva, long gpa, int bytes, long table) {
        memory.writeLong(TABLES + 0x2000 + (gva >>> 21) * 8, table | USER_WRITABLE);
        for (int i = 0; i < bytes; i += 0x1000) {
            memory.writeLong(table + (gva + i >>> 12 & 511) * 8, gpa + i | USER_WRITABLE);
        }
    }

    private CpuState initial(XsaveArea area) {
        int data = Segment.PRESENT | Segment.S | 3 | 3 << 5 | Segment.BIG | Segment.GRANULARITY;
        int size = codeSize.isLong() ? Segment.LONG : Segment.BIG;
        int code = Segment.PRESENT | Segment.S | 0xB | 3 << 5 | size | Segment.GRANULARITY;
        Segment user = Segment.flat(0x2b, data);
        Segment nullInCompatibilityMode = codeSize.isLong() ? user : new Segment(0, 0, 0, Segment.UNUSABLE);
        Segment none = new Segment(0, 0, 0xffff_ffffL, Segment.UNUSABLE);
        var table = new DescriptorTable(0, 0);
        return new CpuState(
                GeneralRegisters.of(new long[16], TestLayout.CODE, 0x202),
                new SegmentRegisters(
                        user,
                        Segment.flat(codeSize.isLong() ? 0x33 : 0x23, code),
                        user,
                        user,
                        user,
                        nullInCompatibilityMode,
                        none,
                        new Segment(0x40, 0, TSS_WITHOUT_PORTS, Segment.PRESENT | 0xB),
                        table,
                        table),
                new ControlRegisters(
                        Control.PE | Control.MP | Control.ET | Control.NE | Control.WP | Control.PG,
                        0,
                        TABLES,
                        Control.PAE | Control.OSFXSR | Control.OSXMMEXCPT | Control.FSGSBASE | Control.OSXSAVE,
                        0,
                        Control.EFER_SCE | Control.EFER_LME | Control.EFER_LMA | Control.EFER_NXE,
                        ALL_COMPONENTS),
                new DebugRegisters(0, 0, 0, 0, 0xffff_0ff0L, 0x400),
                area,
                new TreeMap<>(),
                PendingEvents.NONE,
                Activity.RUNNING);
    }

    void loadCode(byte[] code) {
        memory.write(CODE_GPA, code);
    }

    void loadData(MachineState state) {
        memory.write(DATA_GPA, state.data);
    }

    void readData(MachineState state) {
        memory.read(DATA_GPA, state.data);
    }

    void loadExtended(MachineState state) {
        System.arraycopy(state.extended, 0, extended, 0, EXTENDED_BYTES);
        extended[512] = (byte) ALL_COMPONENTS;
        for (int i = 513; i < 576; i++) {
            extended[i] = 0;
        }
        CpuStates.load(cpu, initial(new XsaveArea(extended)));
    }

    void readExtended(MachineState state) {
        byte[] saved = CpuStates.save(cpu).extended().bytes();
        System.arraycopy(saved, 0, state.extended, 0, Math.min(saved.length, state.extended.length));
    }

    /// Executes one operation on the general registers of `state`; with `repeated` until a repeated string
    /// instruction has ended.
    ///
    /// @return the vector of the fault it threw, or [#NO_FAULT]
    int execute(MachineState state, Op op, boolean repeated) {
        System.arraycopy(state.general, 0, cpu.r, 0, 16);
        cpu.setRflags(state.flags);
        cpu.segments.base[Segments.FS] = state.fsBase;
        cpu.segments.base[Segments.GS] = state.gsBase;
        cpu.leave = false;
        int vector;
        long start = state.rip;
        do {
            cpu.blockRip = start;
            cpu.r[Cpu.BLOCK_RIP] = start;
            cpu.rip = start + op.nextOffset();
            vector = faultOf(op);
        } while (repeated && vector == NO_FAULT && cpu.rip == start);
        System.arraycopy(cpu.r, 0, state.general, 0, 16);
        state.rip = vector == NO_FAULT ? cpu.rip : start;
        state.flags = cpu.rflags() & ~MachineState.UNTOLD_FLAGS;
        state.fsBase = cpu.segments.base(Segments.FS);
        state.gsBase = cpu.segments.base(Segments.GS);
        return vector;
    }

    /// The linear address of the last page fault.
    long faultAddress() {
        return faultAddress;
    }

    private int faultOf(Op op) {
        try {
            op.execute(cpu);
            return NO_FAULT;
        } catch (GuestFault fault) {
            faultAddress = fault.payload();
            return fault.vector();
        }
    }

    @Override
    public void close() {
        memory.close();
    }
}

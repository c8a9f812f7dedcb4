package org.jvirt.engine.soft.translate.memory;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.jvirt.engine.soft.cpu.Cpu;
import org.jvirt.engine.soft.cpu.Flags;
import org.jvirt.engine.soft.cpu.Signals;
import org.jvirt.engine.soft.translate.emit.StateLayout;
import org.jvirt.linux.HostMemory;

/// The native memory of one processor that generated code works on, laid out as [StateLayout] says.
///
/// Owner thread only, except [#request].
public final class StateBlock implements Signals.Listener, AutoCloseable {
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG;
    private static final int HOST_REGISTERS = 13;

    private final HostMemory memory;
    private final MemorySegment state;
    private final SystemState system;
    /// Guarded by this.
    private boolean closed;

    public StateBlock(Cpu cpu) {
        memory = HostMemory.allocate("jvirt-vcpu" + cpu.index(), (long) StateLayout.STACK + StateLayout.SIZE);
        state = memory.segment().asSlice(StateLayout.STACK, StateLayout.SIZE);
        setInt(StateLayout.VECTORS_ABSENT, 1);
        setInt(StateLayout.X87_ABSENT, 1);
        setLong(StateLayout.STACK_MASK, ~0xFF8L);
        setLong(StateLayout.STACK_MASK_32, ~0xFFCL);
        setLong(StateLayout.CANONICAL_BIAS, 1L << 47);
        setLong(StateLayout.CANONICAL_MASK, -1L << 48);
        setLong(StateLayout.INDEX_MASK, (StateLayout.TLB_ENTRIES - 1L) << 12);
        system = new SystemState(this, cpu);
    }

    /// From RSP upwards.
    public MemorySegment segment() {
        return state;
    }

    /// What RSP is in generated code.
    public long address() {
        return state.address();
    }

    public int getInt(int place) {
        return state.get(INT, place);
    }

    public void setInt(int place, int value) {
        state.set(INT, place, value);
    }

    public long getLong(int place) {
        return state.get(LONG, place);
    }

    public void setLong(int place, long value) {
        state.set(LONG, place, value);
    }

    @Override
    public synchronized void requested() {
        if (!closed) {
            // the thread reads it in a loop; x86 needs no fence for it to see it soon
            state.set(INT, StateLayout.REQUEST, 1);
        }
    }

    @Override
    public void taken() {
        state.set(INT, StateLayout.REQUEST, 0);
    }

    /// Copies general registers, flags and what system instructions need here.
    public void enter(Cpu cpu) {
        MemorySegment.copy(cpu.r, 0, state, LONG, StateLayout.REGISTERS, HOST_REGISTERS);
        MemorySegment.copy(cpu.r, HOST_REGISTERS, state, LONG, StateLayout.R13, 3);
        int flags = cpu.flags.pack();
        setInt(StateLayout.FLAGS, SystemState.inAx(flags));
        system.enter();
    }

    /// Copies general registers, flags and what system instructions may have changed back.
    ///
    /// @param flagsAt [StateLayout#FLAGS] or [StateLayout#SAVED_FLAGS]
    public void leave(Cpu cpu, int flagsAt) {
        setInt(StateLayout.X87_ABSENT, 1);
        MemorySegment.copy(state, LONG, StateLayout.REGISTERS, cpu.r, 0, HOST_REGISTERS);
        MemorySegment.copy(state, LONG, StateLayout.R13, cpu.r, HOST_REGISTERS, 3);
        int ax = getInt(flagsAt);
        cpu.flags.unpack(ax >> 8 & 0xFF & Flags.MASK | (ax & 1) << 11);
        system.leave();
    }

    /// From now on page tables are walked in Java only.
    public void leaveWalks() {
        system.leaveWalks();
    }

    /// Whenever generated code has come back, before anything else: makes its rights the processor's.
    public void adoptRights() {
        system.adoptRights();
    }

    @Override
    public synchronized void close() {
        closed = true;
        memory.close();
    }
}

package org.jvirt.engine.soft.oracle;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jvirt.linux.TracedProcess;

/// The host's own processor, running one instruction at a time in a traced child: the oracle.
///
/// All calls belong to the thread that made it.
final class HostProcessor implements AutoCloseable {
    // struct user_regs_struct, in 64-bit words.
    private static final int[] GENERAL_WORDS = {10, 11, 12, 5, 19, 4, 13, 14, 9, 8, 7, 6, 3, 2, 1, 0};
    private static final int ORIG_RAX_WORD = 15;
    private static final int RIP_WORD = 16;
    private static final int FLAGS_WORD = 18;
    private static final int FS_BASE_WORD = 21;
    private static final int GS_BASE_WORD = 22;
    private static final int WORDS = 27;
    private static final int SIGTRAP = 5;
    private static final int XSTATE_BV = 512;

    private final Path program;
    private final TracedProcess process;
    private final byte[] words = new byte[WORDS * 8];
    private final ByteBuffer registers = ByteBuffer.wrap(words).order(ByteOrder.LITTLE_ENDIAN);
    private final byte[] xstate = new byte[8192];
    private final int xstateBytes;
    private final byte[] memory = new byte[TestLayout.DATA_BYTES];

    HostProcessor() throws IOException {
        program = TinyElf.write();
        process = TracedProcess.start(program);
        process.readRegisters(TracedProcess.GENERAL_REGISTERS, words);
        xstateBytes = process.readRegisters(TracedProcess.EXTENDED_STATE, xstate);
    }

    void loadCode(long address, byte[] code) {
        process.writeMemory(address, code);
    }

    void loadData(MachineState state) {
        process.writeMemory(TestLayout.DATA, state.data);
    }

    void loadExtended(MachineState state) {
        System.arraycopy(state.extended, 0, xstate, 0, state.extended.length);
        ByteBuffer.wrap(xstate).order(ByteOrder.LITTLE_ENDIAN).putLong(XSTATE_BV, 7);
        process.writeRegisters(TracedProcess.EXTENDED_STATE, xstate, xstateBytes);
    }

    /// Loads the general registers, runs one instruction and reads what became of them. The signal number tells what
    /// happened: 5 for a step without a fault.
    TracedProcess.Stop step(MachineState state) {
        return step(state, false);
    }

    /// As [#step(MachineState)]; with `repeated` goes on until a repeated string instruction has ended, because the
    /// processor traps after each iteration.
    TracedProcess.Stop step(MachineState state, boolean repeated) {
        long start = state.rip;
        for (int i = 0; i < 16; i++) {
            registers.putLong(GENERAL_WORDS[i] * 8, state.general[i]);
        }
        registers.putLong(ORIG_RAX_WORD * 8, -1);
        registers.putLong(RIP_WORD * 8, state.rip);
        registers.putLong(FLAGS_WORD * 8, state.flags);
        registers.putLong(FS_BASE_WORD * 8, state.fsBase);
        registers.putLong(GS_BASE_WORD * 8, state.gsBase);
        process.writeRegisters(TracedProcess.GENERAL_REGISTERS, words, words.length);
        TracedProcess.Stop stop;
        do {
            stop = process.step();
            process.readRegisters(TracedProcess.GENERAL_REGISTERS, words);
        } while (repeated && stop.signal() == SIGTRAP && registers.getLong(RIP_WORD * 8) == start);
        for (int i = 0; i < 16; i++) {
            state.general[i] = registers.getLong(GENERAL_WORDS[i] * 8);
        }
        state.rip = registers.getLong(RIP_WORD * 8);
        state.flags = registers.getLong(FLAGS_WORD * 8) & ~MachineState.UNTOLD_FLAGS;
        state.fsBase = registers.getLong(FS_BASE_WORD * 8);
        state.gsBase = registers.getLong(GS_BASE_WORD * 8);
        return stop;
    }

    void readData(MachineState state) {
        process.readMemory(TestLayout.DATA, memory);
        System.arraycopy(memory, 0, state.data, 0, memory.length);
    }

    /// Reads x87, SSE and AVX state; components that the processor reports as initial are filled in as such.
    void readExtended(MachineState state) {
        process.readRegisters(TracedProcess.EXTENDED_STATE, xstate);
        System.arraycopy(xstate, 0, state.extended, 0, state.extended.length);
    }

    @Override
    public void close() throws IOException {
        process.close();
        Files.deleteIfExists(program);
    }
}

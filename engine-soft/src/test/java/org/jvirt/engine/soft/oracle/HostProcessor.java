package org.jvirt.engine.soft.oracle;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jvirt.linux.TracedProcess;
import org.jvirt.x86.CodeSize;

/// The host's own processor, running one instruction at a time in a traced child: the oracle.
///
/// The child is a 64-bit program. For 32-bit code its CS becomes the kernel's segment for 32-bit programs; from
/// then on the kernel shows its registers as those of a 32-bit process: lower halves of the first eight.
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
    // struct user_regs_struct of i386, in 32-bit words.
    private static final int[] GENERAL_WORDS_32 = {6, 1, 2, 0, 15, 5, 3, 4};
    private static final int DS_WORD_32 = 7;
    private static final int ES_WORD_32 = 8;
    private static final int FS_WORD_32 = 9;
    private static final int GS_WORD_32 = 10;
    private static final int ORIG_EAX_WORD_32 = 11;
    private static final int EIP_WORD_32 = 12;
    private static final int FLAGS_WORD_32 = 14;
    private static final int WORDS_32 = 17;
    private static final int CS_WORD = 17;
    private static final int USER_CS_32 = 0x23;
    private static final int USER_DS = 0x2b;
    private static final int SIGTRAP = 5;
    private static final int XSTATE_BV = 512;

    private final CodeSize codeSize;
    private final Path program;
    private final TracedProcess process;
    private final byte[] words = new byte[WORDS * 8];
    private final ByteBuffer registers = ByteBuffer.wrap(words).order(ByteOrder.LITTLE_ENDIAN);
    private final byte[] xstate = new byte[8192];
    private final int xstateBytes;
    private final byte[] memory = new byte[TestLayout.DATA_BYTES];

    HostProcessor(CodeSize codeSize) throws IOException {
        this.codeSize = codeSize;
        program = TinyElf.write();
        process = TracedProcess.start(program);
        process.readRegisters(TracedProcess.GENERAL_REGISTERS, words);
        if (!codeSize.isLong()) {
            enter32BitCode();
        }
        xstateBytes = process.readRegisters(TracedProcess.EXTENDED_STATE, xstate);
    }

    /// FS becomes a flat segment, GS stays null: memory operands with that override fault.
    private void enter32BitCode() {
        registers.putLong(CS_WORD * 8, USER_CS_32);
        process.writeRegisters(TracedProcess.GENERAL_REGISTERS, words, words.length);
        int length = process.readRegisters(TracedProcess.GENERAL_REGISTERS, words);
        if (length != WORDS_32 * 4) {
            throw new IllegalStateException("The kernel shows %d bytes of 32-bit registers".formatted(length));
        }
        registers.putInt(DS_WORD_32 * 4, USER_DS);
        registers.putInt(ES_WORD_32 * 4, USER_DS);
        registers.putInt(FS_WORD_32 * 4, USER_DS);
        registers.putInt(GS_WORD_32 * 4, 0);
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

    /// Loads the general registers, runs one instruction and reads what became of them. The signal number tells
    /// what happened: 5 for a step without a fault.
    TracedProcess.Stop step(MachineState state) {
        return step(state, false);
    }

    /// As [#step(MachineState)]; with `repeated` goes on until a repeated string instruction has ended, because the
    /// processor traps after each iteration.
    TracedProcess.Stop step(MachineState state, boolean repeated) {
        long start = state.rip;
        if (codeSize.isLong()) {
            load64(state);
        } else {
            load32(state);
        }
        TracedProcess.Stop stop;
        do {
            stop = process.step();
            process.readRegisters(TracedProcess.GENERAL_REGISTERS, words);
        } while (repeated && stop.signal() == SIGTRAP && instructionPointer() == start);
        if (codeSize.isLong()) {
            save64(state);
        } else {
            save32(state);
        }
        state.rip = instructionPointer();
        state.flags &= ~MachineState.UNTOLD_FLAGS;
        return stop;
    }

    private long instructionPointer() {
        return codeSize.isLong()
                ? registers.getLong(RIP_WORD * 8)
                : Integer.toUnsignedLong(registers.getInt(EIP_WORD_32 * 4));
    }

    private void load64(MachineState state) {
        for (int i = 0; i < 16; i++) {
            registers.putLong(GENERAL_WORDS[i] * 8, state.general[i]);
        }
        registers.putLong(ORIG_RAX_WORD * 8, -1);
        registers.putLong(RIP_WORD * 8, state.rip);
        registers.putLong(FLAGS_WORD * 8, state.flags);
        registers.putLong(FS_BASE_WORD * 8, state.fsBase);
        registers.putLong(GS_BASE_WORD * 8, state.gsBase);
        process.writeRegisters(TracedProcess.GENERAL_REGISTERS, words, words.length);
    }

    private void save64(MachineState state) {
        for (int i = 0; i < 16; i++) {
            state.general[i] = registers.getLong(GENERAL_WORDS[i] * 8);
        }
        state.flags = registers.getLong(FLAGS_WORD * 8);
        state.fsBase = registers.getLong(FS_BASE_WORD * 8);
        state.gsBase = registers.getLong(GS_BASE_WORD * 8);
    }

    private void load32(MachineState state) {
        for (int i = 0; i < 8; i++) {
            registers.putInt(GENERAL_WORDS_32[i] * 4, (int) state.general[i]);
        }
        registers.putInt(ORIG_EAX_WORD_32 * 4, -1);
        registers.putInt(EIP_WORD_32 * 4, (int) state.rip);
        registers.putInt(FLAGS_WORD_32 * 4, (int) state.flags);
        process.writeRegisters(TracedProcess.GENERAL_REGISTERS, words, WORDS_32 * 4);
    }

    private void save32(MachineState state) {
        for (int i = 0; i < 8; i++) {
            state.general[i] = Integer.toUnsignedLong(registers.getInt(GENERAL_WORDS_32[i] * 4));
        }
        state.flags = Integer.toUnsignedLong(registers.getInt(FLAGS_WORD_32 * 4));
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

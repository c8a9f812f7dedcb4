package org.jvirt.engine.soft.translate.emit;

import static org.jvirt.engine.soft.translate.emit.BlockEmitter.R13;
import static org.jvirt.engine.soft.translate.emit.BlockEmitter.RAX;
import static org.jvirt.engine.soft.translate.emit.BlockEmitter.RCX;
import static org.jvirt.engine.soft.translate.emit.BlockEmitter.RDX;
import static org.jvirt.engine.soft.translate.emit.BlockEmitter.RSP;

import org.jvirt.x86.CodeWriter;

/// Code for indirect branches whose place in the jump table is empty or another's: looks into the table of targets.
///
/// An entry counts while its generation holds, so that nothing needs to be cleared when an address space comes or
/// goes, and in another generation once the page is known to be the same there. RCX and R13 are used, flags stay.
final class TargetCode {
    private static final int NONE = -1;
    private static final int STORE = 0x89;
    private static final int MULTIPLY = 0x69;
    private static final int MOVZX_WORD = 0x0FB7;
    private static final int GROUP_5 = 0xFF;
    private static final int HELD_FLAGS = StateLayout.WALK_HELD + 16;
    private static final int SHIFT = 5;

    private TargetCode() {}

    /// Writes the search for the address in RCX; if `other`, it is counted from the negative of R13. Behind it goes
    /// on, with the address in RCX, what has not been found.
    static void write(CodeWriter w, int context, boolean other) {
        int table = StateLayout.targets(context);
        w.store(8, RAX, RSP, StateLayout.WALK_HELD);
        w.store(8, RDX, RSP, StateLayout.WALK_HELD + 8);
        w.flagsToRax();
        w.store(4, RAX, RSP, HELD_FLAGS);
        if (other) {
            w.arithmeticRegister(CodeWriter.SUB, 8, RCX, R13);
        }
        w.registers(MULTIPLY, 4, R13, RCX);
        w.int4(StateLayout.TARGET_FACTOR);
        w.shift(CodeWriter.SHR, 4, R13, 32 - StateLayout.TARGET_BITS);
        w.shift(CodeWriter.SHL, 4, R13, SHIFT);
        w.arithmeticMemory(CodeWriter.CMP, 8, RCX, RSP, R13, table);
        int absent = w.jumpIf(CodeWriter.NOT_EQUAL);
        w.load(8, RAX, RSP, R13, 0, table + StateLayout.TARGET_GENERATION);
        w.arithmeticMemory(CodeWriter.CMP, 8, RAX, RSP, NONE, StateLayout.GLOBAL_GENERATION);
        int global = w.jumpIf(CodeWriter.EQUAL);
        w.arithmeticMemory(CodeWriter.CMP, 8, RAX, RSP, NONE, StateLayout.LOCAL_GENERATION);
        int local = w.jumpIf(CodeWriter.EQUAL);
        int[] doubts = renew(w, context, table);
        w.here(local);
        w.here(global);
        w.load(8, R13, RSP, R13, 0, table + StateLayout.TARGET_CODE);
        w.store(8, R13, RSP, StateLayout.ENTRY);
        if (!other) {
            remember(w, context);
        }
        restore(w);
        w.jumpMemory(RSP, NONE, 0, StateLayout.ENTRY);
        w.here(absent);
        for (int doubt : doubts) {
            w.here(doubt);
        }
        restore(w);
    }

    /// Makes the entry at R13 one of this generation if its page is there in it. Answers the jumps for where not.
    private static int[] renew(CodeWriter w, int context, int table) {
        int[] doubts = new int[3];
        int pages = StateLayout.codePages(context);
        w.move32(RDX, RCX);
        w.shift(CodeWriter.SHR, 4, RDX, 12);
        w.arithmetic(CodeWriter.AND, 4, RDX, (1 << StateLayout.CODE_PAGE_BITS) - 1);
        w.shift(CodeWriter.SHL, 4, RDX, StateLayout.CODE_PAGE_SHIFT);
        w.move(RAX, RCX);
        w.arithmetic(CodeWriter.AND, 8, RAX, -4096);
        w.arithmeticMemory(CodeWriter.CMP, 8, RAX, RSP, RDX, pages);
        doubts[0] = w.jumpIf(CodeWriter.NOT_EQUAL);
        w.load(8, RAX, RSP, R13, 0, table + StateLayout.TARGET_PAGE);
        w.arithmeticMemory(CodeWriter.CMP, 8, RAX, RSP, RDX, pages + StateLayout.CODE_PAGE_BACKING);
        doubts[1] = w.jumpIf(CodeWriter.NOT_EQUAL);
        w.load(8, RAX, RSP, NONE, 0, StateLayout.LOCAL_GENERATION);
        w.arithmeticMemory(CodeWriter.CMP, 8, RAX, RSP, RDX, pages + StateLayout.CODE_PAGE_GENERATION);
        doubts[2] = w.jumpIf(CodeWriter.NOT_EQUAL);
        w.store(8, RAX, RSP, R13, table + StateLayout.TARGET_GENERATION);
        return doubts;
    }

    /// Puts the code in R13 into the jump table.
    private static void remember(CodeWriter w, int context) {
        w.load(4, RDX, RSP, StateLayout.JUMP_COUNT);
        w.arithmetic(CodeWriter.CMP, 4, RDX, StateLayout.MOST_JUMPS);
        int full = w.jumpIf(CodeWriter.ABOVE_EQUAL);
        w.registers(MOVZX_WORD, 4, RAX, RCX);
        w.lea(4, RAX, RAX, NONE, 0, context * StateLayout.JUMP_ENTRIES);
        w.memory(STORE, 4, RAX, RSP, RDX, 2, StateLayout.JUMP_LOG);
        w.memory(GROUP_5, 4, 0, RSP, NONE, 0, StateLayout.JUMP_COUNT);
        w.memory(STORE, 8, R13, RSP, RAX, 3, StateLayout.JUMPS);
        w.here(full);
    }

    private static void restore(CodeWriter w) {
        w.load(4, RAX, RSP, HELD_FLAGS);
        w.flagsFromRax();
        w.load(8, RAX, RSP, StateLayout.WALK_HELD);
        w.load(8, RDX, RSP, StateLayout.WALK_HELD + 8);
    }
}

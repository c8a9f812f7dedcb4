package org.jvirt.engine.soft.translate.emit;

import static org.jvirt.engine.soft.translate.emit.BlockEmitter.R13;
import static org.jvirt.engine.soft.translate.emit.BlockEmitter.RAX;
import static org.jvirt.engine.soft.translate.emit.BlockEmitter.RCX;
import static org.jvirt.engine.soft.translate.emit.BlockEmitter.RDX;
import static org.jvirt.engine.soft.translate.emit.BlockEmitter.RSP;

import org.jvirt.x86.CodeWriter;

/// Code that fills entries of single pages from the TLB: those of the stack, and those of accesses in loops.
///
/// It is called with the failed check's distance from the entry's page in RCX, and answers with ZF set if the entry
/// has another page now, so that the check is worth another try. RCX, R13 and flags are used. If the page is not in
/// the TLB, or was the right one already (the access goes beyond it), the entry stays.
final class Probes {
    private static final int ADD_FROM_MEMORY = 0x03;
    private static final int COMPARE_MEMORY = 0x3B;
    private static final int NONE = -1;
    private static final int PAGE = 4096;
    /// From RSP to the state block: the return address, and then the registers saved.
    private static final int CALLED = 8;

    private static final int SAVED = 24;

    private Probes() {}

    /// The page of the stack for writes, whose entry has the negated address of it.
    static int stack(CodeWriter w, int context) {
        int start = w.size();
        int entry = StateLayout.stackPage(context, true);
        int table = SAVED + StateLayout.write(context);
        w.arithmeticMemory(CodeWriter.SUB, 8, RCX, RSP, NONE, CALLED + entry);
        begin(w);
        int miss = find(w, table);
        w.registers(0xF7, 8, 3, RAX);
        w.memory(COMPARE_MEMORY, 8, RAX, RSP, NONE, 0, SAVED + entry);
        int same = w.jumpIf(CodeWriter.EQUAL);
        w.store(8, RAX, RSP, SAVED + entry);
        w.store(8, RDX, RSP, SAVED + entry + 8);
        end(w, miss, same);
        return start;
    }

    /// The entry that R13 counts from the state block.
    static int site(CodeWriter w, int context, boolean write) {
        int start = w.size();
        int table = SAVED + (write ? StateLayout.write(context) : StateLayout.read(context));
        w.memory(ADD_FROM_MEMORY, 8, RCX, RSP, R13, 0, CALLED);
        begin(w);
        int miss = find(w, table);
        w.memory(COMPARE_MEMORY, 8, RAX, RSP, R13, 0, SAVED);
        int same = w.jumpIf(CodeWriter.EQUAL);
        w.store(8, RAX, RSP, R13, SAVED);
        w.store(8, RDX, RSP, R13, SAVED + StateLayout.SITE_DISTANCE);
        w.arithmeticRegister(CodeWriter.ADD, 8, RDX, RAX);
        w.store(8, RDX, RSP, R13, SAVED + StateLayout.SITE_PAGE);
        // inc qword
        w.memory(0xFF, 8, 0, RSP, R13, 0, SAVED + StateLayout.SITE_FILLS);
        w.storeConstant(4, 1, RSP, NONE, SAVED + StateLayout.SITES_FILLED);
        end(w, miss, same);
        return start;
    }

    private static void begin(CodeWriter w) {
        w.push(RAX);
        w.push(RDX);
    }

    /// Finds the address in RCX: RAX becomes its page, RDX the distance of the host's. Answers the jump of a miss.
    private static int find(CodeWriter w, int table) {
        w.move(RAX, RCX);
        w.arithmetic(CodeWriter.AND, 8, RAX, -PAGE);
        w.move32(RDX, RCX);
        w.shift(CodeWriter.SHR, 4, RDX, 12);
        w.arithmetic(CodeWriter.AND, 4, RDX, StateLayout.TLB_ENTRIES - 1);
        w.memory(COMPARE_MEMORY, 8, RAX, RSP, RDX, 3, table);
        int miss = w.jumpIf(CodeWriter.NOT_EQUAL);
        w.load(8, RDX, RSP, RDX, 3, table + StateLayout.DELTAS);
        return miss;
    }

    private static void end(CodeWriter w, int miss, int same) {
        w.pop(RDX);
        w.pop(RAX);
        w.arithmeticRegister(CodeWriter.XOR, 4, RCX, RCX);
        w.ret();
        w.here(miss);
        w.here(same);
        w.pop(RDX);
        w.pop(RAX);
        w.registers(0x85, 8, RSP, RSP);
        w.ret();
    }
}

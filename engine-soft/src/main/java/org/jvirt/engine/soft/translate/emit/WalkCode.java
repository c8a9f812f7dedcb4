package org.jvirt.engine.soft.translate.emit;

import static org.jvirt.engine.soft.translate.emit.BlockEmitter.R13;
import static org.jvirt.engine.soft.translate.emit.BlockEmitter.RAX;
import static org.jvirt.engine.soft.translate.emit.BlockEmitter.RCX;
import static org.jvirt.engine.soft.translate.emit.BlockEmitter.RDX;
import static org.jvirt.engine.soft.translate.emit.BlockEmitter.RSP;

import org.jvirt.engine.soft.cpu.Tlb;
import org.jvirt.x86.CodeWriter;

/// Code that walks page tables of four or five levels after a miss, and fills the TLB's entry.
///
/// It only reads: an access whose entries would need their accessed or dirty bits set, or whose tables or page are
/// not in ordinary memory, is left to Java, and so is a write to a page that holds code. One that faults is
/// [FaultCode]'s. Every address that comes from the guest is compared with the guest's memory before it is used.
///
/// ```
/// RCX  linear address      R13  number of the TLB entry      RBX  all entries ANDed
/// RAX  an entry            RDX  offset in the backing memory
/// ```
///
/// Source: Intel SDM volume 3, 4.5 and 4.6.
final class WalkCode {
    private static final int RBX = 3;
    private static final int NONE = -1;

    private static final int PRESENT = 1;
    private static final int WRITABLE = 1 << 1;
    private static final int USER = 1 << 2;
    private static final int ACCESSED = 1 << 5;
    private static final int DIRTY = 1 << 6;
    private static final int LARGE = 1 << 7;
    /// Bits of an entry that must be zero for a page of 2 MiB, and of 1 GiB.
    private static final int RESERVED_2M = 0x1F_E000;

    private static final int RESERVED_1G = 0x3FFF_E000;
    private static final int LOAD = 0x8B;
    private static final int STORE = 0x89;
    private static final int MOVZX_WORD = 0x0FB7;
    private static final int BIT_TEST = 0x0FA3;
    private static final int BIT_SET = 0x0FAB;
    private static final int GROUP_5 = 0xFF;
    private static final int TEST = 0x85;
    private static final int LEAF = StateLayout.WALK_HELD + 24;
    private static final int MOST_DOUBTS = 32;
    private static final int LINE = StateLayout.CODE_LINE_BYTES;
    private static final int LINE_SHIFT = Integer.numberOfTrailingZeros(LINE);
    /// Of so many stores beside code one is Java's.
    private static final int JAVAS_SHARE = 64;

    private static final int PAGE = 4096;

    private final CodeWriter w;
    private final int[] doubts = new int[MOST_DOUBTS];
    private int doubtCount;
    /// Jumps to where a page is there but does not allow the access.
    private final int[] refusals = new int[2];

    private int refusalCount;

    WalkCode(CodeWriter writer) {
        w = writer;
    }

    /// Writes the walk for [StateLayout#MISS_ADDRESS] and the way back to the access at [StateLayout#EXIT_SITE];
    /// behind it goes on what cannot be done here. RCX and R13 are used, and flags unless it is for the stack.
    ///
    /// @param table of the TLB, in which R13 numbers an entry
    /// @param stack the entry of the stack's page that is to be filled from it, for an aligned word, and R13 is yet
    ///     to be found; or -1
    /// @param reason for Java, if it has to deliver a fault
    /// @param fault  the [FaultCode] of these rights
    void write(int context, boolean write, int table, int stack, int reason, int fault) {
        doubtCount = 0;
        refusalCount = 0;
        w.store(8, RAX, RSP, StateLayout.WALK_HELD);
        w.store(8, RDX, RSP, StateLayout.WALK_HELD + 8);
        w.store(8, RBX, RSP, StateLayout.WALK_HELD + 16);
        if (stack != NONE) {
            w.flagsToRax();
            w.store(4, RAX, RSP, StateLayout.WALK_FLAGS);
        }
        w.load(4, RAX, RSP, StateLayout.WALKS);
        w.registers(TEST, 4, RAX, RAX);
        doubtIf(CodeWriter.EQUAL);
        if (write && stack == NONE) {
            w.storeConstant(4, 0, RSP, NONE, StateLayout.SECOND_PAGE);
        }
        int again = w.size();
        w.load(8, RCX, RSP, StateLayout.MISS_ADDRESS);
        w.load(8, RAX, RSP, StateLayout.WALK_BIAS);
        w.lea(8, RAX, RAX, RCX, 0, 0);
        w.arithmeticMemory(CodeWriter.AND, 8, RAX, RSP, NONE, StateLayout.WALK_CANONICAL);
        doubtIf(CodeWriter.NOT_EQUAL);
        w.move(RAX, RCX);
        if (stack != NONE) {
            w.test(4, RAX, 7);
            doubtIf(CodeWriter.NOT_EQUAL);
            w.move32(R13, RCX);
            w.shift(CodeWriter.SHR, 4, R13, 12);
            w.arithmetic(CodeWriter.AND, 4, R13, StateLayout.TLB_ENTRIES - 1);
        }
        // an entry that is there already: the access goes beyond the page, or is not aligned as it must be
        w.arithmetic(CodeWriter.AND, 8, RAX, -PAGE);
        w.memory(CodeWriter.CMP << 3 | 3, 8, RAX, RSP, R13, 3, table);
        int known = w.jumpIf(CodeWriter.EQUAL);
        int[] large = tables();
        w.store(8, RAX, RSP, LEAF);
        w.arithmeticMemory(CodeWriter.AND, 8, RAX, RSP, NONE, StateLayout.WALK_ADDRESS);
        w.test(4, RBX, PRESENT);
        int absent = w.jumpIf(CodeWriter.EQUAL);
        int small = w.jump();
        w.here(large[0]);
        w.compareConstant(4, RSP, StateLayout.WALK_HUGE, 0);
        doubtIf(CodeWriter.EQUAL);
        piece(RESERVED_1G, 30);
        int huge = w.jump();
        w.here(large[1]);
        piece(RESERVED_2M, 21);
        w.here(huge);
        w.test(4, RBX, PRESENT);
        doubtIf(CodeWriter.EQUAL);
        noteLarge();
        w.here(small);
        rights(context, write);
        place();
        int code = 0;
        if (write) {
            w.move(RAX, RDX);
            w.shift(CodeWriter.SHR, 8, RAX, 12);
            w.load(8, RBX, RSP, StateLayout.WALK_CODE_PAGES);
            w.memory(BIT_TEST, 8, RAX, RBX, NONE, 0, 0);
            if (stack == NONE) {
                code = w.jumpIf(CodeWriter.BELOW);
            } else {
                doubtIf(CodeWriter.BELOW);
            }
        }
        fill(table);
        w.memory(GROUP_5, 4, 0, RSP, NONE, 0, StateLayout.WALKED);
        if (stack != NONE) {
            w.here(known);
            fillStack(table, stack);
        }
        w.load(8, RCX, RSP, StateLayout.EXIT_SITE);
        // two bytes behind the return address: how far back the access is
        w.memory(MOVZX_WORD, 4, R13, RCX, NONE, 0, 2);
        w.arithmeticRegister(CodeWriter.SUB, 8, RCX, R13);
        restore(stack != NONE);
        w.registers(GROUP_5, 4, 4, RCX);
        fault(context, write, absent, reason, fault);
        if (stack == NONE) {
            w.here(known);
            goOn(table, write, again);
            if (write) {
                w.here(code);
                passCode(table);
            }
        }
        for (int i = 0; i < doubtCount; i++) {
            w.here(doubts[i]);
        }
        restore(stack != NONE);
    }

    /// The access goes beyond its page, which RAX has, or is not aligned as it must be. If it may cross, and the
    /// next page follows in the host's memory as well, it goes on behind its check.
    ///
    /// @param again where the next page is walked to if it is not known
    private void goOn(int table, boolean write, int again) {
        w.load(8, RBX, RSP, StateLayout.EXIT_SITE);
        w.memory(MOVZX_WORD, 4, RDX, RBX, NONE, 0, 6);
        w.registers(TEST, 4, RDX, RDX);
        doubtIf(CodeWriter.EQUAL);
        w.arithmetic(CodeWriter.ADD, 8, RAX, PAGE);
        // for 32-bit code nothing follows the last page
        w.registers(TEST, 4, RAX, RAX);
        doubtIf(CodeWriter.EQUAL);
        w.lea(4, RDX, R13, NONE, 0, 1);
        w.arithmetic(CodeWriter.AND, 4, RDX, StateLayout.TLB_ENTRIES - 1);
        w.memory(CodeWriter.CMP << 3 | 3, 8, RAX, RSP, RDX, 3, table);
        int unknown = w.jumpIf(CodeWriter.NOT_EQUAL);
        w.memory(LOAD, 8, RAX, RSP, RDX, 3, table + StateLayout.DELTAS);
        w.memory(CodeWriter.CMP << 3 | 3, 8, RAX, RSP, R13, 3, table + StateLayout.DELTAS);
        doubtIf(CodeWriter.NOT_EQUAL);
        goBehind();
        w.here(unknown);
        w.store(8, RAX, RSP, StateLayout.MISS_ADDRESS);
        if (write) {
            w.storeConstant(4, 1, RSP, NONE, StateLayout.SECOND_PAGE);
        }
        w.move32(R13, RDX);
        w.jumpBack(again);
    }

    /// The store is to a page with code, which is at offset RDX and has number RAX. If no code is near, it is done
    /// with an entry for itself alone. Now and then Java does one, and may find that the code is not worth it.
    private void passCode(int table) {
        w.compareConstant(4, RSP, StateLayout.SECOND_PAGE, 0);
        doubtIf(CodeWriter.NOT_EQUAL);
        w.load(8, RBX, RSP, StateLayout.CODE_LINES);
        w.registers(TEST, 8, RBX, RBX);
        doubtIf(CodeWriter.EQUAL);
        w.load(8, RBX, RBX, RAX, 3, 0);
        w.load(8, R13, RSP, StateLayout.EXIT_SITE);
        w.memory(MOVZX_WORD, 4, RAX, R13, NONE, 0, 6);
        w.registers(TEST, 4, RAX, RAX);
        doubtIf(CodeWriter.EQUAL);
        // the longest store from here has its end in this line or the next
        w.move32(RAX, RCX);
        w.arithmetic(CodeWriter.AND, 4, RAX, PAGE - 1);
        w.arithmetic(CodeWriter.CMP, 4, RAX, PAGE - LINE);
        doubtIf(CodeWriter.ABOVE);
        w.shift(CodeWriter.SHR, 4, RAX, LINE_SHIFT);
        w.registers(BIT_TEST, 8, RAX, RBX);
        doubtIf(CodeWriter.BELOW);
        w.lea(4, RAX, RCX, NONE, 0, LINE - 1);
        w.shift(CodeWriter.SHR, 4, RAX, LINE_SHIFT);
        w.registers(BIT_TEST, 8, RAX, RBX);
        doubtIf(CodeWriter.BELOW);
        w.memory(GROUP_5, 4, 0, RSP, NONE, 0, StateLayout.PASSED);
        w.load(4, RAX, RSP, StateLayout.PASSED);
        w.test(4, RAX, JAVAS_SHARE - 1);
        doubtIf(CodeWriter.EQUAL);
        w.arithmeticMemory(CodeWriter.ADD, 8, RDX, RSP, NONE, StateLayout.WALK_BACKING);
        w.move(RAX, RCX);
        w.arithmetic(CodeWriter.AND, 8, RAX, -PAGE);
        w.arithmeticRegister(CodeWriter.SUB, 8, RDX, RAX);
        w.store(8, RAX, RSP, StateLayout.PASSING);
        w.store(8, RDX, RSP, StateLayout.PASSING + StateLayout.DELTAS);
        w.constant(R13, (StateLayout.PASSING - table) / 8);
        w.load(8, RBX, RSP, StateLayout.EXIT_SITE);
        goBehind();
    }

    /// Goes on behind the check of the access at site RBX, as if it had found entry R13.
    private void goBehind() {
        w.arithmetic(CodeWriter.AND, 4, RCX, PAGE - 1);
        w.memory(MOVZX_WORD, 4, RDX, RBX, NONE, 0, 6);
        w.arithmeticRegister(CodeWriter.SUB, 8, RBX, RDX);
        w.store(8, RBX, RSP, StateLayout.EXIT_SITE);
        restore(false);
        w.jumpMemory(RSP, NONE, 0, StateLayout.EXIT_SITE);
    }

    private void doubtIf(int condition) {
        doubts[doubtCount++] = w.jumpIf(condition);
    }

    private void refuseIf(int condition) {
        refusals[refusalCount++] = w.jumpIf(condition);
    }

    /// The page's address may have reserved bits, which count for more than rights.
    private void fault(int context, boolean write, int absent, int reason, int to) {
        int code = (write ? WRITABLE : 0) | (context == Tlb.USER ? USER : 0);
        for (int i = 0; i < refusalCount; i++) {
            w.here(refusals[i]);
        }
        place();
        w.constant(RDX, code | PRESENT);
        int known = w.jump();
        w.here(absent);
        w.constant(RDX, code);
        w.here(known);
        w.storeConstant(4, reason, RSP, NONE, StateLayout.EXIT_REASON);
        w.jumpBack(to);
    }

    private void restore(boolean flags) {
        if (flags) {
            w.load(4, RAX, RSP, StateLayout.WALK_FLAGS);
            w.flagsFromRax();
        }
        w.load(8, RAX, RSP, StateLayout.WALK_HELD);
        w.load(8, RDX, RSP, StateLayout.WALK_HELD + 8);
        w.load(8, RBX, RSP, StateLayout.WALK_HELD + 16);
    }

    /// RAX becomes the last entry. Answers the jumps of pages of 1 GiB and of 2 MiB. Whether entries are present is
    /// seen in the end: until then, what is found in memory leads nowhere but to the guest's memory.
    private int[] tables() {
        int[] large = new int[2];
        w.constant(RBX, -1);
        w.load(8, RAX, RSP, StateLayout.CR3);
        w.compareConstant(4, RSP, StateLayout.WALK_FIVE_LEVELS, 0);
        int four = w.jumpIf(CodeWriter.EQUAL);
        table(5);
        w.here(four);
        for (int level = 4; level >= 1; level--) {
            int leaf = table(level);
            if (level == 3 || level == 2) {
                large[3 - level] = leaf;
            }
        }
        return large;
    }

    /// RAX, an entry or CR3, becomes the entry of the table that it leads to. Answers the jump of a large page if
    /// there can be one.
    private int table(int level) {
        w.arithmeticMemory(CodeWriter.AND, 8, RAX, RSP, NONE, StateLayout.WALK_ADDRESS);
        place();
        w.arithmeticMemory(CodeWriter.ADD, 8, RDX, RSP, NONE, StateLayout.WALK_BACKING);
        w.move(RAX, RCX);
        w.shift(CodeWriter.SHR, 8, RAX, 9 * level);
        w.arithmetic(CodeWriter.AND, 4, RAX, 0xFF8);
        w.load(8, RAX, RDX, RAX, 0, 0);
        w.arithmeticRegister(CodeWriter.AND, 8, RBX, RAX);
        if (level == 1) {
            return NONE;
        }
        w.test(4, RAX, LARGE);
        if (level <= 3) {
            return w.jumpIf(CodeWriter.NOT_EQUAL);
        }
        doubtIf(CodeWriter.NOT_EQUAL);
        return NONE;
    }

    /// RDX becomes the offset in the backing memory of the page at guest-physical RAX.
    private void place() {
        int slot = StateLayout.WALK_SLOT;
        int next = slot + StateLayout.WALK_SLOT_BYTES;
        w.move(RDX, RAX);
        w.arithmeticMemory(CodeWriter.SUB, 8, RDX, RSP, NONE, slot);
        w.arithmeticMemory(CodeWriter.CMP, 8, RDX, RSP, NONE, slot + 8);
        int first = w.jumpIf(CodeWriter.BELOW);
        w.move(RDX, RAX);
        w.arithmeticMemory(CodeWriter.SUB, 8, RDX, RSP, NONE, next);
        w.arithmeticMemory(CodeWriter.CMP, 8, RDX, RSP, NONE, next + 8);
        doubtIf(CodeWriter.ABOVE_EQUAL);
        w.arithmeticMemory(CodeWriter.ADD, 8, RDX, RSP, NONE, next + 16);
        int done = w.jump();
        w.here(first);
        w.arithmeticMemory(CodeWriter.ADD, 8, RDX, RSP, NONE, slot + 16);
        w.here(done);
    }

    /// RAX, an entry of a page of 2^`bits` bytes, becomes the address of the piece of 4 KiB.
    private void piece(int reserved, int bits) {
        w.test(4, RAX, reserved);
        doubtIf(CodeWriter.NOT_EQUAL);
        w.store(8, RAX, RSP, LEAF);
        w.arithmeticMemory(CodeWriter.AND, 8, RAX, RSP, NONE, StateLayout.WALK_ADDRESS);
        w.shift(CodeWriter.SHR, 8, RAX, bits);
        w.shift(CodeWriter.SHL, 8, RAX, bits);
        w.move32(RDX, RCX);
        w.arithmetic(CodeWriter.AND, 4, RDX, (1 << bits) - 1 & -PAGE);
        w.arithmeticRegister(CodeWriter.OR, 8, RAX, RDX);
    }

    private void noteLarge() {
        w.move(RDX, RCX);
        w.shift(CodeWriter.SHR, 8, RDX, 30);
        w.arithmetic(CodeWriter.AND, 4, RDX, StateLayout.LARGE_REGIONS - 1);
        w.memory(BIT_SET, 4, RDX, RSP, NONE, 0, StateLayout.LARGE);
    }

    /// RBX has what all entries allow.
    private void rights(int context, boolean write) {
        int wanted = (context == Tlb.USER ? USER : 0) | (write ? WRITABLE : 0);
        w.move32(RDX, RBX);
        w.arithmetic(CodeWriter.AND, 4, RDX, wanted);
        w.arithmetic(CodeWriter.CMP, 4, RDX, wanted);
        refuseIf(CodeWriter.NOT_EQUAL);
        if (context == Tlb.SUPERVISOR_SMAP) {
            w.test(4, RBX, USER);
            refuseIf(CodeWriter.NOT_EQUAL);
        }
        w.test(4, RBX, ACCESSED);
        doubtIf(CodeWriter.EQUAL);
        if (write) {
            w.load(4, RDX, RSP, LEAF);
            w.test(4, RDX, DIRTY);
            doubtIf(CodeWriter.EQUAL);
        }
    }

    /// Makes the entry for the page at offset RDX, and notes it.
    private void fill(int table) {
        w.load(4, RAX, RSP, LEAF);
        w.arithmeticMemory(CodeWriter.AND, 4, RAX, RSP, NONE, StateLayout.WALK_GLOBAL);
        int local = w.jumpIf(CodeWriter.EQUAL);
        note(table, StateLayout.GLOBAL_COUNT, StateLayout.GLOBAL_LOG);
        int noted = w.jump();
        w.here(local);
        note(table, StateLayout.LOCAL_COUNT, StateLayout.LOCAL_LOG);
        w.here(noted);
        w.arithmeticMemory(CodeWriter.ADD, 8, RDX, RSP, NONE, StateLayout.WALK_BACKING);
        w.arithmetic(CodeWriter.AND, 8, RCX, -PAGE);
        w.arithmeticRegister(CodeWriter.SUB, 8, RDX, RCX);
        w.memory(STORE, 8, RCX, RSP, R13, 3, table);
        w.memory(STORE, 8, RDX, RSP, R13, 3, table + StateLayout.DELTAS);
    }

    /// Copies the entry that R13 numbers.
    private void fillStack(int table, int stack) {
        w.memory(LOAD, 8, RAX, RSP, R13, 3, table);
        // neg rax
        w.registers(0xF7, 8, 3, RAX);
        w.store(8, RAX, RSP, stack);
        w.memory(LOAD, 8, RAX, RSP, R13, 3, table + StateLayout.DELTAS);
        w.store(8, RAX, RSP, stack + 8);
    }

    private void note(int table, int count, int log) {
        w.load(4, RAX, RSP, count);
        w.arithmetic(CodeWriter.CMP, 4, RAX, StateLayout.LOG);
        doubtIf(CodeWriter.ABOVE_EQUAL);
        w.lea(4, RBX, NONE, R13, 3, table);
        w.memory(STORE, 4, RBX, RSP, RAX, 2, log);
        w.memory(GROUP_5, 4, 0, RSP, NONE, 0, count);
    }
}

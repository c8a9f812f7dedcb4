package org.jvirt.engine.soft.translate.emit;

import static org.jvirt.engine.soft.translate.emit.BlockEmitter.GUEST_RSP;
import static org.jvirt.engine.soft.translate.emit.BlockEmitter.R13;
import static org.jvirt.engine.soft.translate.emit.BlockEmitter.RAX;
import static org.jvirt.engine.soft.translate.emit.BlockEmitter.RCX;
import static org.jvirt.engine.soft.translate.emit.BlockEmitter.RDX;
import static org.jvirt.engine.soft.translate.emit.BlockEmitter.RSP;

import org.jvirt.engine.soft.cpu.Cpu;
import org.jvirt.engine.soft.cpu.Segments;
import org.jvirt.engine.soft.cpu.Tlb;
import org.jvirt.x86.CodeWriter;

/// Code that delivers a page fault which a walk has found, and goes on in the handler.
///
/// It knows the ordinary way of a 64-bit kernel: an interrupt gate to flat code of level 0, whose table,
/// descriptor, task state and stack are on pages that Java has looked up ([StateLayout#faultPage]). Whatever is
/// not so is Java's before anything has changed, as is every fault of the delivery; Java then looks these pages up.
///
/// ```
/// MISS_ADDRESS  what CR2 becomes      EXIT_SITE   where the check has failed
/// EDX           the error code        WALK_HELD   RAX, RDX, RBX;  WALK_FLAGS, of a check that spares flags
/// ```
///
/// Source: Intel SDM volume 3, 6.12 to 6.15.
final class FaultCode {
    private static final int RBX = 3;
    private static final int NONE = -1;
    private static final int ADD_FROM_MEMORY = 0x03;
    private static final int COMPARE_MEMORY = 0x3B;
    private static final int MOVZX_WORD = 0x0FB7;
    private static final int TEST = 0x85;
    private static final int GROUP_5 = 0xFF;
    private static final int MOST_DOUBTS = 32;

    private static final int PAGE = 4096;
    private static final int WORD = 8;
    private static final int FRAME_BYTES = 6 * WORD;
    private static final int STACK_ALIGNMENT = 16;
    /// Bits of an address above those that four levels of paging translate.
    private static final int NON_CANONICAL_BITS = 16;
    /// Of the second word of a gate: present, no segment, and the type; a present interrupt gate's; its stack.
    private static final int GATE_KIND = 0x9F00;

    private static final int INTERRUPT_GATE = 0x8E00;
    private static final int GATE_STACK = 7;
    private static final int LOCAL_TABLE = 4;
    /// From the first stack pointer of a task state to what would be number 0 of the interrupts' stacks.
    private static final int INTERRUPT_STACKS = 24;

    private static final int CS_PLACE = StateLayout.SELECTORS + 4 * Segments.CS;
    private static final int SS_PLACE = StateLayout.SELECTORS + 4 * Segments.SS;

    private final CodeWriter w;
    private final FlagImage flags;
    private final int context;
    private final int exit;
    private final int[] doubts = new int[MOST_DOUBTS];
    private int doubtCount;
    /// Jumps to where a page of the system's is another: all are to be looked up again.
    private final int[] otherPage = new int[StateLayout.MOST_FAULT_PAGES];

    private int otherStack;

    /// @param context the rights of the access
    /// @param exit    the way out, where [StateLayout#EXIT_REASON] is for Java
    FaultCode(CodeWriter writer, int context, int exit) {
        w = writer;
        flags = new FlagImage(w);
        this.context = context;
        this.exit = exit;
    }

    private boolean user() {
        return context == Tlb.USER;
    }

    /// Writes it, and answers where it begins.
    int write() {
        int start = w.size();
        w.store(8, RDX, RSP, StateLayout.FAULT_CODE);
        w.load(4, RAX, RSP, StateLayout.FAULTS);
        w.registers(TEST, 4, RAX, RAX);
        doubtIf(CodeWriter.EQUAL);
        w.load(4, RAX, RSP, StateLayout.SYSTEM_FLAGS);
        w.test(4, RAX, Cpu.TF | (user() ? Cpu.AC : 0));
        doubtIf(CodeWriter.NOT_EQUAL);
        instruction();
        gate();
        descriptor();
        stack();
        frame();
        enter();
        for (int page = 0; page < otherPage.length; page++) {
            w.here(otherPage[page]);
            if (page == StateLayout.STACK_PAGE_NUMBER && !user()) {
                w.here(otherStack);
            }
            w.storeConstant(8, StateLayout.NO_PAGE_NUMBER, RSP, NONE, StateLayout.faultPage(page));
        }
        for (int i = 0; i < doubtCount; i++) {
            w.here(doubts[i]);
        }
        restore(StateLayout.WALK_FLAGS);
        w.jumpBack(exit);
        return start;
    }

    private void doubtIf(int condition) {
        doubts[doubtCount++] = w.jumpIf(condition);
    }

    private void restore(int flagsAt) {
        w.load(4, RAX, RSP, flagsAt);
        w.flagsFromRax();
        w.load(8, RAX, RSP, StateLayout.WALK_HELD);
        w.load(8, RDX, RSP, StateLayout.WALK_HELD + 8);
        w.load(8, RBX, RSP, StateLayout.WALK_HELD + 16);
    }

    /// Finds RIP and RFLAGS.
    private void instruction() {
        w.load(8, RCX, RSP, StateLayout.EXIT_SITE);
        w.memory(MOVZX_WORD, 4, RAX, RCX, NONE, 0, 0);
        w.memory(MOVZX_WORD, 4, RDX, RCX, NONE, 0, 4);
        w.registers(TEST, 4, RDX, RDX);
        doubtIf(CodeWriter.EQUAL);
        w.arithmeticRegister(CodeWriter.SUB, 8, RCX, RDX);
        w.load(8, RBX, RCX, -StateLayout.BLOCK_HEADER_BYTES);
        w.test(4, RAX, ExitReason.ALIGNMENTS);
        int unaligned = w.jumpIf(CodeWriter.EQUAL);
        w.load(4, RCX, RSP, StateLayout.MISS_ADDRESS);
        w.test(4, RCX, ExitReason.GREATEST_ALIGNMENT - 1);
        doubtIf(CodeWriter.NOT_EQUAL);
        w.here(unaligned);
        w.test(4, RAX, ExitReason.FLAGS_SAVED);
        int saved = w.jumpIf(CodeWriter.NOT_EQUAL);
        w.load(4, RCX, RSP, StateLayout.WALK_FLAGS);
        w.store(4, RCX, RSP, StateLayout.SAVED_FLAGS);
        w.here(saved);
        w.arithmetic(CodeWriter.AND, 4, RAX, ExitReason.OFFSETS);
        w.arithmeticRegister(CodeWriter.ADD, 8, RBX, RAX);
        w.store(8, RBX, RSP, StateLayout.FAULT_RIP);
        flags.compose();
        w.arithmetic(CodeWriter.OR, 4, RCX, Cpu.RF);
        w.store(4, RCX, RSP, StateLayout.FAULT_IMAGE);
    }

    /// RCX, an address on a page of the system's, becomes the host's. RAX is used.
    private void find(int page) {
        int entry = StateLayout.faultPage(page);
        w.move(RAX, RCX);
        w.arithmetic(CodeWriter.AND, 8, RAX, -PAGE);
        w.arithmeticMemory(CodeWriter.CMP, 8, RAX, RSP, NONE, entry);
        otherPage[page] = w.jumpIf(CodeWriter.NOT_EQUAL);
        w.arithmeticMemory(CodeWriter.ADD, 8, RCX, RSP, NONE, entry + 8);
    }

    /// RCX, an address that a system writes to, becomes the host's. RAX and R13 are used.
    private void findInTlb() {
        w.move32(R13, RCX);
        w.shift(CodeWriter.SHR, 4, R13, 12);
        w.arithmetic(CodeWriter.AND, 4, R13, StateLayout.TLB_ENTRIES - 1);
        w.arithmeticMemory(CodeWriter.ADD, 4, R13, RSP, NONE, StateLayout.FAULT_TABLES);
        w.move(RAX, RCX);
        w.arithmetic(CodeWriter.AND, 8, RAX, -PAGE);
        w.memory(COMPARE_MEMORY, 8, RAX, RSP, R13, 3, StateLayout.TABLE_BYTES);
        otherStack = w.jumpIf(CodeWriter.NOT_EQUAL);
        w.memory(ADD_FROM_MEMORY, 8, RCX, RSP, R13, 3, StateLayout.TABLE_BYTES + StateLayout.DELTAS);
    }

    /// `bytes` at the address in `from` must be on one page. RAX is used.
    private void requireOnePage(int from, int bytes) {
        w.move32(RAX, from);
        w.arithmetic(CodeWriter.AND, 4, RAX, PAGE - 1);
        w.arithmetic(CodeWriter.CMP, 4, RAX, PAGE - bytes);
        doubtIf(CodeWriter.ABOVE);
    }

    /// Reads the gate: where to, and, into EBX, with which CS.
    private void gate() {
        w.load(8, RCX, RSP, StateLayout.FAULT_GATE);
        find(StateLayout.GATE_PAGE_NUMBER);
        w.load(8, RBX, RCX, 0);
        w.load(8, RDX, RCX, WORD);
        w.move(RAX, RBX);
        w.shift(CodeWriter.SHR, 8, RAX, 32);
        w.move32(RCX, RAX);
        w.arithmetic(CodeWriter.AND, 4, RCX, GATE_KIND);
        w.arithmetic(CodeWriter.CMP, 4, RCX, INTERRUPT_GATE);
        doubtIf(CodeWriter.NOT_EQUAL);
        w.move32(RCX, RAX);
        w.arithmetic(CodeWriter.AND, 4, RCX, GATE_STACK);
        w.store(4, RCX, RSP, StateLayout.FAULT_STACK);
        w.arithmetic(CodeWriter.AND, 4, RAX, -0x1_0000);
        w.registers(MOVZX_WORD, 4, RCX, RBX);
        w.arithmeticRegister(CodeWriter.OR, 4, RAX, RCX);
        w.shift(CodeWriter.SHL, 8, RDX, 32);
        w.arithmeticRegister(CodeWriter.OR, 8, RAX, RDX);
        w.store(8, RAX, RSP, StateLayout.FAULT_TARGET);
        w.move(RCX, RAX);
        w.shift(CodeWriter.SHL, 8, RCX, NON_CANONICAL_BITS);
        w.shift(CodeWriter.SAR, 8, RCX, NON_CANONICAL_BITS);
        w.arithmeticRegister(CodeWriter.CMP, 8, RCX, RAX);
        doubtIf(CodeWriter.NOT_EQUAL);
        w.shift(CodeWriter.SHR, 4, RBX, 16);
    }

    /// The selector in EBX must mean flat code of level 0, and in level 0 be that of the code that runs.
    private void descriptor() {
        w.test(4, RBX, LOCAL_TABLE);
        doubtIf(CodeWriter.NOT_EQUAL);
        w.arithmetic(CodeWriter.AND, 4, RBX, -WORD);
        doubtIf(CodeWriter.EQUAL);
        w.store(4, RBX, RSP, StateLayout.FAULT_SELECTOR);
        if (!user()) {
            w.arithmeticMemory(CodeWriter.CMP, 4, RBX, RSP, NONE, CS_PLACE);
            doubtIf(CodeWriter.NOT_EQUAL);
        }
        w.lea(4, RCX, RBX, NONE, 0, WORD - 1);
        w.arithmeticMemory(CodeWriter.CMP, 4, RCX, RSP, NONE, StateLayout.GDT_LIMIT);
        doubtIf(CodeWriter.ABOVE);
        w.move(RCX, RBX);
        w.arithmeticMemory(CodeWriter.ADD, 8, RCX, RSP, NONE, StateLayout.GDT_BASE);
        requireOnePage(RCX, WORD);
        find(StateLayout.DESCRIPTOR_PAGE_NUMBER);
        w.load(8, RCX, RCX, 0);
        w.arithmeticMemory(CodeWriter.CMP, 8, RCX, RSP, NONE, StateLayout.FLAT_DESCRIPTORS);
        doubtIf(CodeWriter.NOT_EQUAL);
    }

    /// RCX becomes the host's address of the frame: on a stack of the task state, or below what is on that of
    /// level 0.
    private void stack() {
        w.load(4, RCX, RSP, StateLayout.FAULT_STACK);
        w.registers(TEST, 4, RCX, RCX);
        int usual = w.jumpIf(CodeWriter.EQUAL);
        w.lea(8, RCX, NONE, RCX, 3, INTERRUPT_STACKS);
        if (user()) {
            w.here(usual);
        }
        w.arithmeticMemory(CodeWriter.ADD, 8, RCX, RSP, NONE, StateLayout.FAULT_STACKS);
        find(StateLayout.TASK_PAGE_NUMBER);
        w.load(8, RCX, RCX, 0);
        below();
        find(StateLayout.STACK_PAGE_NUMBER);
        if (!user()) {
            int found = w.jump();
            w.here(usual);
            w.move(RCX, GUEST_RSP);
            below();
            findInTlb();
            w.here(found);
        }
    }

    /// RCX, a stack pointer, becomes what it is with the frame.
    private void below() {
        w.arithmetic(CodeWriter.AND, 8, RCX, -STACK_ALIGNMENT);
        w.arithmetic(CodeWriter.SUB, 8, RCX, FRAME_BYTES);
        w.store(8, RCX, RSP, StateLayout.FAULT_FRAME);
        requireOnePage(RCX, FRAME_BYTES);
    }

    /// Pushes what an interrupted program is known by. From here on nothing can go wrong.
    private void frame() {
        push(8, StateLayout.FAULT_CODE, 0);
        push(8, StateLayout.FAULT_RIP, WORD);
        push(4, CS_PLACE, 2 * WORD);
        push(4, StateLayout.FAULT_IMAGE, 3 * WORD);
        w.store(8, GUEST_RSP, RCX, 4 * WORD);
        push(4, SS_PLACE, 5 * WORD);
    }

    private void push(int size, int place, int offset) {
        w.load(size, RAX, RSP, place);
        w.store(8, RAX, RCX, offset);
    }

    private void enter() {
        w.load(8, RAX, RSP, StateLayout.MISS_ADDRESS);
        w.store(8, RAX, RSP, StateLayout.CR2);
        w.load(4, RAX, RSP, StateLayout.SYSTEM_FLAGS);
        w.arithmetic(CodeWriter.AND, 4, RAX, ~Cpu.NT);
        w.store(4, RAX, RSP, StateLayout.SYSTEM_FLAGS);
        w.storeConstant(4, 0, RSP, NONE, StateLayout.INTERRUPTS_ENABLED);
        w.storeConstant(4, 1, RSP, NONE, StateLayout.RIGHTS_CHANGED);
        if (user()) {
            w.storeConstant(4, StateLayout.TO_KERNEL_WITHOUT_STACK, RSP, NONE, StateLayout.SEGMENTS_CHANGED);
            w.load(4, RAX, RSP, StateLayout.FAULT_SELECTOR);
            w.store(4, RAX, RSP, CS_PLACE);
            w.storeConstant(4, 0, RSP, NONE, SS_PLACE);
        }
        w.memory(GROUP_5, 4, 0, RSP, NONE, 0, StateLayout.FAULTED);
        w.load(8, GUEST_RSP, RSP, StateLayout.FAULT_FRAME);
        w.load(8, RCX, RSP, StateLayout.FAULT_TARGET);
        w.registers(MOVZX_WORD, 4, R13, RCX);
        if (user()) {
            w.memory(ADD_FROM_MEMORY, 4, R13, RSP, NONE, 0, StateLayout.FAULT_JUMPS);
        }
        restore(StateLayout.SAVED_FLAGS);
        w.jumpMemory(RSP, R13, 3, user() ? StateLayout.jumps(0) : StateLayout.jumps(CodeMode.of64(context)));
    }
}

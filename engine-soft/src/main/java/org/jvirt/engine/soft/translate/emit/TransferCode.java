package org.jvirt.engine.soft.translate.emit;

import static org.jvirt.engine.soft.translate.emit.BlockEmitter.GUEST_RCX;
import static org.jvirt.engine.soft.translate.emit.BlockEmitter.GUEST_RSP;
import static org.jvirt.engine.soft.translate.emit.BlockEmitter.R13;
import static org.jvirt.engine.soft.translate.emit.BlockEmitter.RAX;
import static org.jvirt.engine.soft.translate.emit.BlockEmitter.RCX;
import static org.jvirt.engine.soft.translate.emit.BlockEmitter.RSP;

import org.jvirt.engine.soft.cpu.Cpu;
import org.jvirt.engine.soft.cpu.Segments;
import org.jvirt.engine.soft.cpu.Tlb;
import org.jvirt.x86.CodeWriter;
import org.jvirt.x86.Instruction;
import org.jvirt.x86.Mnemonic;

/// Instructions that go on with other rights: SYSCALL, SYSRET, IRET, STAC and CLAC of 64-bit code.
///
/// What follows is found through the jump table of the new rights. Whatever is not the ordinary way of a kernel
/// with flat segments is the interpreter's, before anything has changed: other descriptors, single steps, an
/// interrupt that waits for IF, addresses that are not canonical.
public final class TransferCode {
    private static final int R11 = 11;
    private static final int GUEST_RSP_NUMBER = 4;
    private static final int MOVZX_WORD = 0x0FB7;
    private static final int AND_TO_MEMORY = 0x21;
    /// Bits of an address above those that four levels of paging translate.
    private static final int NON_CANONICAL_BITS = 16;
    private static final int MOST_DOUBTS = 24;

    private static final int CS_PLACE = StateLayout.SELECTORS + 4 * Segments.CS;
    private static final int SS_PLACE = StateLayout.SELECTORS + 4 * Segments.SS;
    /// The words of [StateLayout#FRAME].
    private static final int FRAME_RIP = StateLayout.FRAME;

    private static final int FRAME_CS = StateLayout.FRAME + 8;
    private static final int FRAME_FLAGS = StateLayout.FRAME + 16;
    private static final int FRAME_RSP = StateLayout.FRAME + 24;
    private static final int FRAME_SS = StateLayout.FRAME + 32;
    private static final int FRAME_WORDS = 5;

    private final BlockEmitter e;
    private final CodeWriter w;
    private final FlagImage flags;
    private final BranchCode branches;
    /// Jumps to where the interpreter takes over.
    private final int[] doubts = new int[MOST_DOUBTS];

    private int doubtCount;

    public TransferCode(BlockEmitter emitter, BranchCode branches) {
        e = emitter;
        w = emitter.code();
        flags = new FlagImage(w);
        this.branches = branches;
    }

    /// Writes one instruction, with which its block ends; false, and nothing is written, if it is not one of these,
    /// or the interpreter has to execute it.
    public boolean emit(Instruction insn) {
        if (CodeMode.is32(e.mode())) {
            return false;
        }
        boolean user = e.context() == Tlb.USER;
        doubtCount = 0;
        switch (insn.mnemonic()) {
            case SYSCALL -> systemCall(insn);
            case SYSRET -> {
                if (user || insn.operandSize() != 8) {
                    return false;
                }
                systemReturn();
            }
            case IRET -> {
                if (user || insn.operandSize() != 8) {
                    return false;
                }
                interruptReturn();
            }
            case STAC, CLAC -> {
                if (user) {
                    return false;
                }
                boolean set = insn.mnemonic() == Mnemonic.STAC;
                access(set, e.rip() + insn.length());
            }
            default -> {
                return false;
            }
        }
        return true;
    }

    // ---------------------------------------------------------------- doubts

    private void doubtIf(int condition) {
        doubts[doubtCount++] = w.jumpIf(condition);
    }

    /// Behind the last instruction of a sequence.
    private void settleDoubts() {
        for (int i = 0; i < doubtCount; i++) {
            w.here(doubts[i]);
        }
        e.toInterpreter(w.jump());
    }

    /// The word at `place` must not be zero. RCX is used, and flags change.
    private void require(int place) {
        w.load(4, RCX, RSP, place);
        w.registers(0x85, 4, RCX, RCX);
        doubtIf(CodeWriter.EQUAL);
    }

    /// The word at `place` must have none of these bits. RCX is used, and flags change.
    private void requireNone(int place, int bits) {
        w.load(4, RCX, RSP, place);
        w.test(4, RCX, bits);
        doubtIf(CodeWriter.NOT_EQUAL);
    }

    /// RCX must be canonical. R13 is used, and flags change.
    private void requireCanonical() {
        w.move(R13, RCX);
        w.shift(CodeWriter.SHL, 8, R13, NON_CANONICAL_BITS);
        w.shift(CodeWriter.SAR, 8, R13, NON_CANONICAL_BITS);
        w.arithmeticRegister(CodeWriter.CMP, 8, R13, RCX);
        doubtIf(CodeWriter.NOT_EQUAL);
    }

    /// If the image at `place` has IF, no interrupt must wait for it; it must not have TF. RCX is used, and flags
    /// change.
    private void requireQuiet(int place) {
        requireNone(place, Cpu.TF);
        w.test(4, RCX, Cpu.IF);
        int disabled = w.jumpIf(CodeWriter.EQUAL);
        requireNone(StateLayout.INTERRUPT_WAITS, -1);
        w.here(disabled);
    }

    // ---------------------------------------------------------------- SYSCALL and SYSRET

    /// Source: Intel SDM volume 2, SYSCALL.
    private void systemCall(Instruction insn) {
        e.keepFlags();
        require(StateLayout.CALL_ENTRY);
        flags.compose();
        w.move(R11, RCX);
        w.load(4, RCX, RSP, StateLayout.CALL_KEEPS);
        for (int place : new int[] {StateLayout.SYSTEM_FLAGS, StateLayout.INTERRUPTS_ENABLED, StateLayout.BACKWARD}) {
            w.memory(AND_TO_MEMORY, 4, RCX, RSP, -1, 0, place);
        }
        select(StateLayout.CALL_SELECTORS, StateLayout.TO_KERNEL);
        w.constant(GUEST_RCX, e.rip() + insn.length());
        w.store(8, RAX, RSP, StateLayout.TEMPORARY);
        w.load(4, RAX, RSP, StateLayout.SAVED_FLAGS);
        w.arithmeticMemory(CodeWriter.AND, 4, RAX, RSP, -1, StateLayout.CALL_KEEPS_STATUS);
        w.flagsFromRax();
        w.load(8, RAX, RSP, StateLayout.TEMPORARY);
        w.load(4, R13, RSP, StateLayout.CALL_ENTRY);
        w.load(8, RCX, RSP, StateLayout.CALL_TARGET);
        w.jumpMemory(RSP, R13, 0, 0);
        settleDoubts();
    }

    /// Source: Intel SDM volume 2, SYSRET.
    private void systemReturn() {
        e.keepFlags();
        require(StateLayout.RETURNS_FAST);
        w.store(8, R11, RSP, FRAME_FLAGS);
        requireQuiet(FRAME_FLAGS);
        requireNone(FRAME_FLAGS, Cpu.AC);
        w.move(RCX, GUEST_RCX);
        requireCanonical();
        flags.setSystem(FRAME_FLAGS);
        select(StateLayout.RETURN_SELECTORS, StateLayout.TO_USER);
        flags.setStatus(FRAME_FLAGS);
        w.move(RCX, GUEST_RCX);
        w.registers(MOVZX_WORD, 4, R13, RCX);
        w.jumpMemory(RSP, R13, 3, StateLayout.jumps(Tlb.USER));
        settleDoubts();
    }

    /// Copies CS and SS from a pair of words. RCX is used, flags stay.
    private void select(int pair, int to) {
        w.load(4, RCX, RSP, pair);
        w.store(4, RCX, RSP, CS_PLACE);
        w.load(4, RCX, RSP, pair + 4);
        w.store(4, RCX, RSP, SS_PLACE);
        changed(to);
    }

    private void changed(int segments) {
        w.storeConstant(4, 1, RSP, -1, StateLayout.RIGHTS_CHANGED);
        w.storeConstant(4, segments, RSP, -1, StateLayout.SEGMENTS_CHANGED);
    }

    // ---------------------------------------------------------------- IRET

    /// All five words are popped before the first counts. R13 becomes the number of an entry in the jump tables of
    /// all rights together.
    ///
    /// Source: Intel SDM volume 2, IRET, mode 64-bit.
    private void interruptReturn() {
        e.keepFlags();
        require(StateLayout.RETURNS);
        requireNone(StateLayout.SYSTEM_FLAGS, Cpu.NT);
        if (e.context() == Tlb.SUPERVISOR) {
            // AC counts for the stack, not for the descriptors
            requireNone(StateLayout.PROTECTS_PROGRAMS, -1);
        }
        e.access(GUEST_RSP_NUMBER, 0, false, 8 * FRAME_WORDS);
        e.foldIntoR13();
        for (int i = 0; i < FRAME_WORDS; i++) {
            w.load(8, RCX, R13, 8 * i);
            w.store(8, RCX, RSP, StateLayout.FRAME + 8 * i);
        }
        requireQuiet(FRAME_FLAGS);
        w.load(8, RCX, RSP, FRAME_RIP);
        requireCanonical();
        selector(FRAME_CS);
        w.arithmetic(CodeWriter.CMP, 4, R13, 3);
        int toUser = w.jumpIf(CodeWriter.EQUAL);
        w.registers(0x85, 4, R13, R13);
        doubtIf(CodeWriter.NOT_EQUAL);
        descriptor(0);
        selector(FRAME_SS);
        w.registers(0x85, 4, RCX, RCX);
        int withoutStack = w.jumpIf(CodeWriter.EQUAL);
        w.registers(0x85, 4, R13, R13);
        doubtIf(CodeWriter.NOT_EQUAL);
        descriptor(1);
        changed(StateLayout.TO_KERNEL);
        int withStack = w.jump();
        w.here(withoutStack);
        changed(StateLayout.TO_KERNEL_WITHOUT_STACK);
        w.here(withStack);
        int rights = e.context() * StateLayout.JUMP_ENTRIES;
        w.load(4, RCX, RSP, FRAME_RIP);
        w.registers(MOVZX_WORD, 4, R13, RCX);
        w.lea(4, R13, R13, -1, 0, rights);
        if (e.context() == Tlb.SUPERVISOR_SMAP) {
            w.load(4, RCX, RSP, FRAME_FLAGS);
            w.test(4, RCX, Cpu.AC);
            int without = w.jumpIf(CodeWriter.EQUAL);
            w.lea(4, R13, R13, -1, 0, StateLayout.JUMP_ENTRIES * (Tlb.SUPERVISOR - Tlb.SUPERVISOR_SMAP));
            w.here(without);
        }
        int ready = w.jump();
        w.here(toUser);
        user();
        w.here(ready);
        flags.setSystem(FRAME_FLAGS);
        w.memory(MOVZX_WORD, 4, RCX, RSP, -1, 0, FRAME_CS);
        w.store(4, RCX, RSP, CS_PLACE);
        w.memory(MOVZX_WORD, 4, RCX, RSP, -1, 0, FRAME_SS);
        w.store(4, RCX, RSP, SS_PLACE);
        w.load(8, GUEST_RSP, RSP, FRAME_RSP);
        flags.setStatus(FRAME_FLAGS);
        w.load(8, RCX, RSP, FRAME_RIP);
        w.jumpMemory(RSP, R13, 3, StateLayout.jumps(0));
        settleDoubts();
    }

    private void user() {
        require(StateLayout.KEEPS_DATA_SEGMENTS);
        requireNone(FRAME_FLAGS, Cpu.AC);
        selector(FRAME_CS);
        descriptor(2);
        selector(FRAME_SS);
        w.arithmetic(CodeWriter.CMP, 4, R13, 3);
        doubtIf(CodeWriter.NOT_EQUAL);
        descriptor(3);
        changed(StateLayout.TO_USER);
        w.load(4, RCX, RSP, FRAME_RIP);
        w.registers(MOVZX_WORD, 4, R13, RCX);
    }

    /// The selector at `place` into RCX, its level and table into R13.
    private void selector(int place) {
        w.memory(MOVZX_WORD, 4, RCX, RSP, -1, 0, place);
        w.move32(R13, RCX);
        w.arithmetic(CodeWriter.AND, 4, R13, 7);
    }

    /// The selector in RCX, of the GDT, must mean one of [StateLayout#FLAT_DESCRIPTORS].
    private void descriptor(int number) {
        w.arithmetic(CodeWriter.CMP, 4, RCX, 7);
        doubtIf(CodeWriter.BELOW_EQUAL);
        w.arithmetic(CodeWriter.OR, 4, RCX, 7);
        w.arithmeticMemory(CodeWriter.CMP, 4, RCX, RSP, -1, StateLayout.GDT_LIMIT);
        doubtIf(CodeWriter.ABOVE);
        w.arithmetic(CodeWriter.AND, 4, RCX, -8);
        w.arithmeticMemory(CodeWriter.ADD, 8, RCX, RSP, -1, StateLayout.GDT_BASE);
        w.store(8, RCX, RSP, StateLayout.DESCRIPTOR_ADDRESS);
        e.accessHeld(StateLayout.DESCRIPTOR_ADDRESS, false, 8);
        w.load(8, RCX, e.memoryBase(), e.memoryIndex(), e.memoryScale(), e.memoryDisplacement());
        w.arithmeticMemory(CodeWriter.CMP, 8, RCX, RSP, -1, StateLayout.FLAT_DESCRIPTORS + 8 * number);
        doubtIf(CodeWriter.NOT_EQUAL);
    }

    // ---------------------------------------------------------------- STAC and CLAC

    /// Under SMAP, AC is the difference between the two sets of rights of a supervisor.
    private void access(boolean set, long next) {
        boolean protectedNow = e.context() == Tlb.SUPERVISOR_SMAP;
        if (protectedNow && !set) {
            // clear already
            branches.goOn(next);
            return;
        }
        e.keepFlags();
        w.load(4, RCX, RSP, StateLayout.SYSTEM_FLAGS);
        if (set) {
            w.arithmetic(CodeWriter.OR, 4, RCX, Cpu.AC);
        } else {
            w.arithmetic(CodeWriter.AND, 4, RCX, ~Cpu.AC);
        }
        w.store(4, RCX, RSP, StateLayout.SYSTEM_FLAGS);
        w.storeConstant(4, 1, RSP, -1, StateLayout.RIGHTS_CHANGED);
        if (protectedNow) {
            e.bringFlags();
            branches.goOn(next, CodeMode.of64(Tlb.SUPERVISOR));
        } else if (set) {
            branches.goOn(next);
        } else {
            w.load(4, RCX, RSP, StateLayout.PROTECTS_PROGRAMS);
            e.bringFlags();
            int free = w.jumpIfRcxZero();
            branches.goOn(next, CodeMode.of64(Tlb.SUPERVISOR_SMAP));
            w.hereShort(free);
            branches.goOn(next);
        }
    }
}

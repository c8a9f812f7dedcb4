package org.jvirt.engine.soft.translate.emit;

import static org.jvirt.engine.soft.translate.emit.BlockEmitter.GUEST_RCX;
import static org.jvirt.engine.soft.translate.emit.BlockEmitter.R13;
import static org.jvirt.engine.soft.translate.emit.BlockEmitter.RCX;
import static org.jvirt.engine.soft.translate.emit.BlockEmitter.RSP;

import java.util.function.LongPredicate;
import org.jvirt.x86.CodeWriter;
import org.jvirt.x86.Instruction;
import org.jvirt.x86.Mnemonic;
import org.jvirt.x86.OperandKind;

/// The ways into a block and out of it.
///
/// A direct branch within the page is a jump that is linked when its target is known; all others go through the
/// jump table, whose entries are blocks that check whether they are meant.
public final class BranchCode {
    /// Bits of an address above those that four levels of paging translate; with five the interpreter looks again.
    private static final int NON_CANONICAL_BITS = 16;

    private static final int BREAKPOINT = 0xCC;

    private final BlockEmitter e;
    private final CodeWriter w;
    private final StackCode stack;
    private final LongPredicate crosses;

    private int entryBehind;
    private int entryAhead;
    private int entryAgain;
    private int entryFirst;
    private boolean needsFirst;
    private int afterLook;
    private int otherJump;
    private int requestJump;
    private int vectorsJump;
    private int eitherJump;
    private int branchOffset;
    private int branchReleases;

    /// @param crosses whether the instruction at an address of the block's page goes on on the next page
    public BranchCode(BlockEmitter emitter, StackCode stack, LongPredicate crosses) {
        this.crosses = crosses;
        e = emitter;
        w = emitter.code();
        this.stack = stack;
    }

    /// Where branches from behind enter: with a look at requests.
    public int entryBehind() {
        return entryBehind;
    }

    /// Where branches from ahead of the block enter.
    public int entryAhead() {
        return entryAhead;
    }

    /// Where the processor enters: without a look at requests, since it goes on although one waits.
    public int entryFirst() {
        return entryFirst;
    }

    /// Where the block's own branch to its beginning enters.
    public int entryAgain() {
        return entryAgain;
    }

    /// The offset of the block's indirect branch, if it ends with one.
    public int branchOffset() {
        return branchOffset;
    }

    /// By how much that branch raises RSP.
    public int branchReleases() {
        return branchReleases;
    }

    /// Writes the ways in. The first byte is the entry of the jump table, with RCX the address meant: flags stay
    /// there even if none are live in this block, because another may be meant.
    ///
    /// @param vectors whether the block uses the vector registers
    /// @param x87     whether it uses the x87 unit
    /// @param both    whether branches from ahead may find a request, too, where that costs less than not to look
    public void enter(boolean vectors, boolean x87, boolean both) {
        requestJump = 0;
        vectorsJump = 0;
        eitherJump = 0;
        needsFirst = false;
        long rip = e.blockRip();
        boolean near = -rip == (int) -rip;
        if (near) {
            w.lea(8, RCX, RCX, -1, 0, (int) -rip);
        } else {
            w.constant(R13, -rip);
            w.lea(8, RCX, RCX, R13, 0, 0);
        }
        int meant = w.jumpIfRcxZero();
        if (near) {
            otherJump = w.jump();
        } else {
            otherJump = 0;
            w.jumpFar(e.stubs().otherTarget(e.mode()));
        }
        w.hereShort(meant);
        if (e.areFlagsLive()) {
            enterWithFlags(vectors);
        } else {
            enterWithoutFlags(vectors, both);
        }
        if (x87) {
            w.load(4, RCX, RSP, StateLayout.X87_ABSENT);
            int present = w.jumpIfRcxZero();
            w.callFar(e.stubs().x87);
            w.hereShort(present);
        }
        entryFirst = entryAhead;
        entryAgain = entryBehind;
        if (e.hasSteadyChecks()) {
            entryAgain = e.writeSteadyChecks(entryBehind);
        }
    }

    private void enterWithoutFlags(boolean vectors, boolean both) {
        entryBehind = w.size();
        if (vectors && both) {
            entryAhead = entryBehind;
            w.compareConstant(8, RSP, StateLayout.REQUEST, 0);
            eitherJump = w.jumpIf(CodeWriter.NOT_EQUAL);
            needsFirst = true;
            afterLook = w.size();
            return;
        }
        w.compareConstant(4, RSP, StateLayout.REQUEST, 0);
        requestJump = w.jumpIf(CodeWriter.NOT_EQUAL);
        entryAhead = w.size();
        if (vectors) {
            w.compareConstant(4, RSP, StateLayout.VECTORS_ABSENT, 0);
            vectorsJump = w.jumpIf(CodeWriter.NOT_EQUAL);
        }
    }

    private void enterWithFlags(boolean vectors) {
        entryBehind = w.size();
        int ready = 0;
        if (vectors) {
            // both words at once
            w.load(8, RCX, RSP, StateLayout.REQUEST);
            ready = w.jumpIfRcxZero();
        }
        w.load(4, RCX, RSP, StateLayout.REQUEST);
        int go = w.jumpIfRcxZero();
        w.callFar(e.stubs().requested);
        w.hereShort(go);
        entryAhead = w.size();
        if (vectors) {
            w.load(4, RCX, RSP, StateLayout.VECTORS_ABSENT);
            int present = w.jumpIfRcxZero();
            w.callFar(e.stubs().vectors);
            w.hereShort(present);
            w.hereShort(ready);
        }
    }

    /// Writes a branch; false, and nothing is written, if the interpreter has to execute it.
    public boolean emit(Instruction insn) {
        long next = e.rip() + insn.length();
        int word = e.word();
        if (insn.operandSize() < word && insn.mnemonic() != Mnemonic.JRCXZ && insn.mnemonic() != Mnemonic.LOOP) {
            // the target is cut to 16 bits
            return false;
        }
        switch (insn.mnemonic()) {
            case JMP -> {
                if (insn.kind(0) == OperandKind.RELATIVE) {
                    e.bringFlags();
                    exit(insn.target(e.rip()));
                } else {
                    if (!target(insn)) {
                        return false;
                    }
                    e.bringFlags();
                    indirect(0);
                }
            }
            case CALL -> {
                if (insn.kind(0) == OperandKind.RELATIVE) {
                    stack.pushConstant(next);
                    e.flushStackPointer();
                    e.bringFlags();
                    exit(insn.target(e.rip()));
                } else {
                    if (!target(insn)) {
                        return false;
                    }
                    w.store(8, RCX, RSP, StateLayout.HELD);
                    if (!e.code32()) {
                        checkCanonical();
                    }
                    stack.pushConstant(next);
                    e.bringFlags();
                    w.load(8, RCX, RSP, StateLayout.HELD);
                    indirect(0);
                }
            }
            case RET -> {
                int more = insn.operandCount() > 0 ? (int) insn.immediate() & 0xFFFF : 0;
                stack.popIntoRcx(more);
                e.flushStackPointer();
                e.bringFlags();
                indirect(word + more);
            }
            case JRCXZ -> {
                e.bringFlags();
                loop(insn, 0);
                zero(insn, next, true);
            }
            case LOOP -> {
                e.bringFlags();
                loop(insn, -1);
                zero(insn, next, false);
            }
            case JO, JNO, JB, JAE, JE, JNE, JBE, JA, JS, JNS, JP, JNP, JL, JGE, JLE, JG -> {
                e.bringFlags();
                conditional(insn.row().condition(), insn.target(e.rip()), next);
            }
            default -> {
                return false;
            }
        }
        return true;
    }

    /// The block ends before an instruction that has a block of its own.
    public void goOn(long next) {
        e.flushStackPointer();
        e.bringFlags();
        exit(next);
    }

    /// The block ends before an instruction that is executed in another [CodeMode].
    void goOn(long next, int mode) {
        e.bringFlags();
        through(next, mode);
    }

    private void through(long target, int mode) {
        w.constant(RCX, target);
        w.jumpMemory(RSP, -1, 0, StateLayout.jumps(mode) + (int) (target & 0xFFFF) * 8);
    }

    /// Loads the target of an indirect branch into RCX.
    private boolean target(Instruction insn) {
        if (insn.kind(0) == OperandKind.MEMORY) {
            int word = e.word();
            if (!e.access(insn, false, word, 0)) {
                return false;
            }
            w.load(word, RCX, e.memoryBase(), e.memoryIndex(), e.memoryScale(), e.memoryDisplacement());
        } else if (e.code32()) {
            w.move32(RCX, BlockEmitter.host(insn.register(0)));
        } else {
            e.read(RCX, insn.register(0));
        }
        return true;
    }

    /// Sees to it that a CALL to an address in RCX that is not canonical faults before it pushes. Flags stay; RCX
    /// and R13 are used.
    private void checkCanonical() {
        e.scratchUsed();
        if (!e.extractsBits()) {
            e.keepFlags();
            w.load(8, RCX, RSP, StateLayout.HELD);
            w.move(R13, RCX);
            w.shift(CodeWriter.SHL, 8, R13, NON_CANONICAL_BITS);
            w.shift(CodeWriter.SAR, 8, R13, NON_CANONICAL_BITS);
            w.arithmeticRegister(CodeWriter.CMP, 8, R13, RCX);
            e.toInterpreter(w.jumpIf(CodeWriter.NOT_EQUAL));
            return;
        }
        w.load(8, R13, RSP, StateLayout.CANONICAL_BIAS);
        w.lea(8, RCX, RCX, R13, 0, 0);
        w.extractBits(RCX, RCX, RSP, StateLayout.CANONICAL_MASK);
        int canonical = w.jumpIfRcxZero();
        e.toInterpreter(w.jump());
        w.hereShort(canonical);
    }

    /// Branches to RCX. Where that is not canonical, the branch faults: so it says where it is, and what it has
    /// done.
    private void indirect(int releases) {
        branchOffset = (int) (e.rip() - e.blockRip());
        branchReleases = releases;
        w.storeConstant(4, (int) w.origin() + w.size(), RSP, -1, StateLayout.BRANCH);
        // movzx r13d, cx
        w.registers(0x0FB7, 4, R13, RCX);
        w.jumpMemory(RSP, R13, 3, StateLayout.jumps(e.mode()));
    }

    /// Changes guest RCX by `step` and copies it to RCX.
    private void loop(Instruction insn, int step) {
        boolean narrow = insn.addressSize() == 4;
        if (step != 0) {
            w.lea(narrow ? 4 : 8, GUEST_RCX, GUEST_RCX, -1, 0, step);
        }
        if (narrow) {
            w.move32(RCX, GUEST_RCX);
        } else {
            w.move(RCX, GUEST_RCX);
        }
    }

    private void zero(Instruction insn, long next, boolean takenIfZero) {
        int isZero = w.jumpIfRcxZero();
        exit(takenIfZero ? next : insn.target(e.rip()));
        w.hereShort(isZero);
        exit(takenIfZero ? insn.target(e.rip()) : next);
    }

    /// Writes a conditional branch in the middle of the block; false, and nothing is written, if the interpreter
    /// has to execute it.
    public boolean emitWayOut(Instruction insn) {
        if (insn.operandSize() < e.word()) {
            return false;
        }
        e.flushStackPointer();
        e.bringFlags();
        int condition = insn.row().condition();
        long taken = insn.target(e.rip());
        if (isLinkable(taken)) {
            link(w.jumpIf(condition), taken);
        } else {
            int not = w.jumpIf(condition ^ 1);
            through(taken, e.mode());
            w.here(not);
        }
        return true;
    }

    private void conditional(int condition, long taken, long next) {
        if (isLinkable(taken)) {
            link(w.jumpIf(condition), taken);
            exit(next);
        } else {
            int not = w.jumpIf(condition ^ 1);
            exit(taken);
            w.here(not);
            exit(next);
        }
    }

    private boolean isLinkable(long target) {
        return (target ^ e.blockRip()) >>> 12 == 0 && !crosses.test(target);
    }

    private void exit(long target) {
        if (isLinkable(target)) {
            link(w.jump(), target);
        } else {
            through(target, e.mode());
        }
    }

    private void link(int jump, long target) {
        e.exits().add(jump, target, false);
    }

    /// Writes what is behind the block: how it is left at its beginning.
    public void finish() {
        if (otherJump != 0) {
            w.here(otherJump);
            w.constant(R13, -e.blockRip());
            w.jumpFar(e.stubs().otherTarget(e.mode()));
        }
        if (needsFirst) {
            entryFirst = w.size();
            w.compareConstant(4, RSP, StateLayout.VECTORS_ABSENT, 0);
            w.jumpBackIf(CodeWriter.EQUAL, afterLook);
            w.callFar(e.stubs().vectors);
        }
        if (eitherJump != 0) {
            w.here(eitherJump);
            w.callFar(e.stubs().either);
        }
        if (requestJump != 0) {
            w.here(requestJump);
            w.callFar(e.stubs().requested);
        }
        if (vectorsJump != 0) {
            w.here(vectorsJump);
            w.callFar(e.stubs().vectors);
        }
        // return addresses tell blocks apart: none is at the end of one
        w.byte1(BREAKPOINT);
    }
}

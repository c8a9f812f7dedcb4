package org.jvirt.engine.soft.translate.emit;

import static org.jvirt.engine.soft.translate.emit.BlockEmitter.GUEST_RCX;
import static org.jvirt.engine.soft.translate.emit.BlockEmitter.R13;
import static org.jvirt.engine.soft.translate.emit.BlockEmitter.RAX;
import static org.jvirt.engine.soft.translate.emit.BlockEmitter.RCX;
import static org.jvirt.engine.soft.translate.emit.BlockEmitter.RSP;

import org.jvirt.x86.CodeWriter;
import org.jvirt.x86.Instruction;
import org.jvirt.x86.Mnemonic;

/// MOVS and STOS, repeated or not, forward: a repetition goes page by page, each piece with one host instruction.
/// LODS, SCAS and CMPS where they are not repeated.
///
/// DF is looked at first; backward operations, other address sizes and segments are the interpreter's.
public final class StringCode {
    private static final int RSI = 6;
    private static final int RDI = 7;
    private static final int PAGE = 4096;
    /// MOV and CMP of a register with memory, for bytes.
    private static final int LOAD = 0x8A;

    private static final int COMPARE = 0x3A;

    private final BlockEmitter e;
    private final CodeWriter w;

    public StringCode(BlockEmitter emitter) {
        e = emitter;
        w = emitter.code();
    }

    /// Writes one instruction; false, and nothing is written, if the interpreter has to execute it.
    public boolean emit(Instruction insn) {
        boolean based = insn.segment() == Instruction.FS || insn.segment() == Instruction.GS;
        if (insn.addressSize() != e.word() || based) {
            return false;
        }
        boolean moves = insn.mnemonic() == Mnemonic.MOVS;
        boolean looks = !moves && insn.mnemonic() != Mnemonic.STOS;
        if (looks && insn.repeatPrefix() != 0) {
            return false;
        }
        e.keepFlags();
        e.ifBackwardToInterpreter();
        if (looks) {
            return look(insn);
        }
        if (insn.repeatPrefix() == 0) {
            single(moves, insn.operandSize());
        } else {
            repeated(moves, insn.operandSize());
        }
        return true;
    }

    /// Reads one element and changes the accumulator or the flags.
    private boolean look(Instruction insn) {
        int size = insn.operandSize();
        boolean compares = insn.mnemonic() == Mnemonic.CMPS;
        boolean loads = insn.mnemonic() == Mnemonic.LODS;
        if (compares) {
            holdSource(size);
        }
        e.access(loads ? RSI : RDI, 0, false, size);
        if (compares) {
            e.freeRcx();
            w.load(8, RCX, RSP, StateLayout.HELD);
        }
        e.bringFlagsFor(insn.row());
        int opcode = (loads ? LOAD : COMPARE) | (size == 1 ? 0 : 1);
        int register = compares ? RCX : RAX;
        w.memory(opcode, size, register, e.memoryBase(), e.memoryIndex(), e.memoryScale(), e.memoryDisplacement());
        int word = e.word();
        if (!loads) {
            w.lea(word, RDI, RDI, -1, 0, size);
        }
        if (loads || compares) {
            w.lea(word, RSI, RSI, -1, 0, size);
        }
        return true;
    }

    /// Reads the element at RSI into the state block.
    private void holdSource(int size) {
        e.access(RSI, 0, false, size);
        w.memory(
                LOAD | (size == 1 ? 0 : 1),
                size,
                RCX,
                e.memoryBase(),
                e.memoryIndex(),
                e.memoryScale(),
                e.memoryDisplacement());
        w.store(8, RCX, RSP, StateLayout.HELD);
    }

    private void single(boolean moves, int size) {
        if (moves) {
            holdSource(size);
        }
        e.access(RDI, 0, true, size);
        int from = 0;
        if (moves) {
            e.freeRcx();
            w.load(8, RCX, RSP, StateLayout.HELD);
            from = RCX;
        }
        w.store(size, from, e.memoryBase(), e.memoryIndex(), e.memoryDisplacement());
        int word = e.word();
        w.lea(word, RDI, RDI, -1, 0, size);
        if (moves) {
            w.lea(word, RSI, RSI, -1, 0, size);
        }
    }

    /// Each turn does as many elements as lie on the pages at hand; an element that crosses pages, and all that has
    /// no fast way, is the interpreter's, which then finishes the repetition.
    private void repeated(boolean moves, int size) {
        int shift = Integer.numberOfTrailingZeros(size);
        if (e.code32()) {
            narrowToInterpreter(moves);
        }
        w.registers(0x85, 8, GUEST_RCX, GUEST_RCX);
        int nothing = w.jumpIf(CodeWriter.EQUAL);
        int turn = w.size();
        if (moves) {
            e.access(RSI, 0, false, size);
            w.store(8, R13, RSP, StateLayout.HELD);
        }
        e.access(RDI, 0, true, size);
        w.store(8, R13, RSP, StateLayout.HELD_2);
        // elements to the end of the nearer page
        rest(RDI, R13);
        if (moves) {
            rest(RSI, RCX);
            w.arithmeticRegister(CodeWriter.CMP, 4, R13, RCX);
            w.registers(0x0F47, 4, R13, RCX);
        }
        if (shift != 0) {
            w.shift(CodeWriter.SHR, 4, R13, shift);
        }
        w.arithmeticRegister(CodeWriter.CMP, 8, R13, GUEST_RCX);
        w.registers(0x0F47, 8, R13, GUEST_RCX);
        w.move(RCX, R13);
        w.arithmeticMemory(CodeWriter.ADD, 8, RDI, RSP, -1, StateLayout.HELD_2);
        if (moves) {
            w.arithmeticMemory(CodeWriter.ADD, 8, RSI, RSP, -1, StateLayout.HELD);
        }
        w.byte1(0xF3);
        if (size == 2) {
            w.byte1(0x66);
        } else if (size == 8) {
            w.byte1(0x48);
        }
        w.byte1((moves ? 0xA4 : 0xAA) | (size == 1 ? 0 : 1));
        w.arithmeticMemory(CodeWriter.SUB, 8, RDI, RSP, -1, StateLayout.HELD_2);
        if (moves) {
            w.arithmeticMemory(CodeWriter.SUB, 8, RSI, RSP, -1, StateLayout.HELD);
        }
        if (e.code32()) {
            // pointers may have come to the end of all addresses
            w.move32(RDI, RDI);
            if (moves) {
                w.move32(RSI, RSI);
            }
        }
        w.arithmeticRegister(CodeWriter.SUB, 8, GUEST_RCX, R13);
        int done = w.jumpIf(CodeWriter.EQUAL);
        // between turns a request may be served; what is left is an instruction like the first
        w.load(4, RCX, RSP, StateLayout.REQUEST);
        w.registers(0x85, 4, RCX, RCX);
        w.jumpBackIf(CodeWriter.EQUAL, turn);
        e.toInterpreter(w.jump());
        w.here(nothing);
        w.here(done);
    }

    /// 32-bit code whose registers have something in their upper halves is the interpreter's.
    private void narrowToInterpreter(boolean moves) {
        w.move(RCX, GUEST_RCX);
        w.arithmeticRegister(CodeWriter.OR, 8, RCX, RDI);
        if (moves) {
            w.arithmeticRegister(CodeWriter.OR, 8, RCX, RSI);
        }
        w.shift(CodeWriter.SHR, 8, RCX, 32);
        e.toInterpreter(w.jumpIf(CodeWriter.NOT_EQUAL));
    }

    /// The bytes from the address in `register` to the end of its page.
    private void rest(int register, int to) {
        w.move32(to, register);
        w.arithmetic(CodeWriter.OR, 4, to, -PAGE);
        w.registers(0xF7, 4, 3, to);
    }
}

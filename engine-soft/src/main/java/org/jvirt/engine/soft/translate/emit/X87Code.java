package org.jvirt.engine.soft.translate.emit;

import static org.jvirt.engine.soft.translate.emit.BlockEmitter.RAX;
import static org.jvirt.engine.soft.translate.emit.BlockEmitter.RCX;
import static org.jvirt.engine.soft.translate.emit.BlockEmitter.RSP;

import org.jvirt.engine.soft.simd.X87Ops;
import org.jvirt.x86.CodeWriter;
import org.jvirt.x86.Instruction;

/// x87 and MMX instructions, as they are, and the pointers to the last of them.
///
/// The pointers show only to whoever saves the unit, which is never generated code: so that of the instruction is
/// written where the block is left, in the stubs of what comes after it too, and the operand's at once, while its
/// registers have their values.
public final class X87Code {
    private static final int MASKS = 0x3F;
    private static final int MOVZX_WORD = 0x0FB7;
    private static final int FLDCW = 5;
    private static final int PUSHED = 8;

    private final BlockEmitter e;
    private final CodeWriter w;

    public X87Code(BlockEmitter emitter) {
        e = emitter;
        w = emitter.code();
    }

    /// Writes one instruction that the host has; false, and nothing is written, if the interpreter must execute it
    /// after all.
    ///
    /// @param noted whether the unit remembers it as its last one
    public boolean emit(Instruction insn, boolean noted) {
        switch (insn.mnemonic()) {
            case FWAIT -> {
                // no exception is unmasked
                return true;
            }
            case FLDCW -> {
                return loadControl(insn);
            }
            case FNINIT -> {
                if (!e.reencode(insn)) {
                    return false;
                }
                forget();
                return true;
            }
            default -> {
                // as it is
            }
        }
        if (!e.reencode(insn)) {
            return false;
        }
        if (noted) {
            note(insn);
        }
        return true;
    }

    /// FLDCW, if it leaves all exceptions masked.
    private boolean loadControl(Instruction insn) {
        if (!e.access(insn, false, 2, 0)) {
            return false;
        }
        w.memory(MOVZX_WORD, 4, RCX, e.memoryBase(), e.memoryIndex(), e.memoryScale(), e.memoryDisplacement());
        w.store(4, RCX, RSP, StateLayout.HELD);
        w.registers(0xF7, 4, 2, RCX);
        w.test(4, RCX, MASKS);
        e.toInterpreter(w.jumpIf(CodeWriter.NOT_EQUAL));
        w.memory(0xD9, 4, FLDCW, RSP, -1, 0, StateLayout.HELD);
        return true;
    }

    private void note(Instruction insn) {
        int segment = -1;
        if (insn.memoryOperand() >= 0) {
            segment = insn.segment();
            e.emitOffset(insn, RCX, insn.addressSize());
            w.store(8, RCX, RSP, StateLayout.X87_DATA);
        }
        e.noteX87(X87Ops.opcode(insn), segment);
    }

    private void forget() {
        e.forgetNote();
        w.storeConstant(4, 0, RSP, -1, StateLayout.X87_OPCODE);
        w.storeConstant(4, 0, RSP, -1, StateLayout.X87_CODE_SELECTOR);
        w.storeConstant(8, 0, RSP, -1, StateLayout.X87_INSTRUCTION);
        w.storeConstant(4, 0, RSP, -1, StateLayout.X87_DATA_SELECTOR);
        w.storeConstant(8, 0, RSP, -1, StateLayout.X87_DATA);
    }

    /// Writes what a note says into the state block; all registers and flags stay.
    ///
    /// @param segment of the last memory operand, or -1 if there was none
    static void writeNote(CodeWriter w, long rip, int opcode, int segment) {
        w.storeConstant(4, opcode, RSP, -1, StateLayout.X87_OPCODE);
        if (rip == (int) rip) {
            w.storeConstant(8, (int) rip, RSP, -1, StateLayout.X87_INSTRUCTION);
        } else {
            w.storeConstant(4, (int) rip, RSP, -1, StateLayout.X87_INSTRUCTION);
            w.storeConstant(4, (int) (rip >> 32), RSP, -1, StateLayout.X87_INSTRUCTION + 4);
        }
        w.push(RAX);
        selector(w, Instruction.CS, StateLayout.X87_CODE_SELECTOR);
        if (segment >= 0) {
            selector(w, segment, StateLayout.X87_DATA_SELECTOR);
        }
        w.pop(RAX);
    }

    private static void selector(CodeWriter w, int segment, int place) {
        w.load(4, RAX, RSP, PUSHED + StateLayout.SELECTORS + 4 * segment);
        w.store(4, RAX, RSP, PUSHED + place);
    }
}

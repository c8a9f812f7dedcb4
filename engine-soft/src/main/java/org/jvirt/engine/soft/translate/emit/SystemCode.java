package org.jvirt.engine.soft.translate.emit;

import static org.jvirt.engine.soft.translate.emit.BlockEmitter.GUEST_RSP;
import static org.jvirt.engine.soft.translate.emit.BlockEmitter.RCX;
import static org.jvirt.engine.soft.translate.emit.BlockEmitter.RSP;

import org.jspecify.annotations.Nullable;
import org.jvirt.engine.soft.cpu.Cpu;
import org.jvirt.engine.soft.cpu.Tlb;
import org.jvirt.x86.CodeWriter;
import org.jvirt.x86.Instruction;
import org.jvirt.x86.OperandKind;

/// System instructions that are frequent and change little: IF, DF, PUSHF, and reading a selector.
///
/// IF and DF are words of the state block while generated code runs, with their bits at their places in RFLAGS, so
/// that to set one needs no flags. Where the privilege level matters, it is 0: user code is the interpreter's.
public final class SystemCode {
    private static final int GUEST_RSP_NUMBER = 4;
    private static final int MOVZX_BYTE = 0x0FB6;
    private static final int OR_BYTE = 0x0A;

    private final BlockEmitter e;
    private final CodeWriter w;

    public SystemCode(BlockEmitter emitter) {
        e = emitter;
        w = emitter.code();
    }

    /// Writes one instruction; false, and nothing is written, if the interpreter has to execute it.
    ///
    /// @param next what follows, which STI lets happen before an interrupt; null for nothing in this block
    public boolean emit(Instruction insn, @Nullable Instruction next) {
        return switch (insn.mnemonic()) {
            case PUSHF -> pushFlags(insn);
            case CLI -> {
                if (e.context() == Tlb.USER) {
                    yield false;
                }
                w.storeConstant(4, 0, RSP, -1, StateLayout.INTERRUPTS_ENABLED);
                yield true;
            }
            case STI -> enable(next);
            case CLD -> {
                w.storeConstant(4, 0, RSP, -1, StateLayout.BACKWARD);
                yield true;
            }
            case STD -> {
                w.storeConstant(4, Cpu.DF, RSP, -1, StateLayout.BACKWARD);
                yield true;
            }
            case MOV -> selector(insn);
            default -> false;
        };
    }

    /// STI, where no interrupt waits and what comes next is not one of those that programs protect by it.
    private boolean enable(@Nullable Instruction next) {
        if (e.context() == Tlb.USER || next == null) {
            return false;
        }
        boolean harmless = switch (next.mnemonic()) {
            case MOV, POP, RET, TEST, CMP, ADD, SUB, XOR, LEA, NOP, JMP, CALL, PUSH, JE, JNE, LEAVE -> true;
            default -> false;
        };
        if (!harmless) {
            return false;
        }
        e.keepFlags();
        w.load(4, RCX, RSP, StateLayout.INTERRUPT_WAITS);
        w.registers(0x85, 4, RCX, RCX);
        e.toInterpreter(w.jumpIf(CodeWriter.NOT_EQUAL));
        w.storeConstant(4, Cpu.IF, RSP, -1, StateLayout.INTERRUPTS_ENABLED);
        return true;
    }

    private boolean pushFlags(Instruction insn) {
        if (insn.operandSize() != 8) {
            return false;
        }
        e.keepFlags();
        e.access(GUEST_RSP_NUMBER, -8, true, 8);
        w.memory(MOVZX_BYTE, 4, RCX, RSP, -1, 0, StateLayout.SAVED_FLAGS);
        w.shift(CodeWriter.SHL, 4, RCX, 11);
        w.memory(OR_BYTE, 1, RCX, RSP, -1, 0, StateLayout.SAVED_FLAGS + 1);
        w.arithmeticMemory(CodeWriter.OR, 4, RCX, RSP, -1, StateLayout.SYSTEM_FLAGS);
        w.arithmeticMemory(CodeWriter.OR, 4, RCX, RSP, -1, StateLayout.INTERRUPTS_ENABLED);
        w.arithmeticMemory(CodeWriter.OR, 4, RCX, RSP, -1, StateLayout.BACKWARD);
        w.store(8, RCX, e.memoryBase(), e.memoryIndex(), e.memoryDisplacement());
        w.lea(8, GUEST_RSP, GUEST_RSP, -1, 0, -8);
        return true;
    }

    /// MOV of a segment register to a general register of 4 or 8 bytes.
    private boolean selector(Instruction insn) {
        if (insn.kind(0) != OperandKind.GPR || insn.kind(1) != OperandKind.SEGMENT || insn.operandSize() == 2) {
            return false;
        }
        w.load(4, RCX, RSP, StateLayout.SELECTORS + 4 * insn.register(1));
        e.write(insn.register(0), RCX);
        return true;
    }
}

package org.jvirt.engine.soft.translate.emit;

import static org.jvirt.engine.soft.translate.emit.BlockEmitter.GUEST_RSP;
import static org.jvirt.engine.soft.translate.emit.BlockEmitter.RCX;
import static org.jvirt.engine.soft.translate.emit.BlockEmitter.RSP;

import org.jvirt.x86.CodeWriter;
import org.jvirt.x86.Instruction;
import org.jvirt.x86.OperandKind;

/// PUSH, POP and LEAVE with 64-bit operands.
public final class StackCode {
    private static final int GUEST_RBP_NUMBER = 5;

    private final BlockEmitter e;
    private final CodeWriter w;

    public StackCode(BlockEmitter emitter) {
        e = emitter;
        w = emitter.code();
    }

    /// Writes one instruction; false, and nothing is written, if the interpreter has to execute it.
    public boolean emit(Instruction insn) {
        if (insn.operandSize() != 8) {
            return false;
        }
        return switch (insn.mnemonic()) {
            case PUSH -> push(insn);
            case POP -> pop(insn);
            case LEAVE -> leave();
            default -> false;
        };
    }

    private boolean push(Instruction insn) {
        switch (insn.kind(0)) {
            case GPR -> pushRegister(insn.register(0));
            case IMMEDIATE -> pushConstant(insn.immediate());
            case MEMORY -> {
                if (!e.access(insn, false, 8, 0)) {
                    return false;
                }
                w.load(8, RCX, e.memoryBase(), e.memoryIndex(), 0, e.memoryDisplacement());
                w.store(8, RCX, RSP, StateLayout.HELD);
                e.accessStack(true);
                w.load(8, RCX, RSP, StateLayout.HELD);
                store(RCX);
            }
            default -> {
                return false;
            }
        }
        return true;
    }

    private void pushRegister(int register) {
        e.accessStack(true);
        int host = BlockEmitter.host(register);
        if (host < 0) {
            e.read(RCX, register);
            host = RCX;
        }
        store(host);
    }

    /// Pushes a constant: an immediate operand or a return address.
    void pushConstant(long value) {
        e.accessStack(true);
        if (value == (int) value) {
            w.storeConstant(8, (int) value, e.memoryBase(), e.memoryIndex(), e.memoryDisplacement());
            w.lea(8, GUEST_RSP, GUEST_RSP, -1, 0, -8);
        } else {
            w.constant(RCX, value);
            store(RCX);
        }
    }

    private void store(int host) {
        w.store(8, host, e.memoryBase(), e.memoryIndex(), e.memoryDisplacement());
        w.lea(8, GUEST_RSP, GUEST_RSP, -1, 0, -8);
    }

    private boolean pop(Instruction insn) {
        if (insn.kind(0) != OperandKind.GPR) {
            return false;
        }
        int register = insn.register(0);
        popIntoRcx(0);
        e.write(register, RCX);
        return true;
    }

    /// Pops into RCX and releases more bytes.
    void popIntoRcx(int more) {
        e.accessStack(false);
        w.load(8, RCX, e.memoryBase(), e.memoryIndex(), 0, e.memoryDisplacement());
        w.lea(8, GUEST_RSP, GUEST_RSP, -1, 0, 8 + more);
    }

    private boolean leave() {
        e.access(GUEST_RBP_NUMBER, 0, false, 8);
        w.load(8, RCX, e.memoryBase(), e.memoryIndex(), 0, e.memoryDisplacement());
        w.lea(8, GUEST_RSP, BlockEmitter.host(GUEST_RBP_NUMBER), -1, 0, 8);
        e.write(GUEST_RBP_NUMBER, RCX);
        return true;
    }
}

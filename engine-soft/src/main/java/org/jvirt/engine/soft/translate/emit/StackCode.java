package org.jvirt.engine.soft.translate.emit;

import static org.jvirt.engine.soft.translate.emit.BlockEmitter.GUEST_RSP;
import static org.jvirt.engine.soft.translate.emit.BlockEmitter.RCX;
import static org.jvirt.engine.soft.translate.emit.BlockEmitter.RSP;

import org.jvirt.x86.CodeWriter;
import org.jvirt.x86.Instruction;
import org.jvirt.x86.OperandKind;

/// PUSH, POP and LEAVE with words of the code's size.
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
        if (insn.operandSize() != e.word()) {
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
                int word = e.word();
                if (!e.access(insn, false, word, 0)) {
                    return false;
                }
                w.load(word, RCX, e.memoryBase(), e.memoryIndex(), e.memoryScale(), e.memoryDisplacement());
                e.scratchUsed();
                if (e.isStackShared()) {
                    e.accessStack(true);
                } else {
                    w.store(8, RCX, RSP, StateLayout.HELD);
                    e.accessStack(true);
                    e.freeRcx();
                    w.load(8, RCX, RSP, StateLayout.HELD);
                }
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
        int word = e.word();
        if (word == 4 || value == (int) value) {
            w.storeConstant(word, (int) value, e.memoryBase(), e.memoryIndex(), e.memoryDisplacement());
            e.moveStackPointer(-word);
        } else {
            w.constant(RCX, value);
            store(RCX);
        }
    }

    private void store(int host) {
        int word = e.word();
        w.store(word, host, e.memoryBase(), e.memoryIndex(), e.memoryDisplacement());
        e.moveStackPointer(-word);
    }

    private boolean pop(Instruction insn) {
        if (insn.kind(0) != OperandKind.GPR) {
            return false;
        }
        int register = insn.register(0);
        int host = BlockEmitter.host(register);
        if (host < 0 || host == GUEST_RSP) {
            popIntoRcx(0);
            e.write(register, RCX);
            return true;
        }
        int word = e.word();
        e.accessStack(false);
        w.load(word, host, e.memoryBase(), e.memoryIndex(), e.memoryScale(), e.memoryDisplacement());
        e.moveStackPointer(word);
        return true;
    }

    /// Pops into RCX and releases more bytes.
    void popIntoRcx(int more) {
        e.accessStack(false);
        int word = e.word();
        w.load(word, RCX, e.memoryBase(), e.memoryIndex(), e.memoryScale(), e.memoryDisplacement());
        e.moveStackPointer(word + more);
    }

    private boolean leave() {
        int word = e.word();
        e.access(GUEST_RBP_NUMBER, 0, false, word);
        w.load(word, RCX, e.memoryBase(), e.memoryIndex(), e.memoryScale(), e.memoryDisplacement());
        w.lea(word, GUEST_RSP, BlockEmitter.host(GUEST_RBP_NUMBER), -1, 0, word);
        e.write(GUEST_RBP_NUMBER, RCX);
        return true;
    }
}

package org.jvirt.engine.soft.translate.emit;

import static org.jvirt.engine.soft.translate.emit.BlockEmitter.GUEST_RCX;
import static org.jvirt.engine.soft.translate.emit.BlockEmitter.R13;
import static org.jvirt.engine.soft.translate.emit.BlockEmitter.RCX;
import static org.jvirt.engine.soft.translate.emit.BlockEmitter.RSP;

import org.jvirt.x86.CodeWriter;
import org.jvirt.x86.Instruction;
import org.jvirt.x86.OperandKind;

/// Instructions that the host executes as they are but for their registers and addresses. Guest registers without a
/// host register are loaded before and stored after.
final class Reencoding {
    private static final int NONE = -1;

    private final BlockEmitter e;
    private final CodeWriter w;

    Reencoding(BlockEmitter emitter) {
        e = emitter;
        w = emitter.code();
    }

    /// Writes the instruction as it is, with registers mapped and the memory operand checked. False, and nothing is
    /// written, if that cannot be done.
    boolean emit(Instruction insn) {
        for (int i = 0; i < insn.operandCount(); i++) {
            if (insn.kind(i) == OperandKind.GPR8_HIGH) {
                return emitHighByte(insn);
            }
        }
        int memory = insn.row().accessesMemory() ? insn.memoryOperand() : -1;
        int first = NONE;
        int second = NONE;
        for (int i = 0; i < insn.operandCount(); i++) {
            if (insn.kind(i) == OperandKind.GPR && BlockEmitter.host(insn.register(i)) < 0) {
                int register = insn.register(i);
                if (first == NONE || first == register) {
                    first = register;
                } else if (second == NONE || second == register) {
                    second = register;
                } else {
                    return false;
                }
            }
        }
        if (memory >= 0) {
            if (second != NONE || insn.vectorIndexSize() != 0) {
                return false;
            }
            boolean writes = insn.row().access(memory).writes();
            if (!e.access(insn, writes, insn.size(memory), insn.alignment())) {
                return false;
            }
        }
        int firstScratch = RCX;
        if (memory >= 0 && first != NONE && e.memoryBase() == RCX) {
            e.foldIntoRcx();
            firstScratch = R13;
        }
        if (first != NONE && usesOld(insn, first)) {
            w.load(8, firstScratch, RSP, StateLayout.spilled(first));
        }
        if (second != NONE && usesOld(insn, second)) {
            w.load(8, R13, RSP, StateLayout.spilled(second));
        }
        e.bringFlagsFor(insn.row());
        var encoder = w.encoder().start(insn);
        if (memory >= 0) {
            encoder.address(e.memoryBase(), e.memoryIndex(), e.memoryScale(), e.memoryDisplacement());
        }
        for (int i = 0; i < insn.operandCount(); i++) {
            if (insn.kind(i) == OperandKind.GPR) {
                int register = insn.register(i);
                int host = BlockEmitter.host(register);
                encoder.register(i, host >= 0 ? host : register == first ? firstScratch : R13);
            }
        }
        if (!w.emit()) {
            throw new IllegalStateException("No host encoding of " + insn);
        }
        if (first != NONE && changes(insn, first)) {
            w.store(8, firstScratch, RSP, StateLayout.spilled(first));
        }
        if (second != NONE && changes(insn, second)) {
            w.store(8, R13, RSP, StateLayout.spilled(second));
        }
        return true;
    }

    private static boolean usesOld(Instruction insn, int register) {
        for (int i = 0; i < insn.operandCount(); i++) {
            if (insn.kind(i) == OperandKind.GPR
                    && insn.register(i) == register
                    && (insn.row().access(i).reads() || insn.size(i) < 4)) {
                return true;
            }
        }
        return false;
    }

    private static boolean changes(Instruction insn, int register) {
        for (int i = 0; i < insn.operandCount(); i++) {
            if (insn.kind(i) == OperandKind.GPR
                    && insn.register(i) == register
                    && insn.row().access(i).writes()) {
                return true;
            }
        }
        return false;
    }

    /// AH, CH, DH and BH exclude every prefix that names R8 to R15: guest RCX comes to host RCX for the
    /// instruction.
    private boolean emitHighByte(Instruction insn) {
        int memory = insn.row().accessesMemory() ? insn.memoryOperand() : -1;
        boolean usesRcx = false;
        boolean changesRcx = false;
        for (int i = 0; i < insn.operandCount(); i++) {
            boolean general = insn.kind(i) == OperandKind.GPR;
            if (general && (insn.register(i) > 7 || insn.register(i) == 4)) {
                return false;
            }
            if ((general || insn.kind(i) == OperandKind.GPR8_HIGH) && insn.register(i) == 1) {
                usesRcx = true;
                changesRcx |= insn.row().access(i).writes();
            }
        }
        if (memory >= 0) {
            if (usesRcx || !e.access(insn, insn.row().access(memory).writes(), insn.size(memory), 0)) {
                return false;
            }
            e.foldIntoRcx();
        } else if (usesRcx) {
            w.move(RCX, GUEST_RCX);
        }
        e.bringFlagsFor(insn.row());
        var encoder = w.encoder().start(insn);
        if (memory >= 0) {
            encoder.address(RCX, NONE, 0, 0);
        }
        if (!w.emit()) {
            throw new IllegalStateException("No host encoding of " + insn);
        }
        if (changesRcx) {
            w.move(GUEST_RCX, RCX);
        }
        return true;
    }
}

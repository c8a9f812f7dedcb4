package org.jvirt.engine.soft.translate.emit;

import static org.jvirt.engine.soft.translate.emit.BlockEmitter.GUEST_RCX;
import static org.jvirt.engine.soft.translate.emit.BlockEmitter.R13;
import static org.jvirt.engine.soft.translate.emit.BlockEmitter.RAX;
import static org.jvirt.engine.soft.translate.emit.BlockEmitter.RCX;
import static org.jvirt.engine.soft.translate.emit.BlockEmitter.RDX;

import org.jvirt.x86.CodeSize;
import org.jvirt.x86.CodeWriter;
import org.jvirt.x86.Instruction;
import org.jvirt.x86.Mnemonic;
import org.jvirt.x86.OperandKind;

/// Integer instructions: most as they are, some with care for RCX, for the reach of bit strings, and for divisions
/// that would fault on the host.
public final class IntegerCode {
    private final BlockEmitter e;
    private final CodeWriter w;

    public IntegerCode(BlockEmitter emitter) {
        e = emitter;
        w = emitter.code();
    }

    /// Writes one instruction; false, and nothing is written, if the interpreter has to execute it.
    public boolean emit(Instruction insn) {
        if (insn.row().hint()) {
            return true;
        }
        return switch (insn.mnemonic()) {
            case NOP -> true;
            case MOV -> move(insn);
            case LEA -> lea(insn);
            case SHL, SHR, SAR, ROL, ROR, RCL, RCR, SHLD, SHRD -> byRcx(insn) ? shift(insn) : e.reencode(insn);
            case DIV -> divide(insn);
            case IDIV -> divideSigned(insn);
            case CMPXCHG8B, CMPXCHG16B -> exchangePair(insn);
            case BT, BTS, BTR, BTC ->
                insn.row().bitBase() && insn.memoryOperand() >= 0 ? bitString(insn) : e.reencode(insn);
            case INC, DEC -> insn.row().validIn(CodeSize.CODE64) ? e.reencode(insn) : step(insn);
            case ADD,
                    OR,
                    ADC,
                    SBB,
                    AND,
                    SUB,
                    XOR,
                    CMP,
                    TEST,
                    NEG,
                    NOT,
                    MUL,
                    IMUL,
                    MOVZX,
                    MOVSX,
                    MOVSXD,
                    XCHG,
                    XADD,
                    CMPXCHG,
                    BSWAP,
                    BSF,
                    BSR,
                    CBW,
                    CWDE,
                    CDQE,
                    CWD,
                    CDQ,
                    CQO,
                    LAHF,
                    SAHF,
                    CLC,
                    STC,
                    CMC,
                    PAUSE,
                    LFENCE,
                    MFENCE,
                    SFENCE,
                    MOVNTI,
                    LZCNT,
                    TZCNT,
                    POPCNT,
                    MOVBE,
                    CRC32,
                    ADCX,
                    ADOX,
                    ANDN,
                    BEXTR,
                    BLSI,
                    BLSMSK,
                    BLSR,
                    BZHI,
                    MULX,
                    PDEP,
                    PEXT,
                    RORX,
                    SARX,
                    SHLX,
                    SHRX,
                    CMOVA,
                    CMOVAE,
                    CMOVB,
                    CMOVBE,
                    CMOVE,
                    CMOVG,
                    CMOVGE,
                    CMOVL,
                    CMOVLE,
                    CMOVNE,
                    CMOVNO,
                    CMOVNP,
                    CMOVNS,
                    CMOVO,
                    CMOVP,
                    CMOVS,
                    SETA,
                    SETAE,
                    SETB,
                    SETBE,
                    SETE,
                    SETG,
                    SETGE,
                    SETL,
                    SETLE,
                    SETNE,
                    SETNO,
                    SETNP,
                    SETNS,
                    SETO,
                    SETP,
                    SETS -> e.reencode(insn);
            default -> false;
        };
    }

    private boolean move(Instruction insn) {
        for (int i = 0; i < 2; i++) {
            OperandKind kind = insn.kind(i);
            if (kind == OperandKind.SEGMENT || kind == OperandKind.CONTROL || kind == OperandKind.DEBUG) {
                return false;
            }
        }
        int memory = insn.memoryOperand();
        if (memory >= 0 && !insn.row().hasModRm()) {
            return direct(insn, memory == 0);
        }
        if (memory < 0 && insn.size(0) == 8 && insn.kind(1) == OperandKind.GPR) {
            return moveRegister(insn.register(0), insn.register(1));
        }
        return e.reencode(insn);
    }

    /// INC and DEC of a register in one byte, which 64-bit code does not have.
    private boolean step(Instruction insn) {
        e.bringFlagsFor(insn.row());
        int host = BlockEmitter.host(insn.register(0));
        w.registers(0xFF, insn.operandSize(), insn.mnemonic() == Mnemonic.DEC ? 1 : 0, host);
        return true;
    }

    private boolean moveRegister(int to, int from) {
        int host = BlockEmitter.host(to);
        if (host >= 0) {
            e.read(host, from);
        } else if (BlockEmitter.host(from) >= 0) {
            e.write(to, BlockEmitter.host(from));
        } else {
            e.read(RCX, from);
            e.write(to, RCX);
        }
        return true;
    }

    /// MOV between the accumulator and a 64-bit address in the instruction.
    private boolean direct(Instruction insn, boolean store) {
        int size = insn.size(0);
        if (!e.access(insn, store, size, 0)) {
            return false;
        }
        int opcode = store ? (size == 1 ? 0x88 : 0x89) : size == 1 ? 0x8A : 0x8B;
        w.memory(opcode, size, RAX, e.memoryBase(), e.memoryIndex(), e.memoryScale(), e.memoryDisplacement());
        return true;
    }

    private boolean lea(Instruction insn) {
        int size = insn.size(0);
        if (size == 2) {
            return false;
        }
        int base = insn.base();
        int index = insn.index();
        int to = BlockEmitter.host(insn.register(0));
        boolean plain = insn.addressSize() >= size
                && to >= 0
                && base != Instruction.RIP
                && (base < 0 || BlockEmitter.host(base) >= 0)
                && (index < 0 || BlockEmitter.host(index) >= 0);
        if (plain) {
            w.lea(
                    size,
                    to,
                    base < 0 ? -1 : BlockEmitter.host(base),
                    index < 0 ? -1 : BlockEmitter.host(index),
                    insn.scale(),
                    (int) insn.displacement());
        } else {
            e.emitOffset(insn, RCX, size);
            e.write(insn.register(0), RCX);
        }
        return true;
    }

    private static boolean byRcx(Instruction insn) {
        int last = insn.operandCount() - 1;
        return insn.kind(last) == OperandKind.GPR
                && insn.row().operand(last).toString().equals("CL");
    }

    /// Shifts by CL: the count has to be in the host's CL.
    private boolean shift(Instruction insn) {
        boolean twoRegisters = insn.operandCount() == 3;
        if (insn.kind(0) == OperandKind.GPR8_HIGH) {
            return false;
        }
        int source = twoRegisters ? insn.register(1) : -1;
        int from = twoRegisters ? BlockEmitter.host(source) : -1;
        if (twoRegisters && from < 0) {
            return false;
        }
        if (insn.kind(0) == OperandKind.MEMORY) {
            if (!e.access(insn, true, insn.size(0), 0)) {
                return false;
            }
            e.foldIntoR13();
            w.move(RCX, GUEST_RCX);
            e.bringFlagsFor(insn.row());
            var encoder = w.encoder().start(insn).address(R13, -1, 0, 0);
            if (twoRegisters) {
                encoder.register(1, from);
            }
            emit();
            return true;
        }
        int to = insn.register(0);
        int host = BlockEmitter.host(to);
        if (host < 0) {
            e.read(R13, to);
        }
        w.move(RCX, GUEST_RCX);
        e.bringFlagsFor(insn.row());
        var encoder = w.encoder().start(insn).register(0, host < 0 ? R13 : host);
        if (twoRegisters) {
            encoder.register(1, from);
        }
        emit();
        if (host < 0) {
            e.write(to, R13);
        }
        return true;
    }

    private void emit() {
        if (!w.emit()) {
            throw new IllegalStateException("An instruction without host encoding");
        }
    }

    /// Loads the divisor into RCX; what is above its size is undefined.
    private boolean divisor(Instruction insn) {
        int size = insn.size(0);
        if (insn.kind(0) == OperandKind.GPR8_HIGH) {
            return false;
        }
        if (insn.kind(0) == OperandKind.MEMORY) {
            if (!e.access(insn, false, size, 0)) {
                return false;
            }
            w.memory(
                    size == 1 ? 0x8A : 0x8B,
                    size,
                    RCX,
                    e.memoryBase(),
                    e.memoryIndex(),
                    e.memoryScale(),
                    e.memoryDisplacement());
        } else {
            e.read(RCX, insn.register(0));
        }
        return true;
    }

    /// Unsigned: the quotient fits if the upper half of the dividend is below the divisor, which covers zero too.
    private boolean divide(Instruction insn) {
        if (!divisor(insn)) {
            return false;
        }
        int size = insn.size(0);
        if (size == 1) {
            // cmp ah, cl
            w.byte1(0x38);
            w.byte1(0xCC);
        } else {
            w.registers(0x3B, size, RDX, RCX);
        }
        e.toInterpreter(w.jumpIf(CodeWriter.ABOVE_EQUAL));
        w.registers(size == 1 ? 0xF6 : 0xF7, size, 6, RCX);
        return true;
    }

    /// Signed: divisors 0 and -1, and dividends of more than one word, are left to the interpreter.
    private boolean divideSigned(Instruction insn) {
        int size = insn.size(0);
        if (size < 4 || !divisor(insn)) {
            return false;
        }
        w.lea(size, R13, RCX, -1, 0, 1);
        w.arithmetic(CodeWriter.CMP, size, R13, 1);
        e.toInterpreter(w.jumpIf(CodeWriter.BELOW_EQUAL));
        if (size == 8) {
            w.move(R13, RAX);
        } else {
            w.move32(R13, RAX);
        }
        w.shift(CodeWriter.SAR, size, R13, size == 8 ? 63 : 31);
        w.arithmeticRegister(CodeWriter.CMP, size, R13, RDX);
        e.toInterpreter(w.jumpIf(CodeWriter.NOT_EQUAL));
        w.registers(0xF7, size, 7, RCX);
        return true;
    }

    /// CMPXCHG8B and 16B: RCX is the upper half of the new value.
    private boolean exchangePair(Instruction insn) {
        if (!e.access(insn, true, insn.size(0), insn.alignment())) {
            return false;
        }
        e.foldIntoR13();
        w.move(RCX, GUEST_RCX);
        e.bringFlagsFor(insn.row());
        w.encoder().start(insn).address(R13, -1, 0, 0);
        emit();
        return true;
    }

    /// A bit in memory that a register numbers from the operand's address: the word that has it is addressed first.
    private boolean bitString(Instruction insn) {
        int size = insn.size(0);
        int register = insn.register(1);
        if (size == 2 || insn.addressSize() != e.word()) {
            return false;
        }
        boolean based = insn.segment() == Instruction.FS || insn.segment() == Instruction.GS;
        if (e.code32() && based) {
            // the limit is for the word, not for what it is counted from
            return false;
        }
        boolean changes = insn.row().access(0).writes();
        e.accessBit(insn, register, size, changes);
        e.foldIntoR13();
        e.read(RCX, register);
        w.arithmetic(CodeWriter.AND, 4, RCX, size * 8 - 1);
        e.bringFlagsFor(insn.row());
        w.encoder().start(insn).address(R13, -1, 0, 0).register(1, RCX);
        emit();
        return true;
    }
}

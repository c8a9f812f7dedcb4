package org.jvirt.engine.soft.translate.emit;

import static org.jvirt.engine.soft.translate.emit.BlockEmitter.GUEST_RCX;
import static org.jvirt.engine.soft.translate.emit.BlockEmitter.GUEST_RSP;
import static org.jvirt.engine.soft.translate.emit.BlockEmitter.R13;
import static org.jvirt.engine.soft.translate.emit.BlockEmitter.RAX;
import static org.jvirt.engine.soft.translate.emit.BlockEmitter.RCX;
import static org.jvirt.engine.soft.translate.emit.BlockEmitter.RDX;
import static org.jvirt.engine.soft.translate.emit.BlockEmitter.RSP;

import org.jspecify.annotations.Nullable;
import org.jvirt.engine.soft.cpu.Cpu;
import org.jvirt.engine.soft.cpu.Tlb;
import org.jvirt.x86.CodeWriter;
import org.jvirt.x86.Instruction;
import org.jvirt.x86.Mnemonic;
import org.jvirt.x86.OperandKind;

/// System instructions that are frequent and keep the rights: RFLAGS, the time-stamp counter, the bases of FS and
/// GS, selectors, and what control registers hold.
///
/// IF and DF are words of the state block while generated code runs, with their bits at their places in RFLAGS, so
/// that to set one needs no flags. Where the privilege level matters, it is 0: user code is the interpreter's.
public final class SystemCode {
    private static final int GUEST_RSP_NUMBER = 4;
    private static final int STORE = 0x89;
    /// The first of FS_BASE, GS_BASE and KERNEL_GS_BASE, negated.
    private static final int LESS_FS_BASE = 0x3FFF_FF00;

    /// Bits of an address above those that four levels of paging translate.
    private static final int NON_CANONICAL_BITS = 16;
    /// What a program's POPF may change of [StateLayout#SYSTEM_FLAGS] without changing its rights.
    private static final int POPPED = Cpu.NT | Cpu.ID;

    private final BlockEmitter e;
    private final CodeWriter w;
    private final FlagImage flags;

    public SystemCode(BlockEmitter emitter) {
        e = emitter;
        w = emitter.code();
        flags = new FlagImage(w);
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
            case POPF -> popFlags(insn);
            case SWAPGS -> e.context() != Tlb.USER && swapBases();
            case RDTSC, RDTSCP -> readCounter(insn.mnemonic() == Mnemonic.RDTSCP);
            case WRMSR -> e.context() != Tlb.USER && !CodeMode.is32(e.mode()) && writeBase();
            case RDFSBASE -> readBase(insn, StateLayout.FS_BASE);
            case RDGSBASE -> readBase(insn, StateLayout.GS_BASE);
            case WRFSBASE -> changeBase(insn, StateLayout.FS_BASE);
            case WRGSBASE -> changeBase(insn, StateLayout.GS_BASE);
            case MOV -> selector(insn) || control(insn);
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
        int word = e.word();
        if (insn.operandSize() != word) {
            return false;
        }
        e.keepFlags();
        e.access(GUEST_RSP_NUMBER, -word, true, word);
        e.freeRcx();
        flags.compose();
        w.store(word, RCX, e.memoryBase(), e.memoryIndex(), e.memoryDisplacement());
        w.lea(word, GUEST_RSP, GUEST_RSP, -1, 0, -word);
        return true;
    }

    /// MOV of a segment register to a general register.
    private boolean selector(Instruction insn) {
        if (insn.kind(0) != OperandKind.GPR || insn.kind(1) != OperandKind.SEGMENT) {
            return false;
        }
        w.load(4, RCX, RSP, StateLayout.SELECTORS + 4 * insn.register(1));
        int to = insn.register(0);
        if (insn.operandSize() != 2) {
            e.write(to, RCX);
        } else if (BlockEmitter.host(to) >= 0) {
            w.registers(STORE, 2, RCX, BlockEmitter.host(to));
        } else {
            w.store(2, RCX, RSP, StateLayout.spilled(to));
        }
        return true;
    }

    /// Goes to the interpreter unless the word at `place` is not zero. Flags must have been kept; RCX is used.
    private void require(int place) {
        w.load(4, RCX, RSP, place);
        w.registers(0x85, 4, RCX, RCX);
        e.toInterpreter(w.jumpIf(CodeWriter.EQUAL));
    }

    /// Goes to the interpreter unless RCX is canonical. Flags must have been kept; R13 is used.
    private void requireCanonical() {
        w.move(R13, RCX);
        w.shift(CodeWriter.SHL, 8, R13, NON_CANONICAL_BITS);
        w.shift(CodeWriter.SAR, 8, R13, NON_CANONICAL_BITS);
        w.arithmeticRegister(CodeWriter.CMP, 8, R13, RCX);
        e.toInterpreter(w.jumpIf(CodeWriter.NOT_EQUAL));
    }

    /// POPF of a word that leaves TF clear and the rights as they are, while no interrupt waits for an IF that it
    /// sets. It replaces all status flags.
    private boolean popFlags(Instruction insn) {
        int word = e.word();
        if (insn.operandSize() != word) {
            return false;
        }
        boolean user = e.context() == Tlb.USER;
        int changes = POPPED | (user ? 0 : Cpu.IOPL);
        e.keepFlags();
        e.access(GUEST_RSP_NUMBER, 0, false, word);
        w.load(word, RCX, e.memoryBase(), e.memoryIndex(), e.memoryScale(), e.memoryDisplacement());
        w.store(8, RCX, RSP, StateLayout.HELD);
        w.load(4, R13, RSP, StateLayout.SYSTEM_FLAGS);
        w.arithmeticRegister(CodeWriter.XOR, 4, RCX, R13);
        // TF is clear now
        w.test(4, RCX, Cpu.TF | Cpu.AC);
        e.toInterpreter(w.jumpIf(CodeWriter.NOT_EQUAL));
        if (user) {
            // with IOPL 3, IF changes, too
            w.test(4, R13, Cpu.IOPL);
            e.toInterpreter(w.jumpIf(CodeWriter.NOT_EQUAL));
        } else {
            w.test(4, RCX, Cpu.IF);
            int disables = w.jumpIf(CodeWriter.EQUAL);
            w.load(4, RCX, RSP, StateLayout.INTERRUPT_WAITS);
            w.registers(0x85, 4, RCX, RCX);
            e.toInterpreter(w.jumpIf(CodeWriter.NOT_EQUAL));
            w.here(disables);
        }
        w.load(4, RCX, RSP, StateLayout.HELD);
        w.arithmetic(CodeWriter.AND, 4, RCX, changes);
        w.arithmetic(CodeWriter.AND, 4, R13, ~changes);
        w.arithmeticRegister(CodeWriter.OR, 4, RCX, R13);
        w.store(4, RCX, RSP, StateLayout.SYSTEM_FLAGS);
        flags.set(StateLayout.HELD, Cpu.DF, StateLayout.BACKWARD);
        if (!user) {
            flags.set(StateLayout.HELD, Cpu.IF, StateLayout.INTERRUPTS_ENABLED);
        }
        w.lea(word, GUEST_RSP, GUEST_RSP, -1, 0, word);
        flags.setStatus(StateLayout.HELD);
        return true;
    }

    private boolean swapBases() {
        w.load(8, RCX, RSP, StateLayout.GS_BASE);
        w.load(8, R13, RSP, StateLayout.KERNEL_GS_BASE);
        w.store(8, RCX, RSP, StateLayout.KERNEL_GS_BASE);
        w.store(8, R13, RSP, StateLayout.GS_BASE);
        return true;
    }

    /// RDTSC and RDTSCP ask the host's clock, as the interpreter does.
    private boolean readCounter(boolean withProcessor) {
        e.keepFlags();
        require(e.context() == Tlb.USER ? StateLayout.COUNTS_FOR_PROGRAMS : StateLayout.COUNTS);
        w.callFar(e.stubs().counter);
        if (withProcessor) {
            w.load(8, GUEST_RCX, RSP, StateLayout.COUNTER_AUX);
        }
        return true;
    }

    /// WRMSR to FS_BASE, GS_BASE and KERNEL_GS_BASE.
    private boolean writeBase() {
        e.keepFlags();
        w.lea(4, RCX, GUEST_RCX, -1, 0, LESS_FS_BASE);
        w.arithmetic(CodeWriter.CMP, 4, RCX, 2);
        e.toInterpreter(w.jumpIf(CodeWriter.ABOVE));
        w.store(4, RAX, RSP, StateLayout.HELD);
        w.store(4, RDX, RSP, StateLayout.HELD + 4);
        w.load(8, RCX, RSP, StateLayout.HELD);
        requireCanonical();
        w.move(R13, RCX);
        w.lea(4, RCX, GUEST_RCX, -1, 0, LESS_FS_BASE);
        w.arithmetic(CodeWriter.CMP, 4, RCX, 2);
        int kernel = w.jumpIf(CodeWriter.EQUAL);
        w.memory(STORE, 8, R13, RSP, RCX, 3, StateLayout.FS_BASE);
        int done = w.jump();
        w.here(kernel);
        w.store(8, R13, RSP, StateLayout.KERNEL_GS_BASE);
        w.here(done);
        return true;
    }

    private boolean readBase(Instruction insn, int place) {
        e.keepFlags();
        require(StateLayout.BASE_INSTRUCTIONS);
        w.load(insn.operandSize() == 8 ? 8 : 4, RCX, RSP, place);
        e.write(insn.register(0), RCX);
        return true;
    }

    private boolean changeBase(Instruction insn, int place) {
        e.keepFlags();
        require(StateLayout.BASE_INSTRUCTIONS);
        e.read(RCX, insn.register(0));
        if (insn.operandSize() == 8) {
            requireCanonical();
        } else {
            w.move32(RCX, RCX);
        }
        w.store(8, RCX, RSP, place);
        return true;
    }

    /// MOV from CR2 and CR3.
    private boolean control(Instruction insn) {
        boolean read = insn.kind(0) == OperandKind.GPR && insn.kind(1) == OperandKind.CONTROL;
        if (!read || e.context() == Tlb.USER || CodeMode.is32(e.mode())) {
            return false;
        }
        int number = insn.register(1);
        if (number != 2 && number != 3) {
            return false;
        }
        w.load(8, RCX, RSP, number == 2 ? StateLayout.CR2 : StateLayout.CR3);
        e.write(insn.register(0), RCX);
        return true;
    }
}

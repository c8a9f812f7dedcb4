package org.jvirt.engine.soft.simd;

import org.jspecify.annotations.Nullable;
import org.jvirt.engine.soft.cpu.Address;
import org.jvirt.engine.soft.cpu.Cpu;
import org.jvirt.engine.soft.cpu.Op;
import org.jvirt.x86.Instruction;
import org.jvirt.x86.OperandKind;

/// An operation on XMM or YMM registers, with its last source in a register or in memory.
///
/// Registers are kept as indices of their low word in [Cpu#xmm] and [Cpu#ymmHigh]: twice their number. Words 0
/// and 1 of an operand are the low lane, 2 and 3 the high one.
abstract class VectorOp extends Op {
    /// VEX encoding: the destination's bits above the operation's width become zero.
    final boolean vex;
    /// The operation has 256 bits.
    final boolean wide;
    /// The destination; meaningless where it is not a vector register.
    final int dst;
    /// The first source: the destination itself in two-operand forms.
    final int a;
    /// The last source, where it is a register.
    final int b;
    /// The last source, where it is in memory.
    final @Nullable Address address;
    /// Bytes that the last source has in memory.
    final int bytes;
    /// The bits of the address that must be zero.
    final int alignmentMask;
    /// The immediate byte.
    final int imm;

    VectorOp(Instruction insn, int nextOffset) {
        this(insn, nextOffset, lastSource(insn));
    }

    /// @param source which operand is the last source, not counting a selector of BLENDV
    VectorOp(Instruction insn, int nextOffset, int source) {
        super(nextOffset);
        vex = insn.vex();
        wide = isWide(insn);
        dst = 2 * insn.register(0);
        a = source >= 2 ? 2 * insn.register(1) : dst;
        boolean memory = insn.kind(source) == OperandKind.MEMORY;
        b = memory ? 0 : 2 * insn.register(source);
        address = memory ? Address.of(insn, nextOffset) : null;
        bytes = insn.size(source);
        alignmentMask = alignmentMask(insn);
        imm = (int) insn.immediate() & 0xFF;
    }

    /// The SHA instructions take operands anywhere, as AMD's family 19h does; the manual asks for alignment.
    private static int alignmentMask(Instruction insn) {
        return switch (insn.mnemonic()) {
            case SHA1RNDS4, SHA1NEXTE, SHA1MSG1, SHA1MSG2, SHA256RNDS2, SHA256MSG1, SHA256MSG2 -> 0;
            default -> Math.max(insn.alignment() - 1, 0);
        };
    }

    private static int lastSource(Instruction insn) {
        int last = insn.operandCount() - 1;
        while (last > 0 && insn.kind(last) == OperandKind.IMMEDIATE) {
            last--;
        }
        return switch (insn.mnemonic()) {
            case BLENDVPS, BLENDVPD, PBLENDVB, SHA256RNDS2 -> 1;
            case VBLENDVPS, VBLENDVPD, VPBLENDVB -> 2;
            default -> last;
        };
    }

    static boolean isWide(Instruction insn) {
        for (int i = 0; i < insn.operandCount(); i++) {
            if (insn.kind(i) == OperandKind.YMM || insn.kind(i) == OperandKind.MEMORY && insn.size(i) == 32) {
                return true;
            }
        }
        return false;
    }

    /// Checks that the instruction may be used now.
    final void use(Cpu cpu) {
        if (vex) {
            cpu.useAvx();
        } else {
            cpu.useSse();
        }
    }

    /// The linear address of the last source, 0 if it is a register.
    final long locate(Cpu cpu) {
        Address at = address;
        if (at == null) {
            return 0;
        }
        long la = at.linear(cpu, bytes);
        if ((la & alignmentMask) != 0) {
            throw cpu.gp(0);
        }
        return la;
    }

    /// Word `i` of the last source at `la`. A memory operand of fewer bytes is zero-extended.
    final long word(Cpu cpu, long la, int i) {
        if (address == null) {
            return i < 2 ? cpu.xmm[b + i] : cpu.ymmHigh[b + i - 2];
        }
        int left = bytes - 8 * i;
        return left >= 8 ? cpu.mmu.load64(la + 8L * i) : left > 0 ? cpu.mmu.load(la, left) : 0;
    }

    /// Writes the destination with 128 bits.
    final void set(Cpu cpu, long low, long high) {
        long[] x = cpu.xmm;
        x[dst] = low;
        x[dst + 1] = high;
        if (vex) {
            cpu.ymmHigh[dst] = 0;
            cpu.ymmHigh[dst + 1] = 0;
        }
    }

    /// Writes the destination with 256 bits.
    final void set(Cpu cpu, long w0, long w1, long w2, long w3) {
        cpu.xmm[dst] = w0;
        cpu.xmm[dst + 1] = w1;
        cpu.ymmHigh[dst] = w2;
        cpu.ymmHigh[dst + 1] = w3;
    }
}

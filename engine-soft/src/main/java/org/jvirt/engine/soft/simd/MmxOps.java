package org.jvirt.engine.soft.simd;

import static org.jvirt.engine.soft.simd.PackedIntegers.join;

import org.jspecify.annotations.Nullable;
import org.jvirt.engine.soft.cpu.Address;
import org.jvirt.engine.soft.cpu.Cpu;
import org.jvirt.engine.soft.cpu.Op;
import org.jvirt.engine.soft.fp.Fp32;
import org.jvirt.engine.soft.fp.Fp64;
import org.jvirt.engine.soft.fp.Mxcsr;
import org.jvirt.engine.soft.simd.PackedIntegers.Binary;
import org.jvirt.engine.soft.simd.PackedShifts.Shift;
import org.jvirt.x86.Instruction;
import org.jvirt.x86.Mnemonic;
import org.jvirt.x86.OperandKind;

/// The instructions that have an MMX register as operand. All of them but EMMS put the x87 unit into its MMX state
/// once their memory operand has been read or written.
final class MmxOps {
    private MmxOps() {}

    /// A function of two words and the immediate.
    @FunctionalInterface
    interface Immediate {
        long apply(long a, long b, int imm);
    }

    static @Nullable Op of(Instruction insn, int nextOffset) {
        if (insn.mnemonic() == Mnemonic.EMMS) {
            return new Empty(nextOffset);
        }
        if (!usesMmx(insn)) {
            return null;
        }
        return switch (insn.mnemonic()) {
            case MOVD, MOVQ, MOVNTQ, MOVQ2DQ, MOVDQ2Q -> new Move(insn, nextOffset);
            case PSHUFW -> new ImmediateOp(insn, nextOffset, (a, b, imm) -> PackedShuffles.pshufw(b, imm));
            case PALIGNR -> new ImmediateOp(insn, nextOffset, PackedShuffles::palignr);
            case PINSRW -> new InsertWord(insn, nextOffset);
            case PEXTRW, PMOVMSKB -> new ToGeneral(insn, nextOffset);
            case MASKMOVQ -> null;
            case CVTPI2PS, CVTPI2PD -> new FromPackedIntegers(insn, nextOffset);
            case CVTPS2PI, CVTTPS2PI, CVTPD2PI, CVTTPD2PI -> new ToPackedIntegers(insn, nextOffset);
            default -> packed(insn, nextOffset);
        };
    }

    private static boolean usesMmx(Instruction insn) {
        for (int i = 0; i < insn.operandCount(); i++) {
            if (insn.kind(i) == OperandKind.MMX) {
                return true;
            }
        }
        // their first operand is an XMM register and their last may be in memory
        return insn.mnemonic() == Mnemonic.CVTPI2PS || insn.mnemonic() == Mnemonic.CVTPI2PD;
    }

    private static @Nullable Op packed(Instruction insn, int nextOffset) {
        Shift shift = ShiftOps.function(insn.mnemonic());
        if (shift != null) {
            return insn.kind(1) == OperandKind.IMMEDIATE
                    ? new ShiftByImmediate(insn, nextOffset, shift)
                    : new ShiftByOperand(insn, nextOffset, shift);
        }
        Binary function = WordOps.function(insn.mnemonic());
        if (function == null) {
            function = shuffle(insn.mnemonic());
        }
        return function == null ? null : new BinaryOp(insn, nextOffset, function);
    }

    private static @Nullable Binary shuffle(Mnemonic mnemonic) {
        return switch (mnemonic) {
            case PUNPCKLBW -> PackedShuffles::punpcklbw;
            case PUNPCKLWD -> PackedShuffles::punpcklwd;
            case PUNPCKLDQ -> PackedShuffles::punpckldq;
            case PUNPCKHBW -> PackedShuffles::punpckhbw;
            case PUNPCKHWD -> PackedShuffles::punpckhwd;
            case PUNPCKHDQ -> PackedShuffles::punpckhdq;
            case PACKSSWB -> PackedShuffles::packsswb;
            case PACKSSDW -> PackedShuffles::packssdw;
            case PACKUSWB -> PackedShuffles::packuswb;
            case PHADDW -> PackedShuffles::phaddw;
            case PHADDD -> PackedShuffles::phaddd;
            case PHADDSW -> PackedShuffles::phaddsw;
            case PHSUBW -> PackedShuffles::phsubw;
            case PHSUBD -> PackedShuffles::phsubd;
            case PHSUBSW -> PackedShuffles::phsubsw;
            case PSHUFB -> PackedShuffles::pshufb;
            default -> null;
        };
    }

    /// The second operand is an MMX register or memory.
    private abstract static class MmxOp extends Op {
        final int dst;
        final int src;
        final @Nullable Address address;
        final int bytes;
        final int imm;

        MmxOp(Instruction insn, int nextOffset) {
            super(nextOffset);
            dst = insn.register(0);
            src = insn.register(1);
            address = insn.kind(1) == OperandKind.MEMORY ? Address.of(insn, nextOffset) : null;
            bytes = insn.size(1);
            imm = (int) insn.immediate() & 0xFF;
        }

        /// Loads the second operand and enters the MMX state.
        final long begin(Cpu cpu) {
            cpu.useMmx();
            Address at = address;
            long value = at == null ? cpu.x87.mm(src) : cpu.mmu.load(at.linear(cpu, bytes), bytes);
            cpu.x87.enterMmx();
            return value;
        }
    }

    private static final class BinaryOp extends MmxOp {
        private final Binary function;

        BinaryOp(Instruction insn, int nextOffset, Binary function) {
            super(insn, nextOffset);
            this.function = function;
        }

        @Override
        public void execute(Cpu cpu) {
            long b = begin(cpu);
            cpu.x87.mm(dst, function.apply(cpu.x87.mm(dst), b));
        }
    }

    private static final class ImmediateOp extends MmxOp {
        private final Immediate function;

        ImmediateOp(Instruction insn, int nextOffset, Immediate function) {
            super(insn, nextOffset);
            this.function = function;
        }

        @Override
        public void execute(Cpu cpu) {
            long b = begin(cpu);
            cpu.x87.mm(dst, function.apply(cpu.x87.mm(dst), b, imm));
        }
    }

    private static final class ShiftByOperand extends MmxOp {
        private final Shift function;

        ShiftByOperand(Instruction insn, int nextOffset, Shift function) {
            super(insn, nextOffset);
            this.function = function;
        }

        @Override
        public void execute(Cpu cpu) {
            long b = begin(cpu);
            cpu.x87.mm(dst, function.apply(cpu.x87.mm(dst), PackedShifts.count(b)));
        }
    }

    private static final class ShiftByImmediate extends Op {
        private final Shift function;
        private final int dst;
        private final int count;

        ShiftByImmediate(Instruction insn, int nextOffset, Shift function) {
            super(nextOffset);
            this.function = function;
            dst = insn.register(0);
            count = PackedShifts.count(insn.immediate() & 0xFF);
        }

        @Override
        public void execute(Cpu cpu) {
            cpu.useMmx();
            cpu.x87.enterMmx();
            cpu.x87.mm(dst, function.apply(cpu.x87.mm(dst), count));
        }
    }

    /// `MOVD`, `MOVQ`, `MOVNTQ`, `MOVQ2DQ`, `MOVDQ2Q`.
    private static final class Move extends Op {
        private final OperandKind to;
        private final OperandKind from;
        private final int dst;
        private final int src;
        private final int bytes;
        private final @Nullable Address address;

        Move(Instruction insn, int nextOffset) {
            super(nextOffset);
            to = insn.kind(0);
            from = insn.kind(1);
            dst = insn.register(0);
            src = insn.register(1);
            bytes = insn.mnemonic() == Mnemonic.MOVD ? 4 : 8;
            address = insn.memoryOperand() >= 0 ? Address.of(insn, nextOffset) : null;
        }

        @Override
        public void execute(Cpu cpu) {
            if (to == OperandKind.XMM || from == OperandKind.XMM) {
                cpu.useSse();
            }
            cpu.useMmx();
            long value = read(cpu);
            Address at = address;
            if (to == OperandKind.MEMORY && at != null) {
                cpu.mmu.store(at.linearForWrite(cpu, bytes), bytes, value);
            }
            cpu.x87.enterMmx();
            switch (to) {
                case MMX -> cpu.x87.mm(dst, value);
                case XMM -> {
                    cpu.xmm[2 * dst] = value;
                    cpu.xmm[2 * dst + 1] = 0;
                }
                case GPR -> cpu.r[dst] = value;
                default -> {
                    // stored above
                }
            }
        }

        private long read(Cpu cpu) {
            Address at = address;
            if (from == OperandKind.MEMORY && at != null) {
                return cpu.mmu.load(at.linear(cpu, bytes), bytes);
            }
            long value = switch (from) {
                case MMX -> cpu.x87.mm(src);
                case XMM -> cpu.xmm[2 * src];
                default -> cpu.r[src];
            };
            return bytes == 8 ? value : value & 0xFFFF_FFFFL;
        }
    }

    private static final class InsertWord extends MmxOp {
        InsertWord(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            cpu.useMmx();
            Address at = address;
            long value = at == null ? cpu.r[src] : cpu.mmu.load16(at.linear(cpu, 2));
            cpu.x87.enterMmx();
            int shift = 16 * (imm & 3);
            cpu.x87.mm(dst, cpu.x87.mm(dst) & ~(0xFFFFL << shift) | (value & 0xFFFF) << shift);
        }
    }

    /// `PEXTRW` and `PMOVMSKB`.
    private static final class ToGeneral extends Op {
        private final boolean mask;
        private final int dst;
        private final int src;
        private final int shift;

        ToGeneral(Instruction insn, int nextOffset) {
            super(nextOffset);
            mask = insn.mnemonic() == Mnemonic.PMOVMSKB;
            dst = insn.register(0);
            src = insn.register(1);
            shift = 16 * ((int) insn.immediate() & 3);
        }

        @Override
        public void execute(Cpu cpu) {
            cpu.useMmx();
            cpu.x87.enterMmx();
            long value = cpu.x87.mm(src);
            cpu.r[dst] = mask ? ElementOps.signs(value, 8) : value >>> shift & 0xFFFF;
        }
    }

    /// `CVTPI2PS` and `CVTPI2PD`. With a memory operand they leave the x87 unit alone; with a register it enters
    /// the MMX state even if `#XM` follows.
    private static final class FromPackedIntegers extends MmxOp {
        private final boolean single;

        FromPackedIntegers(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
            single = insn.mnemonic() == Mnemonic.CVTPI2PS;
        }

        @Override
        public void execute(Cpu cpu) {
            cpu.useSse();
            Address at = address;
            boolean mmx = at == null;
            if (mmx) {
                cpu.useMmx();
            }
            long source = at == null ? cpu.x87.mm(src) : cpu.mmu.load64(at.linear(cpu, 8));
            Mxcsr m = cpu.mxcsr;
            m.begin();
            int x = (int) source;
            int y = (int) (source >>> 32);
            long low = single ? join(Fp32.fromInt32(m, x), Fp32.fromInt32(m, y)) : Fp64.fromInt32(x);
            long high = single ? cpu.xmm[2 * dst + 1] : Fp64.fromInt32(y);
            if (mmx) {
                cpu.x87.enterMmx();
            }
            if (m.commit()) {
                throw cpu.xm();
            }
            cpu.xmm[2 * dst] = low;
            cpu.xmm[2 * dst + 1] = high;
        }
    }

    /// `CVTPS2PI`, `CVTPD2PI` and the truncating ones. The x87 unit enters the MMX state even if `#XM` follows.
    private static final class ToPackedIntegers extends VectorOp {
        private final boolean single;
        private final boolean truncating;
        private final int register;

        ToPackedIntegers(Instruction insn, int nextOffset) {
            super(insn, nextOffset, 1);
            single = insn.mnemonic() == Mnemonic.CVTPS2PI || insn.mnemonic() == Mnemonic.CVTTPS2PI;
            truncating = insn.mnemonic() == Mnemonic.CVTTPS2PI || insn.mnemonic() == Mnemonic.CVTTPD2PI;
            register = insn.register(0);
        }

        @Override
        public void execute(Cpu cpu) {
            cpu.useSse();
            cpu.useMmx();
            long la = locate(cpu);
            long b0 = word(cpu, la, 0);
            long b1 = single ? b0 >>> 32 : word(cpu, la, 1);
            Mxcsr m = cpu.mxcsr;
            m.begin();
            long result = join(convert(m, b0), convert(m, b1));
            cpu.x87.enterMmx();
            if (m.commit()) {
                throw cpu.xm();
            }
            cpu.x87.mm(register, result);
        }

        private int convert(Mxcsr m, long source) {
            if (single) {
                return truncating ? Fp32.truncateToInt32(m, (int) source) : Fp32.toInt32(m, (int) source);
            }
            return truncating ? Fp64.truncateToInt32(m, source) : Fp64.toInt32(m, source);
        }
    }

    private static final class Empty extends Op {
        Empty(int nextOffset) {
            super(nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            cpu.useMmx();
            cpu.x87.emms();
        }
    }
}

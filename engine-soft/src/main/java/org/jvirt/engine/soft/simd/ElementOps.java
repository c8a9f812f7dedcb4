package org.jvirt.engine.soft.simd;

import org.jspecify.annotations.Nullable;
import org.jvirt.engine.soft.cpu.Address;
import org.jvirt.engine.soft.cpu.Cpu;
import org.jvirt.engine.soft.cpu.Op;
import org.jvirt.x86.Instruction;
import org.jvirt.x86.OperandKind;

/// Single elements in and out of vector registers, sign masks, widening of elements, selection by a mask register,
/// tests of all bits, and `SHA256RNDS2`, whose third operand is XMM0.
final class ElementOps {
    private ElementOps() {}

    static @Nullable Op of(Instruction insn, int nextOffset) {
        return switch (insn.mnemonic()) {
            case MOVMSKPS, VMOVMSKPS -> new SignMask(insn, nextOffset, 32);
            case MOVMSKPD, VMOVMSKPD -> new SignMask(insn, nextOffset, 64);
            case PMOVMSKB, VPMOVMSKB -> new SignMask(insn, nextOffset, 8);
            case PINSRB, VPINSRB -> new Insert(insn, nextOffset, 8);
            case PINSRW, VPINSRW -> new Insert(insn, nextOffset, 16);
            case PINSRD, VPINSRD -> new Insert(insn, nextOffset, 32);
            case PINSRQ, VPINSRQ -> new Insert(insn, nextOffset, 64);
            case INSERTPS, VINSERTPS -> new InsertSingle(insn, nextOffset);
            case PEXTRB, VPEXTRB -> new Extract(insn, nextOffset, 8);
            case PEXTRW, VPEXTRW -> new Extract(insn, nextOffset, 16);
            case PEXTRD, VPEXTRD, EXTRACTPS, VEXTRACTPS -> new Extract(insn, nextOffset, 32);
            case PEXTRQ, VPEXTRQ -> new Extract(insn, nextOffset, 64);
            case PMOVSXBW, VPMOVSXBW -> new Widen(insn, nextOffset, 8, 16, true);
            case PMOVSXBD, VPMOVSXBD -> new Widen(insn, nextOffset, 8, 32, true);
            case PMOVSXBQ, VPMOVSXBQ -> new Widen(insn, nextOffset, 8, 64, true);
            case PMOVSXWD, VPMOVSXWD -> new Widen(insn, nextOffset, 16, 32, true);
            case PMOVSXWQ, VPMOVSXWQ -> new Widen(insn, nextOffset, 16, 64, true);
            case PMOVSXDQ, VPMOVSXDQ -> new Widen(insn, nextOffset, 32, 64, true);
            case PMOVZXBW, VPMOVZXBW -> new Widen(insn, nextOffset, 8, 16, false);
            case PMOVZXBD, VPMOVZXBD -> new Widen(insn, nextOffset, 8, 32, false);
            case PMOVZXBQ, VPMOVZXBQ -> new Widen(insn, nextOffset, 8, 64, false);
            case PMOVZXWD, VPMOVZXWD -> new Widen(insn, nextOffset, 16, 32, false);
            case PMOVZXWQ, VPMOVZXWQ -> new Widen(insn, nextOffset, 16, 64, false);
            case PMOVZXDQ, VPMOVZXDQ -> new Widen(insn, nextOffset, 32, 64, false);
            case PBLENDVB, VPBLENDVB -> new Select(insn, nextOffset, 8);
            case BLENDVPS, VBLENDVPS -> new Select(insn, nextOffset, 32);
            case BLENDVPD, VBLENDVPD -> new Select(insn, nextOffset, 64);
            case SHA256RNDS2 -> new TwoRounds(insn, nextOffset);
            case PTEST, VPTEST -> new Test(insn, nextOffset, -1);
            case VTESTPS -> new Test(insn, nextOffset, 0x8000_0000_8000_0000L);
            case VTESTPD -> new Test(insn, nextOffset, Long.MIN_VALUE);
            default -> null;
        };
    }

    /// The sign bits of elements of `bits` bits, next to each other.
    static int signs(long word, int bits) {
        return switch (bits) {
            case 64 -> (int) (word >>> 63);
            case 32 -> (int) (word >>> 31 & 1 | word >>> 62 & 2);
            // the multiplication moves bit 8i to bit 56 + i, without any carries
            default -> (int) ((word >>> 7 & 0x0101_0101_0101_0101L) * 0x0102_0408_1020_4080L >>> 56);
        };
    }

    private static final class SignMask extends VectorOp {
        private final int bits;
        private final int register;

        SignMask(Instruction insn, int nextOffset, int bits) {
            super(insn, nextOffset, 1);
            this.bits = bits;
            register = insn.register(0);
        }

        @Override
        public void execute(Cpu cpu) {
            use(cpu);
            int perWord = 64 / bits;
            long mask = signs(cpu.xmm[b], bits) | signs(cpu.xmm[b + 1], bits) << perWord;
            if (wide) {
                long high = signs(cpu.ymmHigh[b], bits) | signs(cpu.ymmHigh[b + 1], bits) << perWord;
                mask |= high << 2 * perWord;
            }
            cpu.r[register] = mask;
        }
    }

    /// `PINSRB` to `PINSRQ`.
    private static final class Insert extends VectorOp {
        private final int register;
        private final int shift;
        private final int half;
        private final long mask;

        Insert(Instruction insn, int nextOffset, int bits) {
            super(insn, nextOffset);
            int source = insn.operandCount() - 2;
            register = insn.register(source);
            int bit = imm * bits & 127;
            half = bit >>> 6;
            shift = bit & 63;
            mask = (bits == 64 ? -1L : (1L << bits) - 1) << shift;
        }

        @Override
        public void execute(Cpu cpu) {
            use(cpu);
            long value = (address == null ? cpu.r[register] : word(cpu, locate(cpu), 0)) << shift & mask;
            long low = cpu.xmm[a];
            long high = cpu.xmm[a + 1];
            if (half == 0) {
                set(cpu, low & ~mask | value, high);
            } else {
                set(cpu, low, high & ~mask | value);
            }
        }
    }

    private static final class InsertSingle extends VectorOp {
        InsertSingle(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            use(cpu);
            long la = locate(cpu);
            long value = LaneFunctions.insertps(word(cpu, la, 0), word(cpu, la, 1), imm, address != null);
            int at = imm >>> 4 & 3;
            long low = cpu.xmm[a];
            long high = cpu.xmm[a + 1];
            long keep = ~(0xFFFF_FFFFL << 32 * (at & 1));
            value <<= 32 * (at & 1);
            if (at < 2) {
                low = low & keep | value;
            } else {
                high = high & keep | value;
            }
            set(cpu, low & kept(imm), high & kept(imm >>> 2));
        }

        /// The elements of a word whose bits in the zero mask are clear.
        private static long kept(int zeros) {
            return ((zeros & 1) == 0 ? 0xFFFF_FFFFL : 0) | ((zeros & 2) == 0 ? 0xFFFF_FFFF_0000_0000L : 0);
        }
    }

    /// `PEXTRB` to `PEXTRQ`, `EXTRACTPS`: zero-extended in a register.
    private static final class Extract extends Op {
        private final boolean vex;
        private final int src;
        private final int register;
        private final @Nullable Address address;
        private final int bytes;
        private final int shift;
        private final long mask;

        Extract(Instruction insn, int nextOffset, int bits) {
            super(nextOffset);
            vex = insn.vex();
            int bit = (int) insn.immediate() * bits & 127;
            src = 2 * insn.register(1) + (bit >>> 6);
            shift = bit & 63;
            mask = bits == 64 ? -1L : (1L << bits) - 1;
            bytes = bits / 8;
            register = insn.register(0);
            address = insn.kind(0) == OperandKind.MEMORY ? Address.of(insn, nextOffset) : null;
        }

        @Override
        public void execute(Cpu cpu) {
            if (vex) {
                cpu.useAvx();
            } else {
                cpu.useSse();
            }
            long value = cpu.xmm[src] >>> shift & mask;
            if (address == null) {
                cpu.r[register] = value;
            } else {
                cpu.mmu.store(address.linearForWrite(cpu, bytes), bytes, value);
            }
        }
    }

    /// The elements of `from` bits in the low bits of `bits`, widened to `to` bits each, as many as fit.
    static long widen(long bits, int from, int to, boolean signed) {
        long result = 0;
        for (int i = 0; i < 64 / to; i++) {
            long element = bits << 64 - from - i * from;
            element = signed ? element >> 64 - from : element >>> 64 - from;
            result |= (to == 64 ? element : element & (1L << to) - 1) << i * to;
        }
        return result;
    }

    private static final class Widen extends VectorOp {
        private final int from;
        private final int to;
        private final boolean signed;
        /// Source bits for one word of the result.
        private final int step;

        Widen(Instruction insn, int nextOffset, int from, int to, boolean signed) {
            super(insn, nextOffset);
            this.from = from;
            this.to = to;
            this.signed = signed;
            step = 64 * from / to;
        }

        @Override
        public void execute(Cpu cpu) {
            use(cpu);
            long la = locate(cpu);
            long b0 = word(cpu, la, 0);
            if (!wide) {
                set(cpu, widen(b0, from, to, signed), widen(b0 >>> step, from, to, signed));
                return;
            }
            long b1 = word(cpu, la, 1);
            long upper = step == 32 ? b1 : b0 >>> 2 * step;
            set(
                    cpu,
                    widen(b0, from, to, signed),
                    widen(b0 >>> step, from, to, signed),
                    widen(upper, from, to, signed),
                    widen(upper >>> step, from, to, signed));
        }
    }

    /// All ones in each element of `bits` bits whose sign bit is set.
    static long spreadSigns(long word, int bits) {
        return switch (bits) {
            case 64 -> word >> 63;
            case 32 -> (word >>> 31 & 0x1_0000_0001L) * 0xFFFF_FFFFL;
            default -> (word >>> 7 & 0x0101_0101_0101_0101L) * 0xFF;
        };
    }

    private static long select(long a, long b, long mask) {
        return a & ~mask | b & mask;
    }

    /// `PBLENDVB`, `BLENDVPS`, `BLENDVPD`: the mask register is XMM0 or the last operand.
    private static final class Select extends VectorOp {
        private final int bits;
        private final int mask;

        Select(Instruction insn, int nextOffset, int bits) {
            super(insn, nextOffset);
            this.bits = bits;
            mask = insn.vex() ? 2 * insn.register(3) : 0;
        }

        @Override
        public void execute(Cpu cpu) {
            use(cpu);
            long la = locate(cpu);
            long[] x = cpu.xmm;
            long w0 = select(x[a], word(cpu, la, 0), spreadSigns(x[mask], bits));
            long w1 = select(x[a + 1], word(cpu, la, 1), spreadSigns(x[mask + 1], bits));
            if (wide) {
                long[] y = cpu.ymmHigh;
                long w2 = select(y[a], word(cpu, la, 2), spreadSigns(y[mask], bits));
                long w3 = select(y[a + 1], word(cpu, la, 3), spreadSigns(y[mask + 1], bits));
                set(cpu, w0, w1, w2, w3);
            } else {
                set(cpu, w0, w1);
            }
        }
    }

    /// `SHA256RNDS2`, with the message words in XMM0.
    private static final class TwoRounds extends VectorOp {
        TwoRounds(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            use(cpu);
            long la = locate(cpu);
            long b0 = word(cpu, la, 0);
            long b1 = word(cpu, la, 1);
            long a0 = cpu.xmm[a];
            long a1 = cpu.xmm[a + 1];
            long wk = cpu.xmm[0];
            set(cpu, Sha.sha256rnds2(0, a0, a1, b0, b1, wk), Sha.sha256rnds2(1, a0, a1, b0, b1, wk));
        }
    }

    /// `PTEST` and its relatives: ZF for `a & b`, CF for `~a & b`, of the bits in `mask`.
    private static final class Test extends VectorOp {
        private final long mask;

        Test(Instruction insn, int nextOffset, long mask) {
            super(insn, nextOffset);
            this.mask = mask;
        }

        @Override
        public void execute(Cpu cpu) {
            use(cpu);
            long la = locate(cpu);
            long b0 = word(cpu, la, 0);
            long b1 = word(cpu, la, 1);
            long both = cpu.xmm[dst] & b0 | cpu.xmm[dst + 1] & b1;
            long rest = ~cpu.xmm[dst] & b0 | ~cpu.xmm[dst + 1] & b1;
            if (wide) {
                long b2 = word(cpu, la, 2);
                long b3 = word(cpu, la, 3);
                both |= cpu.ymmHigh[dst] & b2 | cpu.ymmHigh[dst + 1] & b3;
                rest |= ~cpu.ymmHigh[dst] & b2 | ~cpu.ymmHigh[dst + 1] & b3;
            }
            cpu.flags.unpack(((both & mask) == 0 ? 0x40 : 0) | ((rest & mask) == 0 ? 1 : 0));
        }
    }
}

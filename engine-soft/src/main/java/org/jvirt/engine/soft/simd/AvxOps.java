package org.jvirt.engine.soft.simd;

import static org.jvirt.engine.soft.simd.PackedIntegers.join;

import org.jspecify.annotations.Nullable;
import org.jvirt.engine.soft.cpu.Cpu;
import org.jvirt.engine.soft.cpu.Op;
import org.jvirt.engine.soft.fp.Fp16;
import org.jvirt.engine.soft.fp.Mxcsr;
import org.jvirt.x86.Instruction;
import org.jvirt.x86.OperandKind;

/// AVX and AVX2 instructions without a legacy form that move elements between lanes, and the conversions of half
/// precision.
final class AvxOps {
    private AvxOps() {}

    static @Nullable Op of(Instruction insn, int nextOffset) {
        return switch (insn.mnemonic()) {
            case VBROADCASTSS, VPBROADCASTD -> new Broadcast(insn, nextOffset, 32);
            case VBROADCASTSD, VPBROADCASTQ -> new Broadcast(insn, nextOffset, 64);
            case VPBROADCASTB -> new Broadcast(insn, nextOffset, 8);
            case VPBROADCASTW -> new Broadcast(insn, nextOffset, 16);
            case VBROADCASTF128, VBROADCASTI128 -> new BroadcastLane(insn, nextOffset);
            case VINSERTF128, VINSERTI128 -> new InsertLane(insn, nextOffset);
            case VEXTRACTF128, VEXTRACTI128 -> new ExtractLane(insn, nextOffset);
            case VPERM2F128, VPERM2I128 -> new PermuteLanes(insn, nextOffset);
            case VPERMQ, VPERMPD -> new PermuteWords(insn, nextOffset);
            case VPERMD, VPERMPS -> new PermuteElements(insn, nextOffset);
            case VCVTPH2PS -> new FromHalf(insn, nextOffset);
            case VCVTPS2PH -> new ToHalf(insn, nextOffset);
            default -> null;
        };
    }

    private static final class Broadcast extends VectorOp {
        private final int bits;

        Broadcast(Instruction insn, int nextOffset, int bits) {
            super(insn, nextOffset);
            this.bits = bits;
        }

        @Override
        public void execute(Cpu cpu) {
            cpu.useAvx();
            long element = word(cpu, locate(cpu), 0);
            long value = switch (bits) {
                case 8 -> (element & 0xFF) * 0x0101_0101_0101_0101L;
                case 16 -> (element & 0xFFFF) * 0x0001_0001_0001_0001L;
                case 32 -> (element & 0xFFFF_FFFFL) * 0x1_0000_0001L;
                default -> element;
            };
            if (wide) {
                set(cpu, value, value, value, value);
            } else {
                set(cpu, value, value);
            }
        }
    }

    private static final class BroadcastLane extends VectorOp {
        BroadcastLane(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            cpu.useAvx();
            long la = locate(cpu);
            long low = word(cpu, la, 0);
            long high = word(cpu, la, 1);
            set(cpu, low, high, low, high);
        }
    }

    private static final class InsertLane extends VectorOp {
        InsertLane(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            cpu.useAvx();
            long la = locate(cpu);
            long low = word(cpu, la, 0);
            long high = word(cpu, la, 1);
            if ((imm & 1) == 0) {
                set(cpu, low, high, cpu.ymmHigh[a], cpu.ymmHigh[a + 1]);
            } else {
                set(cpu, cpu.xmm[a], cpu.xmm[a + 1], low, high);
            }
        }
    }

    private static final class ExtractLane extends MoveOps.Store {
        private final boolean memory;
        private final int dst;
        private final boolean high;

        ExtractLane(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
            memory = insn.kind(0) == OperandKind.MEMORY;
            dst = 2 * insn.register(0);
            high = (insn.immediate() & 1) != 0;
        }

        @Override
        public void execute(Cpu cpu) {
            cpu.useAvx();
            long[] from = high ? cpu.ymmHigh : cpu.xmm;
            long w0 = from[src];
            long w1 = from[src + 1];
            if (memory) {
                long la = locate(cpu, 16);
                cpu.mmu.checkWrite(la, 16);
                cpu.mmu.store64(la, w0);
                cpu.mmu.store64(la + 8, w1);
            } else {
                cpu.xmm[dst] = w0;
                cpu.xmm[dst + 1] = w1;
                cpu.ymmHigh[dst] = 0;
                cpu.ymmHigh[dst + 1] = 0;
            }
        }
    }

    /// `VPERM2F128`: for each lane one of the four source lanes, or zero.
    private static final class PermuteLanes extends VectorOp {
        PermuteLanes(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            cpu.useAvx();
            long la = locate(cpu);
            long b0 = word(cpu, la, 0);
            long b1 = word(cpu, la, 1);
            long b2 = word(cpu, la, 2);
            long b3 = word(cpu, la, 3);
            long w0 = select(cpu, imm, 0, b0, b2);
            long w1 = select(cpu, imm, 1, b1, b3);
            long w2 = select(cpu, imm >>> 4, 0, b0, b2);
            long w3 = select(cpu, imm >>> 4, 1, b1, b3);
            set(cpu, w0, w1, w2, w3);
        }

        private long select(Cpu cpu, int selector, int word, long low, long high) {
            if ((selector & 8) != 0) {
                return 0;
            }
            return switch (selector & 3) {
                case 0 -> cpu.xmm[a + word];
                case 1 -> cpu.ymmHigh[a + word];
                case 2 -> low;
                default -> high;
            };
        }
    }

    /// `VPERMQ` and `VPERMPD`.
    private static final class PermuteWords extends VectorOp {
        PermuteWords(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            cpu.useAvx();
            long la = locate(cpu);
            long b0 = word(cpu, la, 0);
            long b1 = word(cpu, la, 1);
            long b2 = word(cpu, la, 2);
            long b3 = word(cpu, la, 3);
            set(
                    cpu,
                    select(imm, b0, b1, b2, b3),
                    select(imm >>> 2, b0, b1, b2, b3),
                    select(imm >>> 4, b0, b1, b2, b3),
                    select(imm >>> 6, b0, b1, b2, b3));
        }
    }

    private static long select(int selector, long b0, long b1, long b2, long b3) {
        return switch (selector & 3) {
            case 0 -> b0;
            case 1 -> b1;
            case 2 -> b2;
            default -> b3;
        };
    }

    /// `VPERMD` and `VPERMPS`: the first source has the selectors.
    private static final class PermuteElements extends VectorOp {
        PermuteElements(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            cpu.useAvx();
            long la = locate(cpu);
            long b0 = word(cpu, la, 0);
            long b1 = word(cpu, la, 1);
            long b2 = word(cpu, la, 2);
            long b3 = word(cpu, la, 3);
            set(
                    cpu,
                    pair(cpu.xmm[a], b0, b1, b2, b3),
                    pair(cpu.xmm[a + 1], b0, b1, b2, b3),
                    pair(cpu.ymmHigh[a], b0, b1, b2, b3),
                    pair(cpu.ymmHigh[a + 1], b0, b1, b2, b3));
        }

        private static long pair(long selectors, long b0, long b1, long b2, long b3) {
            return join(element((int) selectors, b0, b1, b2, b3), element((int) (selectors >>> 32), b0, b1, b2, b3));
        }

        private static int element(int selector, long b0, long b1, long b2, long b3) {
            return (int) (select(selector >>> 1, b0, b1, b2, b3) >>> 32 * (selector & 1));
        }
    }

    private static final class FromHalf extends VectorOp {
        FromHalf(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        private static long pair(Mxcsr m, long halves) {
            return join(Fp16.toF32(m, (int) halves & 0xFFFF), Fp16.toF32(m, (int) (halves >>> 16) & 0xFFFF));
        }

        @Override
        public void execute(Cpu cpu) {
            cpu.useAvx();
            long la = locate(cpu);
            long b0 = word(cpu, la, 0);
            long b1 = wide ? word(cpu, la, 1) : 0;
            Mxcsr m = cpu.mxcsr;
            m.begin();
            long w0 = pair(m, b0);
            long w1 = pair(m, b0 >>> 32);
            long w2 = wide ? pair(m, b1) : 0;
            long w3 = wide ? pair(m, b1 >>> 32) : 0;
            if (m.commit()) {
                throw cpu.xm();
            }
            if (wide) {
                set(cpu, w0, w1, w2, w3);
            } else {
                set(cpu, w0, w1);
            }
        }
    }

    /// The destination is a register or memory, of half the source's width.
    private static final class ToHalf extends MoveOps.Store {
        private final boolean memory;
        private final boolean wide;
        private final int dst;
        private final int imm;

        ToHalf(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
            memory = insn.kind(0) == OperandKind.MEMORY;
            wide = VectorOp.isWide(insn);
            dst = 2 * insn.register(0);
            imm = (int) insn.immediate();
        }

        private long four(Mxcsr m, long x, long y) {
            return Fp16.fromF32(m, (int) x, imm) & 0xFFFFL
                    | (Fp16.fromF32(m, (int) (x >>> 32), imm) & 0xFFFFL) << 16
                    | (Fp16.fromF32(m, (int) y, imm) & 0xFFFFL) << 32
                    | (Fp16.fromF32(m, (int) (y >>> 32), imm) & 0xFFFFL) << 48;
        }

        @Override
        public void execute(Cpu cpu) {
            cpu.useAvx();
            int size = wide ? 16 : 8;
            long la = memory ? locate(cpu, size) : 0;
            if (memory) {
                cpu.mmu.checkWrite(la, size);
            }
            Mxcsr m = cpu.mxcsr;
            m.begin();
            long low = four(m, cpu.xmm[src], cpu.xmm[src + 1]);
            long high = wide ? four(m, cpu.ymmHigh[src], cpu.ymmHigh[src + 1]) : 0;
            if (m.commit()) {
                throw cpu.xm();
            }
            if (memory) {
                cpu.mmu.store64(la, low);
                if (wide) {
                    cpu.mmu.store64(la + 8, high);
                }
            } else {
                cpu.xmm[dst] = low;
                cpu.xmm[dst + 1] = high;
                cpu.ymmHigh[dst] = 0;
                cpu.ymmHigh[dst + 1] = 0;
            }
        }
    }
}

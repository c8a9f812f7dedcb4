package org.jvirt.engine.soft.simd;

import org.jspecify.annotations.Nullable;
import org.jvirt.engine.soft.cpu.Address;
import org.jvirt.engine.soft.cpu.Cpu;
import org.jvirt.engine.soft.cpu.Op;
import org.jvirt.engine.soft.fp.Mxcsr;
import org.jvirt.x86.Instruction;
import org.jvirt.x86.Mnemonic;

/// MXCSR, stores of selected bytes, clearing of upper halves.
final class ControlOps {
    private ControlOps() {}

    static @Nullable Op of(Instruction insn, int nextOffset) {
        return switch (insn.mnemonic()) {
            case LDMXCSR, VLDMXCSR -> new LoadMxcsr(insn, nextOffset);
            case STMXCSR, VSTMXCSR -> new StoreMxcsr(insn, nextOffset);
            case MASKMOVDQU, VMASKMOVDQU, MASKMOVQ -> new MaskedStore(insn, nextOffset);
            case VZEROUPPER, VZEROALL -> new Zero(insn, nextOffset);
            default -> null;
        };
    }

    private static final class LoadMxcsr extends Op {
        private final boolean vex;
        private final Address address;

        LoadMxcsr(Instruction insn, int nextOffset) {
            super(nextOffset);
            vex = insn.vex();
            address = Address.of(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            if (vex) {
                cpu.useAvx();
            } else {
                cpu.useSse();
            }
            int value = cpu.mmu.load32(address.linear(cpu, 4));
            if ((value & ~Mxcsr.MASK) != 0) {
                throw cpu.gp(0);
            }
            cpu.mxcsr.value(value);
        }
    }

    private static final class StoreMxcsr extends Op {
        private final boolean vex;
        private final Address address;

        StoreMxcsr(Instruction insn, int nextOffset) {
            super(nextOffset);
            vex = insn.vex();
            address = Address.of(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            if (vex) {
                cpu.useAvx();
            } else {
                cpu.useSse();
            }
            cpu.mmu.store32(address.linearForWrite(cpu, 4), cpu.mxcsr.value());
        }
    }

    /// `MASKMOVDQU` and `MASKMOVQ`: the bytes of the first operand whose mask byte in the second is negative go to
    /// DS:rDI. Bytes that are not selected do not fault.
    private static final class MaskedStore extends Op {
        private final boolean vex;
        private final boolean mmx;
        private final int data;
        private final int mask;
        private final int segment;
        private final long offsetMask;

        MaskedStore(Instruction insn, int nextOffset) {
            super(nextOffset);
            vex = insn.vex();
            mmx = insn.mnemonic() == Mnemonic.MASKMOVQ;
            data = insn.register(0);
            mask = insn.register(1);
            segment = insn.segment();
            offsetMask = switch (insn.addressSize()) {
                case 2 -> 0xFFFF;
                case 4 -> 0xFFFF_FFFFL;
                default -> -1;
            };
        }

        @Override
        public void execute(Cpu cpu) {
            if (mmx) {
                cpu.useMmx();
                store(cpu, cpu.x87.mm(data), 0, ElementOps.signs(cpu.x87.mm(mask), 8));
                cpu.x87.enterMmx();
                return;
            }
            if (vex) {
                cpu.useAvx();
            } else {
                cpu.useSse();
            }
            long[] x = cpu.xmm;
            int selected = ElementOps.signs(x[2 * mask], 8) | ElementOps.signs(x[2 * mask + 1], 8) << 8;
            store(cpu, x[2 * data], x[2 * data + 1], selected);
        }

        private void store(Cpu cpu, long low, long high, int selected) {
            long offset = cpu.r[Cpu.RDI];
            for (int bits = selected; bits != 0; bits &= bits - 1) {
                cpu.mmu.checkWrite(linear(cpu, offset, Integer.numberOfTrailingZeros(bits)), 1);
            }
            for (int bits = selected; bits != 0; bits &= bits - 1) {
                int i = Integer.numberOfTrailingZeros(bits);
                long word = i < 8 ? low : high;
                cpu.mmu.store8(linear(cpu, offset, i), (int) (word >>> 8 * (i & 7)));
            }
        }

        private long linear(Cpu cpu, long offset, int i) {
            return cpu.segments.linear(segment, offset + i & offsetMask, 1, true);
        }
    }

    /// `VZEROUPPER` and `VZEROALL`: outside 64-bit mode only the first eight registers.
    private static final class Zero extends Op {
        private final boolean all;
        private final int count;

        Zero(Instruction insn, int nextOffset) {
            super(nextOffset);
            all = insn.mnemonic() == Mnemonic.VZEROALL;
            count = insn.codeSize().isLong() ? 32 : 16;
        }

        @Override
        public void execute(Cpu cpu) {
            cpu.useAvx();
            for (int i = 0; i < count; i++) {
                cpu.ymmHigh[i] = 0;
                if (all) {
                    cpu.xmm[i] = 0;
                }
            }
        }
    }
}

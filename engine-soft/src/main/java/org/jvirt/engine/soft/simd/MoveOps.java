package org.jvirt.engine.soft.simd;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import org.jspecify.annotations.Nullable;
import org.jvirt.engine.soft.cpu.Address;
import org.jvirt.engine.soft.cpu.Cpu;
import org.jvirt.engine.soft.cpu.Op;
import org.jvirt.x86.Instruction;
import org.jvirt.x86.Mnemonic;
import org.jvirt.x86.OperandKind;

/// Moves of whole XMM and YMM registers and of their low elements. Those that keep a part of the destination and
/// have a vector register or memory as source are in [LaneOps].
final class MoveOps {
    private static final ValueLayout.OfLong WORD = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    /// Where in a page the last 16 bytes begin.
    private static final int LAST_IN_PAGE = 0xFF0;

    private MoveOps() {}

    static @Nullable Op of(Instruction insn, int nextOffset) {
        return switch (insn.mnemonic()) {
            case MOVAPS,
                    MOVAPD,
                    MOVUPS,
                    MOVUPD,
                    MOVDQA,
                    MOVDQU,
                    LDDQU,
                    MOVNTDQA,
                    MOVNTPS,
                    MOVNTPD,
                    MOVNTDQ,
                    VMOVAPS,
                    VMOVAPD,
                    VMOVUPS,
                    VMOVUPD,
                    VMOVDQA,
                    VMOVDQU,
                    VLDDQU,
                    VMOVNTDQA,
                    VMOVNTPS,
                    VMOVNTPD,
                    VMOVNTDQ -> whole(insn, nextOffset);
            case MOVSS, VMOVSS, MOVSD, VMOVSD -> scalar(insn, nextOffset);
            case MOVD, VMOVD, MOVQ, VMOVQ -> hasMmx(insn) ? null : element(insn, nextOffset);
            case MOVLPS, VMOVLPS, MOVLPD, VMOVLPD, MOVNTSS, MOVNTSD ->
                stores(insn) ? new StoreLow(insn, nextOffset) : null;
            case MOVHPS, VMOVHPS, MOVHPD, VMOVHPD -> stores(insn) ? new StoreHigh(insn, nextOffset) : null;
            default -> null;
        };
    }

    private static boolean stores(Instruction insn) {
        return insn.kind(0) == OperandKind.MEMORY;
    }

    private static boolean hasMmx(Instruction insn) {
        return insn.kind(0) == OperandKind.MMX || insn.kind(1) == OperandKind.MMX;
    }

    private static Op whole(Instruction insn, int nextOffset) {
        boolean plain = !insn.vex();
        if (stores(insn)) {
            return plain ? new Store16(insn, nextOffset) : new StoreVex(insn, nextOffset);
        }
        if (plain) {
            return insn.kind(1) == OperandKind.MEMORY ? new Load16(insn, nextOffset) : new Copy16(insn, nextOffset);
        }
        return new MoveVex(insn, nextOffset);
    }

    private static Op scalar(Instruction insn, int nextOffset) {
        if (stores(insn)) {
            return new StoreLow(insn, nextOffset);
        }
        if (insn.kind(1) == OperandKind.MEMORY) {
            return new LoadLow(insn, nextOffset);
        }
        return new Merge(insn, nextOffset);
    }

    private static Op element(Instruction insn, int nextOffset) {
        return switch (insn.kind(0)) {
            case MEMORY -> new StoreLow(insn, nextOffset);
            case GPR -> new ToGeneral(insn, nextOffset);
            default ->
                switch (insn.kind(1)) {
                    case MEMORY -> new LoadLow(insn, nextOffset);
                    case GPR -> new FromGeneral(insn, nextOffset);
                    default -> new CopyLow(insn, nextOffset);
                };
        };
    }

    /// What is common to the operations that store from a vector register.
    abstract static class Store extends Op {
        final boolean vex;
        final Address address;
        final int src;
        final int alignmentMask;

        Store(Instruction insn, int nextOffset) {
            super(nextOffset);
            vex = insn.vex();
            address = Address.of(insn, nextOffset);
            src = 2 * insn.register(1);
            alignmentMask = Math.max(insn.alignment() - 1, 0);
        }

        final void use(Cpu cpu) {
            if (vex) {
                cpu.useAvx();
            } else {
                cpu.useSse();
            }
        }

        final long locate(Cpu cpu, int size) {
            long la = address.linearForWrite(cpu, size);
            if ((la & alignmentMask) != 0) {
                throw cpu.gp(0);
            }
            return la;
        }
    }

    private static final class Copy16 extends Op {
        private final int dst;
        private final int src;

        Copy16(Instruction insn, int nextOffset) {
            super(nextOffset);
            dst = 2 * insn.register(0);
            src = 2 * insn.register(1);
        }

        @Override
        public void execute(Cpu cpu) {
            cpu.useSse();
            long[] x = cpu.xmm;
            x[dst] = x[src];
            x[dst + 1] = x[src + 1];
        }
    }

    private static final class Load16 extends Op {
        private final int dst;
        private final Address address;
        private final int alignmentMask;

        Load16(Instruction insn, int nextOffset) {
            super(nextOffset);
            dst = 2 * insn.register(0);
            address = Address.of(insn, nextOffset);
            alignmentMask = Math.max(insn.alignment() - 1, 0);
        }

        @Override
        public void execute(Cpu cpu) {
            cpu.useSse();
            long la = address.linear(cpu, 16);
            if ((la & alignmentMask) != 0) {
                throw cpu.gp(0);
            }
            long[] x = cpu.xmm;
            long at = (la & 0xFFF) <= LAST_IN_PAGE ? cpu.mmu.directRead(la) : -1;
            if (at >= 0) {
                MemorySegment ram = cpu.mmu.ram();
                x[dst] = ram.get(WORD, at);
                x[dst + 1] = ram.get(WORD, at + 8);
                VarHandle.acquireFence();
                return;
            }
            long low = cpu.mmu.load64(la);
            long high = cpu.mmu.load64(la + 8);
            x[dst] = low;
            x[dst + 1] = high;
        }
    }

    private static final class Store16 extends Store {
        Store16(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            cpu.useSse();
            long la = locate(cpu, 16);
            long at = (la & 0xFFF) <= LAST_IN_PAGE ? cpu.mmu.directWrite(la) : -1;
            if (at >= 0) {
                MemorySegment ram = cpu.mmu.ram();
                VarHandle.releaseFence();
                ram.set(WORD, at, cpu.xmm[src]);
                ram.set(WORD, at + 8, cpu.xmm[src + 1]);
                return;
            }
            cpu.mmu.checkWrite(la, 16);
            cpu.mmu.store64(la, cpu.xmm[src]);
            cpu.mmu.store64(la + 8, cpu.xmm[src + 1]);
        }
    }

    private static final class StoreVex extends Store {
        private final boolean wide;

        StoreVex(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
            wide = VectorOp.isWide(insn);
        }

        @Override
        public void execute(Cpu cpu) {
            cpu.useAvx();
            int size = wide ? 32 : 16;
            long la = locate(cpu, size);
            cpu.mmu.checkWrite(la, size);
            cpu.mmu.store64(la, cpu.xmm[src]);
            cpu.mmu.store64(la + 8, cpu.xmm[src + 1]);
            if (wide) {
                cpu.mmu.store64(la + 16, cpu.ymmHigh[src]);
                cpu.mmu.store64(la + 24, cpu.ymmHigh[src + 1]);
            }
        }
    }

    /// Loads and copies of the VEX forms.
    private static final class MoveVex extends VectorOp {
        MoveVex(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            cpu.useAvx();
            long la = locate(cpu);
            long b0 = word(cpu, la, 0);
            long b1 = word(cpu, la, 1);
            if (wide) {
                set(cpu, b0, b1, word(cpu, la, 2), word(cpu, la, 3));
            } else {
                set(cpu, b0, b1);
            }
        }
    }

    /// Loads an element of 4 or 8 bytes; the rest of the register becomes zero.
    private static final class LoadLow extends VectorOp {
        LoadLow(Instruction insn, int nextOffset) {
            super(insn, nextOffset, 1);
        }

        @Override
        public void execute(Cpu cpu) {
            use(cpu);
            set(cpu, word(cpu, locate(cpu), 0), 0);
        }
    }

    /// Stores the low element of 4 or 8 bytes.
    private static final class StoreLow extends Store {
        private final int size;

        StoreLow(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
            size = insn.size(0);
        }

        @Override
        public void execute(Cpu cpu) {
            use(cpu);
            cpu.mmu.store(locate(cpu, size), size, cpu.xmm[src]);
        }
    }

    /// Stores the high word.
    private static final class StoreHigh extends Store {
        StoreHigh(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            use(cpu);
            cpu.mmu.store64(locate(cpu, 8), cpu.xmm[src + 1]);
        }
    }

    /// `MOVSS` and `MOVSD` between registers: the low element of the last source, the rest of the first.
    private static final class Merge extends VectorOp {
        private final long mask;

        Merge(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
            boolean single = insn.mnemonic() == Mnemonic.MOVSS || insn.mnemonic() == Mnemonic.VMOVSS;
            mask = single ? 0xFFFF_FFFFL : -1;
        }

        @Override
        public void execute(Cpu cpu) {
            use(cpu);
            long[] x = cpu.xmm;
            set(cpu, x[b] & mask | x[a] & ~mask, x[a + 1]);
        }
    }

    /// `MOVQ` between registers: the low word; the high one becomes zero.
    private static final class CopyLow extends VectorOp {
        CopyLow(Instruction insn, int nextOffset) {
            super(insn, nextOffset, 1);
        }

        @Override
        public void execute(Cpu cpu) {
            use(cpu);
            set(cpu, cpu.xmm[b], 0);
        }
    }

    /// `MOVD` and `MOVQ` from a general register.
    private static final class FromGeneral extends Op {
        private final boolean vex;
        private final int dst;
        private final int src;
        private final long mask;

        FromGeneral(Instruction insn, int nextOffset) {
            super(nextOffset);
            vex = insn.vex();
            dst = 2 * insn.register(0);
            src = insn.register(1);
            mask = insn.size(1) == 8 ? -1 : 0xFFFF_FFFFL;
        }

        @Override
        public void execute(Cpu cpu) {
            if (vex) {
                cpu.useAvx();
                cpu.ymmHigh[dst] = 0;
                cpu.ymmHigh[dst + 1] = 0;
            } else {
                cpu.useSse();
            }
            cpu.xmm[dst] = cpu.r[src] & mask;
            cpu.xmm[dst + 1] = 0;
        }
    }

    /// `MOVD` and `MOVQ` to a general register.
    private static final class ToGeneral extends Op {
        private final boolean vex;
        private final int dst;
        private final int src;
        private final long mask;

        ToGeneral(Instruction insn, int nextOffset) {
            super(nextOffset);
            vex = insn.vex();
            dst = insn.register(0);
            src = 2 * insn.register(1);
            mask = insn.size(0) == 8 ? -1 : 0xFFFF_FFFFL;
        }

        @Override
        public void execute(Cpu cpu) {
            if (vex) {
                cpu.useAvx();
            } else {
                cpu.useSse();
            }
            cpu.r[dst] = cpu.xmm[src] & mask;
        }
    }
}

package org.jvirt.engine.soft.simd;

import org.jspecify.annotations.Nullable;
import org.jvirt.engine.soft.cpu.Cpu;
import org.jvirt.engine.soft.cpu.Op;
import org.jvirt.x86.Instruction;
import org.jvirt.x86.Mnemonic;
import org.jvirt.x86.OperandKind;

/// `EXTRQ` and `INSERTQ`: a field of bits in the low word. The high word of the result, which is undefined, becomes
/// zero.
///
/// Source: AMD APM volume 4.
final class Sse4aOps {
    private Sse4aOps() {}

    static @Nullable Op of(Instruction insn, int nextOffset) {
        return insn.mnemonic() == Mnemonic.EXTRQ || insn.mnemonic() == Mnemonic.INSERTQ
                ? new Field(insn, nextOffset)
                : null;
    }

    /// The bits of a field's length; a length of zero means 64.
    private static long mask(int length) {
        int n = length & 63;
        return n == 0 ? -1L : (1L << n) - 1;
    }

    static long extract(long value, int length, int index) {
        return value >>> (index & 63) & mask(length);
    }

    static long insert(long into, long value, int length, int index) {
        long mask = mask(length);
        int at = index & 63;
        return into & ~(mask << at) | (value & mask) << at;
    }

    private static final class Field extends Op {
        private final boolean insert;
        private final boolean immediate;
        private final int dst;
        private final int src;
        private final int length;
        private final int index;

        Field(Instruction insn, int nextOffset) {
            super(nextOffset);
            insert = insn.mnemonic() == Mnemonic.INSERTQ;
            immediate = insn.kind(insn.operandCount() - 1) == OperandKind.IMMEDIATE;
            dst = 2 * insn.register(0);
            src = insn.kind(1) == OperandKind.IMMEDIATE ? dst : 2 * insn.register(1);
            length = (int) insn.immediate();
            index = insn.immediate2();
        }

        @Override
        public void execute(Cpu cpu) {
            cpu.useSse();
            long[] x = cpu.xmm;
            long control = x[src + (insert ? 1 : 0)];
            int n = immediate ? length : (int) control;
            int at = immediate ? index : (int) (control >>> 8);
            x[dst] = insert ? insert(x[dst], x[src], n, at) : extract(x[dst], n, at);
            x[dst + 1] = 0;
        }
    }
}

package org.jvirt.engine.soft.simd;

import org.jspecify.annotations.Nullable;
import org.jvirt.engine.soft.cpu.Address;
import org.jvirt.engine.soft.cpu.Cpu;
import org.jvirt.engine.soft.cpu.Op;
import org.jvirt.x86.Instruction;
import org.jvirt.x86.OperandKind;

/// Loads and stores of single elements of 4 or 8 bytes that a mask register selects by their sign bits: `VMASKMOV`,
/// `VPMASKMOV` and the gathers. Elements that are not selected do not fault.
final class MaskedOps {
    private MaskedOps() {}

    static @Nullable Op of(Instruction insn, int nextOffset) {
        return switch (insn.mnemonic()) {
            case VMASKMOVPS, VPMASKMOVD -> masked(insn, nextOffset, 4);
            case VMASKMOVPD, VPMASKMOVQ -> masked(insn, nextOffset, 8);
            case VPGATHERDD, VGATHERDPS -> new Gather(insn, nextOffset, 4, 4);
            case VPGATHERDQ, VGATHERDPD -> new Gather(insn, nextOffset, 4, 8);
            case VPGATHERQD, VGATHERQPS -> new Gather(insn, nextOffset, 8, 4);
            case VPGATHERQQ, VGATHERQPD -> new Gather(insn, nextOffset, 8, 8);
            default -> null;
        };
    }

    private static Op masked(Instruction insn, int nextOffset, int bytes) {
        return insn.kind(0) == OperandKind.MEMORY
                ? new MaskedStore(insn, nextOffset, bytes)
                : new MaskedLoad(insn, nextOffset, bytes);
    }

    /// Element `i` of `bytes` bytes of the register whose low word has index `register`.
    static long element(Cpu cpu, int register, int i, int bytes) {
        int at = i * bytes;
        long[] file = at < 16 ? cpu.xmm : cpu.ymmHigh;
        long word = file[register + (at >>> 3 & 1)];
        return bytes == 8 ? word : (int) (word >>> 8 * (at & 4));
    }

    static void setElement(Cpu cpu, int register, int i, int bytes, long value) {
        int at = i * bytes;
        long[] file = at < 16 ? cpu.xmm : cpu.ymmHigh;
        int slot = register + (at >>> 3 & 1);
        if (bytes == 8) {
            file[slot] = value;
        } else {
            int shift = 8 * (at & 4);
            file[slot] = file[slot] & ~(0xFFFF_FFFFL << shift) | (value & 0xFFFF_FFFFL) << shift;
        }
    }

    private static final class MaskedLoad extends Op {
        private final int dst;
        private final int mask;
        private final Address address;
        private final int bytes;
        private final int count;

        MaskedLoad(Instruction insn, int nextOffset, int bytes) {
            super(nextOffset);
            dst = 2 * insn.register(0);
            mask = 2 * insn.register(1);
            address = Address.of(insn, nextOffset);
            this.bytes = bytes;
            count = insn.vectorLength() / bytes;
        }

        @Override
        public void execute(Cpu cpu) {
            cpu.useAvx();
            long w0 = word(cpu, 0);
            long w1 = word(cpu, 1);
            long w2 = word(cpu, 2);
            long w3 = word(cpu, 3);
            cpu.xmm[dst] = w0;
            cpu.xmm[dst + 1] = w1;
            cpu.ymmHigh[dst] = w2;
            cpu.ymmHigh[dst + 1] = w3;
        }

        private long word(Cpu cpu, int word) {
            long value = 0;
            int perWord = 8 / bytes;
            for (int i = word * perWord; i < Math.min((word + 1) * perWord, count); i++) {
                if (element(cpu, mask, i, bytes) < 0) {
                    long la = address.linearAt(cpu, (long) i * bytes, bytes, false);
                    value |= cpu.mmu.load(la, bytes) << 8 * (i * bytes & 7);
                }
            }
            return value;
        }
    }

    private static final class MaskedStore extends Op {
        private final int src;
        private final int mask;
        private final Address address;
        private final int bytes;
        private final int count;

        MaskedStore(Instruction insn, int nextOffset, int bytes) {
            super(nextOffset);
            mask = 2 * insn.register(1);
            src = 2 * insn.register(2);
            address = Address.of(insn, nextOffset);
            this.bytes = bytes;
            count = insn.vectorLength() / bytes;
        }

        @Override
        public void execute(Cpu cpu) {
            cpu.useAvx();
            for (int i = 0; i < count; i++) {
                if (element(cpu, mask, i, bytes) < 0) {
                    cpu.mmu.checkWrite(address.linearAt(cpu, (long) i * bytes, bytes, true), bytes);
                }
            }
            for (int i = 0; i < count; i++) {
                if (element(cpu, mask, i, bytes) < 0) {
                    long la = address.linearAt(cpu, (long) i * bytes, bytes, true);
                    cpu.mmu.store(la, bytes, element(cpu, src, i, bytes));
                }
            }
        }
    }

    /// Elements are gathered from the lowest to the highest, and the mask of each is cleared with it: a fault
    /// leaves those done before it done, and the instruction goes on from there when it is restarted.
    private static final class Gather extends Op {
        private final int dst;
        private final int mask;
        private final int index;
        private final int scale;
        private final Address address;
        private final int indexBytes;
        private final int bytes;
        private final int count;
        private final boolean distinct;

        Gather(Instruction insn, int nextOffset, int indexBytes, int bytes) {
            super(nextOffset);
            dst = 2 * insn.register(0);
            mask = 2 * insn.register(2);
            index = 2 * insn.index();
            scale = insn.scale();
            address = Address.of(insn, nextOffset);
            this.indexBytes = indexBytes;
            this.bytes = bytes;
            count = insn.vectorLength() / Math.max(indexBytes, bytes);
            distinct = dst != mask && dst != index && mask != index;
        }

        @Override
        public void execute(Cpu cpu) {
            if (!distinct) {
                throw cpu.ud();
            }
            cpu.useAvx();
            for (int i = 0; i < count; i++) {
                if (element(cpu, mask, i, bytes) < 0) {
                    long distance = element(cpu, index, i, indexBytes) << scale;
                    long value = cpu.mmu.load(address.linearAt(cpu, distance, bytes, false), bytes);
                    setElement(cpu, dst, i, bytes, value);
                }
                setElement(cpu, mask, i, bytes, 0);
            }
            clearFrom(cpu, dst);
            clearFrom(cpu, mask);
        }

        /// Clears the register above the elements.
        private void clearFrom(Cpu cpu, int register) {
            int used = count * bytes;
            if (used <= 8) {
                cpu.xmm[register + 1] = 0;
            }
            if (used <= 16) {
                cpu.ymmHigh[register] = 0;
                cpu.ymmHigh[register + 1] = 0;
            }
        }
    }
}

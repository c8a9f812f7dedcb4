package org.jvirt.engine.soft.integer;

import java.lang.invoke.VarHandle;
import org.jspecify.annotations.Nullable;
import org.jvirt.engine.soft.cpu.Address;
import org.jvirt.engine.soft.cpu.Cpu;
import org.jvirt.engine.soft.cpu.Flags;
import org.jvirt.engine.soft.cpu.Op;
import org.jvirt.x86.Instruction;
import org.jvirt.x86.Mnemonic;

/// The instructions that belong to no family: `LEA`, width conversions of the accumulator, single flags, byte
/// order, `CRC32`, `XLAT`, `BOUND`, hints, fences, cache lines, undefined opcodes.
final class MiscellaneousOps {
    private static final int AH_FLAGS = Flags.SF | Flags.ZF | Flags.AF | Flags.PF | Flags.CF;

    private MiscellaneousOps() {}

    static @Nullable Op of(Instruction insn, int nextOffset) {
        return switch (insn.mnemonic()) {
            case LEA ->
                switch (insn.size(0)) {
                    case 8 -> new Lea64(insn, nextOffset);
                    case 4 -> new Lea32(insn, nextOffset);
                    default -> new Lea16(insn, nextOffset);
                };
            case CBW, CWDE, CDQE, CWD, CDQ, CQO -> new Convert(insn, nextOffset);
            case CLC, STC, CMC, CLD, STD, LAHF, SAHF -> new SingleFlag(insn, nextOffset);
            case BSWAP -> new SwapBytes(insn, nextOffset);
            case MOVBE -> new MoveSwapped(insn, nextOffset);
            case MOVNTI -> new MoveNonTemporal(insn, nextOffset);
            case CRC32 -> new Checksum(insn, nextOffset);
            case XLAT -> new Translate(insn, nextOffset);
            case BOUND -> new Bound(insn, nextOffset);
            case NOP,
                    ENDBR32,
                    ENDBR64,
                    PREFETCH,
                    PREFETCHW,
                    PREFETCHWT1,
                    PREFETCHNTA,
                    PREFETCHT0,
                    PREFETCHT1,
                    PREFETCHT2 -> new Nop(nextOffset);
            case PAUSE -> new Pause(nextOffset);
            case LFENCE, MFENCE, SFENCE -> new Fence(insn, nextOffset);
            case CLFLUSH, CLFLUSHOPT, CLWB -> new CacheLine(insn, nextOffset);
            case UD0, UD1, UD2 -> new Undefined(nextOffset);
            default -> null;
        };
    }

    private static final class Lea64 extends Op {
        private final int dst;
        private final Address address;

        Lea64(Instruction insn, int nextOffset) {
            super(nextOffset);
            dst = insn.register(0);
            address = Address.of(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            cpu.r[dst] = address.offset(cpu);
        }
    }

    private static final class Lea32 extends Op {
        private final int dst;
        private final Address address;

        Lea32(Instruction insn, int nextOffset) {
            super(nextOffset);
            dst = insn.register(0);
            address = Address.of(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            cpu.r[dst] = address.offset(cpu) & 0xFFFF_FFFFL;
        }
    }

    private static final class Lea16 extends Op {
        private final int dst;
        private final Address address;

        Lea16(Instruction insn, int nextOffset) {
            super(nextOffset);
            dst = insn.register(0);
            address = Address.of(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            cpu.r[dst] = cpu.r[dst] & ~0xFFFFL | address.offset(cpu) & 0xFFFF;
        }
    }

    /// `CBW` to `CQO`.
    private static final class Convert extends Op {
        private final Mnemonic mnemonic;

        Convert(Instruction insn, int nextOffset) {
            super(nextOffset);
            mnemonic = insn.mnemonic();
        }

        @Override
        public void execute(Cpu cpu) {
            long[] r = cpu.r;
            long a = r[Cpu.RAX];
            switch (mnemonic) {
                case CBW -> r[Cpu.RAX] = a & ~0xFFFFL | (byte) a & 0xFFFF;
                case CWDE -> r[Cpu.RAX] = (short) a & 0xFFFF_FFFFL;
                case CDQE -> r[Cpu.RAX] = (int) a;
                case CWD -> r[Cpu.RDX] = r[Cpu.RDX] & ~0xFFFFL | (short) a >> 15 & 0xFFFF;
                case CDQ -> r[Cpu.RDX] = (int) a >> 31 & 0xFFFF_FFFFL;
                default -> r[Cpu.RDX] = a >> 63;
            }
        }
    }

    private static final class SingleFlag extends Op {
        private final Mnemonic mnemonic;

        SingleFlag(Instruction insn, int nextOffset) {
            super(nextOffset);
            mnemonic = insn.mnemonic();
        }

        @Override
        public void execute(Cpu cpu) {
            Flags flags = cpu.flags;
            switch (mnemonic) {
                case CLC -> flags.setCf(false);
                case STC -> flags.setCf(true);
                case CMC -> flags.setCf(!flags.cf());
                case CLD -> cpu.setDf(false);
                case STD -> cpu.setDf(true);
                case LAHF -> {
                    int ah = flags.pack() & AH_FLAGS | 2;
                    cpu.r[Cpu.RAX] = cpu.r[Cpu.RAX] & ~0xFF00L | ah << 8;
                }
                default -> {
                    int ah = (int) (cpu.r[Cpu.RAX] >>> 8);
                    flags.unpack(flags.pack() & Flags.OF | ah & AH_FLAGS);
                }
            }
        }
    }

    /// `BSWAP`; with 16 bits, which is undefined, the result is zero, as processors do.
    private static final class SwapBytes extends Op {
        private final Operand dst;

        SwapBytes(Instruction insn, int nextOffset) {
            super(nextOffset);
            dst = Operand.of(insn, 0, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            long value = dst.load(cpu, 0);
            dst.store(
                    cpu,
                    0,
                    switch (dst.size) {
                        case 8 -> Long.reverseBytes(value);
                        case 4 -> Integer.reverseBytes((int) value);
                        default -> 0;
                    });
        }
    }

    private static final class MoveSwapped extends Op {
        private final Operand dst;
        private final Operand src;

        MoveSwapped(Instruction insn, int nextOffset) {
            super(nextOffset);
            dst = Operand.of(insn, 0, nextOffset);
            src = Operand.of(insn, 1, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            long at = dst.locateForWrite(cpu);
            dst.store(cpu, at, Long.reverseBytes(src.read(cpu)) >>> 64 - 8 * dst.size);
        }
    }

    private static final class MoveNonTemporal extends Op {
        private final Operand dst;
        private final Operand src;

        MoveNonTemporal(Instruction insn, int nextOffset) {
            super(nextOffset);
            dst = Operand.of(insn, 0, nextOffset);
            src = Operand.of(insn, 1, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            long at = dst.locateForWrite(cpu);
            dst.store(cpu, at, src.load(cpu, 0));
        }
    }

    private static final class Checksum extends Op {
        private final Operand dst;
        private final Operand src;

        Checksum(Instruction insn, int nextOffset) {
            super(nextOffset);
            dst = Operand.of(insn, 0, nextOffset);
            src = Operand.of(insn, 1, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            long data = src.read(cpu);
            dst.store(cpu, 0, Crc32c.update((int) dst.load(cpu, 0), data, src.size) & 0xFFFF_FFFFL);
        }
    }

    private static final class Translate extends Op {
        private final Address table;

        Translate(Instruction insn, int nextOffset) {
            super(nextOffset);
            table = Address.of(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            long[] r = cpu.r;
            long al = cpu.mmu.load8(table.linearAt(cpu, r[Cpu.RBX] + (r[Cpu.RAX] & 0xFF), 1, false));
            r[Cpu.RAX] = r[Cpu.RAX] & ~0xFFL | al;
        }
    }

    private static final class Bound extends Op {
        private final Operand index;
        private final Address bounds;

        Bound(Instruction insn, int nextOffset) {
            super(nextOffset);
            index = Operand.of(insn, 0, nextOffset);
            bounds = Address.of(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            int size = index.size;
            long la = bounds.linear(cpu, 2 * size);
            long lower = Rotates.signExtend(cpu.mmu.load(la, size), 8 * size);
            long upper = Rotates.signExtend(cpu.mmu.load(la + size & 0xFFFF_FFFFL, size), 8 * size);
            long value = Rotates.signExtend(index.load(cpu, 0), 8 * size);
            if (value < lower || value > upper) {
                throw cpu.br();
            }
        }
    }

    private static final class Nop extends Op {
        Nop(int nextOffset) {
            super(nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            // a hint
        }
    }

    private static final class Pause extends Op {
        Pause(int nextOffset) {
            super(nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            Thread.onSpinWait();
        }
    }

    /// Loads are acquires and stores releases already, so only `MFENCE` orders more than the compiler may see.
    private static final class Fence extends Op {
        private final Mnemonic mnemonic;

        Fence(Instruction insn, int nextOffset) {
            super(nextOffset);
            mnemonic = insn.mnemonic();
        }

        @Override
        public void execute(Cpu cpu) {
            switch (mnemonic) {
                case LFENCE -> VarHandle.loadLoadFence();
                case SFENCE -> VarHandle.storeStoreFence();
                default -> VarHandle.fullFence();
            }
        }
    }

    /// There are no caches to flush, but the address faults as for a read of a byte.
    private static final class CacheLine extends Op {
        private final Address address;

        CacheLine(Instruction insn, int nextOffset) {
            super(nextOffset);
            address = Address.of(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            cpu.mmu.checkRead(address.linear(cpu, 1), 1);
        }
    }

    private static final class Undefined extends Op {
        Undefined(int nextOffset) {
            super(nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            throw cpu.ud();
        }
    }
}

package org.jvirt.engine.soft.integer;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import org.jspecify.annotations.Nullable;
import org.jvirt.engine.soft.cpu.Cpu;
import org.jvirt.engine.soft.cpu.Mmu;
import org.jvirt.engine.soft.cpu.Op;
import org.jvirt.x86.Instruction;

/// `MOVS`, `CMPS`, `STOS`, `LODS` and `SCAS`, alone or repeated. Repeated ones go page by
/// page where they can.
final class StringOps {
    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private StringOps() {}

    static @Nullable Op of(Instruction insn, int nextOffset) {
        return switch (insn.mnemonic()) {
            case MOVS -> new Move(insn, nextOffset);
            case CMPS -> new Compare(insn, nextOffset);
            case STOS -> new Store(insn, nextOffset);
            case LODS -> new Load(insn, nextOffset);
            case SCAS -> new Scan(insn, nextOffset);
            default -> null;
        };
    }

    private static final class Move extends StringOp {
        /// A destination this many elements or fewer ahead of the source is written one by one.
        private static final int CLOSE = 8;

        Move(Instruction insn, int nextOffset) {
            super(insn, nextOffset, false);
        }

        @Override
        void iterate(Cpu cpu) {
            long value = cpu.mmu.load(sourceAddress(cpu), size);
            cpu.mmu.store(destinationAddress(cpu, true), size, value);
            advanceSource(cpu);
            advanceDestination(cpu);
        }

        @Override
        long run(Cpu cpu, long count) {
            boolean down = cpu.df();
            Mmu mmu = cpu.mmu;
            long fromAddress = sourceAddress(cpu);
            long from = mmu.directRead(fromAddress);
            if (from < 0) {
                return 0;
            }
            long toAddress = destinationAddress(cpu, true);
            long to = mmu.directWrite(toAddress);
            if (to < 0) {
                return 0;
            }
            long elements = down
                    ? destinationRunDown(cpu, toAddress, sourceRunDown(cpu, fromAddress, count))
                    : destinationRun(cpu, toAddress, sourceRun(cpu, fromAddress, count));
            // a destination that the source runs into repeats what has been written: copy no further than its start
            long ahead = down ? from - to : to - from;
            if (ahead > 0 && ahead < elements * size) {
                elements = ahead / size;
                if (elements <= CLOSE) {
                    return 0;
                }
            }
            if (elements == 0) {
                return 0;
            }
            long bytes = elements * size;
            long below = down ? bytes - size : 0;
            VarHandle.releaseFence();
            MemorySegment.copy(mmu.ram(), from - below, mmu.ram(), to - below, bytes);
            VarHandle.acquireFence();
            setLow(cpu.r, Cpu.RSI, cpu.r[Cpu.RSI] + (down ? -bytes : bytes));
            setLow(cpu.r, Cpu.RDI, cpu.r[Cpu.RDI] + (down ? -bytes : bytes));
            return elements;
        }
    }

    private static final class Store extends StringOp {
        Store(Instruction insn, int nextOffset) {
            super(insn, nextOffset, false);
        }

        @Override
        void iterate(Cpu cpu) {
            cpu.mmu.store(destinationAddress(cpu, true), size, cpu.r[Cpu.RAX]);
            advanceDestination(cpu);
        }

        @Override
        long run(Cpu cpu, long count) {
            if (cpu.df()) {
                return 0;
            }
            long address = destinationAddress(cpu, true);
            long to = cpu.mmu.directWrite(address);
            if (to < 0) {
                return 0;
            }
            long elements = destinationRun(cpu, address, count);
            if (elements == 0) {
                return 0;
            }
            long bytes = elements * size;
            VarHandle.releaseFence();
            fill(cpu.mmu.ram(), to, bytes, cpu.r[Cpu.RAX]);
            setLow(cpu.r, Cpu.RDI, cpu.r[Cpu.RDI] + bytes);
            return elements;
        }

        private void fill(MemorySegment ram, long to, long bytes, long value) {
            int bits = 8 * size;
            if (Rotates.zeroExtend(value, bits) == Rotates.zeroExtend((value & 0xFF) * 0x0101_0101_0101_0101L, bits)) {
                ram.asSlice(to, bytes).fill((byte) value);
                return;
            }
            long end = to + bytes;
            switch (size) {
                case 2 -> {
                    for (long at = to; at < end; at += 2) {
                        ram.set(SHORT, at, (short) value);
                    }
                }
                case 4 -> {
                    for (long at = to; at < end; at += 4) {
                        ram.set(INT, at, (int) value);
                    }
                }
                default -> {
                    for (long at = to; at < end; at += 8) {
                        ram.set(LONG, at, value);
                    }
                }
            }
        }
    }

    private static final class Load extends StringOp {
        private final Operand accumulator;

        Load(Instruction insn, int nextOffset) {
            super(insn, nextOffset, false);
            accumulator = Operand.register(Cpu.RAX, size);
        }

        @Override
        void iterate(Cpu cpu) {
            accumulator.store(cpu, 0, cpu.mmu.load(sourceAddress(cpu), size));
            advanceSource(cpu);
        }
    }

    private static final class Compare extends StringOp {
        Compare(Instruction insn, int nextOffset) {
            super(insn, nextOffset, true);
        }

        @Override
        void iterate(Cpu cpu) {
            long first = cpu.mmu.load(sourceAddress(cpu), size);
            long second = cpu.mmu.load(destinationAddress(cpu, false), size);
            Alu.sub(cpu.flags, first, second, size);
            advanceSource(cpu);
            advanceDestination(cpu);
        }

        /// While the elements are equal; that is what `REPNE CMPS` stops at.
        @Override
        long run(Cpu cpu, long count) {
            if (cpu.df() || !goesOn(true)) {
                return 0;
            }
            Mmu mmu = cpu.mmu;
            long firstAddress = sourceAddress(cpu);
            long first = mmu.directRead(firstAddress);
            if (first < 0) {
                return 0;
            }
            long secondAddress = destinationAddress(cpu, false);
            long second = mmu.directRead(secondAddress);
            if (second < 0) {
                return 0;
            }
            long elements = destinationRun(cpu, secondAddress, sourceRun(cpu, firstAddress, count));
            if (elements == 0) {
                return 0;
            }
            long bytes = elements * size;
            MemorySegment ram = mmu.ram();
            long difference = MemorySegment.mismatch(ram, first, first + bytes, ram, second, second + bytes);
            VarHandle.acquireFence();
            long done = (difference < 0 ? bytes - size : difference) / size;
            // the last one of them decides the flags; it is read once more, and what it is now counts
            setLow(cpu.r, Cpu.RSI, cpu.r[Cpu.RSI] + done * size);
            setLow(cpu.r, Cpu.RDI, cpu.r[Cpu.RDI] + done * size);
            iterate(cpu);
            return done + 1;
        }
    }

    private static final class Scan extends StringOp {
        Scan(Instruction insn, int nextOffset) {
            super(insn, nextOffset, true);
        }

        @Override
        void iterate(Cpu cpu) {
            long value = cpu.mmu.load(destinationAddress(cpu, false), size);
            Alu.sub(cpu.flags, cpu.r[Cpu.RAX], value, size);
            advanceDestination(cpu);
        }

        @Override
        long run(Cpu cpu, long count) {
            if (cpu.df()) {
                return 0;
            }
            long address = destinationAddress(cpu, false);
            long at = cpu.mmu.directRead(address);
            if (at < 0) {
                return 0;
            }
            long elements = destinationRun(cpu, address, count);
            if (elements == 0) {
                return 0;
            }
            long wanted = Rotates.zeroExtend(cpu.r[Cpu.RAX], 8 * size);
            MemorySegment ram = cpu.mmu.ram();
            long value = element(ram, at);
            long done = 1;
            while (done < elements && goesOn(value == wanted)) {
                value = element(ram, at + done * size);
                done++;
            }
            VarHandle.acquireFence();
            Alu.sub(cpu.flags, wanted, value, size);
            setLow(cpu.r, Cpu.RDI, cpu.r[Cpu.RDI] + done * size);
            return done;
        }

        private long element(MemorySegment ram, long at) {
            return switch (size) {
                case 1 -> ram.get(ValueLayout.JAVA_BYTE, at) & 0xFF;
                case 2 -> ram.get(SHORT, at) & 0xFFFF;
                case 4 -> ram.get(INT, at) & 0xFFFF_FFFFL;
                default -> ram.get(LONG, at);
            };
        }
    }
}

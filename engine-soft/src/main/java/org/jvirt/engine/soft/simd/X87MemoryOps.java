package org.jvirt.engine.soft.simd;

import org.jvirt.engine.soft.cpu.Address;
import org.jvirt.engine.soft.cpu.Cpu;
import org.jvirt.engine.soft.cpu.Mmu;
import org.jvirt.engine.soft.fp.X87;
import org.jvirt.x86.Instruction;
import org.jvirt.x86.Mnemonic;

/// x87 instructions with a number in memory.
final class X87MemoryOps {
    private X87MemoryOps() {}

    /// The formats that a number can have.
    enum Format {
        F32,
        F64,
        F80,
        I16,
        I32,
        I64,
        BCD;

        static Format of(Instruction insn) {
            int size = insn.size(insn.memoryOperand());
            if (insn.mnemonic() == Mnemonic.FBLD || insn.mnemonic() == Mnemonic.FBSTP) {
                return BCD;
            }
            boolean integer = X87Ops.isInteger(insn);
            return switch (size) {
                case 2 -> I16;
                case 4 -> integer ? I32 : F32;
                case 8 -> integer ? I64 : F64;
                default -> F80;
            };
        }
    }

    abstract static class MemoryOp extends X87Op {
        final Address address;
        final Format format;
        final int size;
        private final int segment;

        MemoryOp(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
            address = Address.of(insn, nextOffset);
            format = Format.of(insn);
            size = insn.size(insn.memoryOperand());
            segment = insn.segment();
        }

        /// The operand of at most eight bytes, integers sign-extended.
        final long load(Cpu cpu) {
            long la = address.linear(cpu, size);
            return switch (format) {
                case I16 -> (short) cpu.mmu.load16(la);
                case F32, I32 -> cpu.mmu.load32(la);
                default -> cpu.mmu.load64(la);
            };
        }

        final void noteOperand(Cpu cpu) {
            note(cpu);
            cpu.x87.operand(cpu.segments.selector(segment), address.offset(cpu));
        }
    }

    /// `FADD` to `FDIVR`, `FIADD` to `FIDIVR`.
    static final class Arithmetic extends MemoryOp {
        private final int operation;

        Arithmetic(Instruction insn, int nextOffset, int operation) {
            super(insn, nextOffset);
            this.operation = operation;
        }

        @Override
        public void execute(Cpu cpu) {
            begin(cpu);
            long value = load(cpu);
            noteOperand(cpu);
            switch (format) {
                case F32 -> cpu.x87.arithmeticF32(operation, (int) value);
                case F64 -> cpu.x87.arithmeticF64(operation, value);
                default -> cpu.x87.arithmeticInteger(operation, value);
            }
        }
    }

    /// `FCOM`, `FCOMP`, `FICOM`, `FICOMP`.
    static final class Compare extends MemoryOp {
        private final boolean pop;

        Compare(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
            pop = insn.mnemonic() == Mnemonic.FCOMP || insn.mnemonic() == Mnemonic.FICOMP;
        }

        @Override
        public void execute(Cpu cpu) {
            begin(cpu);
            long value = load(cpu);
            noteOperand(cpu);
            switch (format) {
                case F32 -> cpu.x87.compareF32((int) value, pop);
                case F64 -> cpu.x87.compareF64(value, pop);
                default -> cpu.x87.compareInteger(value, pop);
            }
        }
    }

    /// `FLD`, `FILD`, `FBLD`.
    static final class Load extends MemoryOp {
        Load(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
        }

        @Override
        public void execute(Cpu cpu) {
            begin(cpu);
            if (size == 10) {
                long la = address.linear(cpu, 10);
                long low = cpu.mmu.load64(la);
                int high = cpu.mmu.load16(la + 8);
                noteOperand(cpu);
                if (format == Format.BCD) {
                    cpu.x87.loadBcd(low, high);
                } else {
                    cpu.x87.loadF80(low, high);
                }
                return;
            }
            long value = load(cpu);
            noteOperand(cpu);
            switch (format) {
                case F32 -> cpu.x87.loadF32((int) value);
                case F64 -> cpu.x87.loadF64(value);
                default -> cpu.x87.loadInteger(value);
            }
        }
    }

    /// `FST`, `FSTP`, `FIST`, `FISTP`, `FISTTP`, `FBSTP`.
    static final class Store extends MemoryOp {
        private final boolean pop;
        private final boolean truncate;

        Store(Instruction insn, int nextOffset) {
            super(insn, nextOffset);
            pop = insn.mnemonic() != Mnemonic.FST && insn.mnemonic() != Mnemonic.FIST;
            truncate = insn.mnemonic() == Mnemonic.FISTTP;
        }

        @Override
        public void execute(Cpu cpu) {
            begin(cpu);
            long la = address.linearForWrite(cpu, size);
            X87 x = cpu.x87;
            Mmu mmu = cpu.mmu;
            mmu.checkWrite(la, size);
            if (compute(x)) {
                if (size == 10) {
                    mmu.store64(la, x.stored());
                    mmu.store16(la + 8, x.storedHigh());
                } else {
                    mmu.store(la, size, x.stored());
                }
            }
            noteOperand(cpu);
            x.storeDone(pop);
        }

        private boolean compute(X87 x) {
            return switch (format) {
                case F32 -> x.storeF32();
                case F64 -> x.storeF64();
                case F80 -> x.storeF80();
                case I16 -> x.storeInteger(16, truncate);
                case I32 -> x.storeInteger(32, truncate);
                case I64 -> x.storeInteger(64, truncate);
                case BCD -> x.storeBcd();
            };
        }
    }
}

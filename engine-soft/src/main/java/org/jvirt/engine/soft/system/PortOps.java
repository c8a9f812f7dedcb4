package org.jvirt.engine.soft.system;

import org.jvirt.engine.soft.cpu.Cpu;
import org.jvirt.engine.soft.cpu.Op;
import org.jvirt.engine.soft.cpu.Segments;
import org.jvirt.x86.Instruction;
import org.jvirt.x86.Mnemonic;
import org.jvirt.x86.OperandKind;

/// IN, OUT, INS, OUTS.
final class PortOps {
    private PortOps() {}

    static Op of(Instruction insn, int nextOffset) {
        return switch (insn.mnemonic()) {
            case IN -> in(insn, nextOffset);
            case OUT -> out(insn, nextOffset);
            default -> new StringPortOp(insn, nextOffset);
        };
    }

    private static void check(Cpu cpu, int port, int size) {
        boolean free = !cpu.virtual8086() && cpu.cpl() <= cpu.iopl();
        if (!free && !cpu.tasks.allowsPorts(port, size)) {
            throw cpu.gp(0);
        }
    }

    /// A device may have asked for something that should come before the next instruction.
    private static void after(Cpu cpu, int port, int size) {
        cpu.debug.notePort(port, size);
        if (cpu.attention()) {
            cpu.endBlock();
        }
    }

    private static Op in(Instruction insn, int nextOffset) {
        int size = insn.size(0);
        boolean immediate = insn.kind(1) == OperandKind.IMMEDIATE;
        int fixed = (int) insn.immediate() & 0xFF;
        return ActionOp.of(nextOffset, cpu -> {
            int port = immediate ? fixed : (int) cpu.r[Cpu.RDX] & 0xFFFF;
            check(cpu, port, size);
            long value = cpu.io().readPort(port, size);
            cpu.r[Cpu.RAX] = switch (size) {
                case 1 -> cpu.r[Cpu.RAX] & ~0xFFL | value & 0xFF;
                case 2 -> cpu.r[Cpu.RAX] & ~0xFFFFL | value & 0xFFFF;
                default -> value & 0xFFFF_FFFFL;
            };
            after(cpu, port, size);
        });
    }

    private static Op out(Instruction insn, int nextOffset) {
        int size = insn.size(1);
        boolean immediate = insn.kind(0) == OperandKind.IMMEDIATE;
        int fixed = (int) insn.immediate() & 0xFF;
        long mask = (1L << 8 * size) - 1;
        return ActionOp.of(nextOffset, cpu -> {
            int port = immediate ? fixed : (int) cpu.r[Cpu.RDX] & 0xFFFF;
            check(cpu, port, size);
            cpu.io().writePort(port, size, cpu.r[Cpu.RAX] & mask);
            after(cpu, port, size);
        });
    }

    /// INS and OUTS, alone or repeated. Between two iterations the processor may be wanted elsewhere.
    private static final class StringPortOp extends Op {
        private final boolean input;
        private final boolean repeated;
        private final int size;
        private final int segment;
        private final long mask;
        private final int start;

        StringPortOp(Instruction insn, int nextOffset) {
            super(nextOffset);
            input = insn.mnemonic() == Mnemonic.INS;
            repeated = insn.rep() || insn.repne();
            size = insn.operandSize();
            segment = input ? Segments.ES : insn.segment();
            mask = switch (insn.addressSize()) {
                case 2 -> 0xFFFFL;
                case 4 -> 0xFFFF_FFFFL;
                default -> -1L;
            };
            start = nextOffset - insn.length();
        }

        @Override
        public void execute(Cpu cpu) {
            int port = (int) cpu.r[Cpu.RDX] & 0xFFFF;
            // Permission is asked for even where the count is zero.
            check(cpu, port, size);
            if (!repeated) {
                once(cpu, port);
                return;
            }
            while ((cpu.r[Cpu.RCX] & mask) != 0) {
                once(cpu, port);
                setMasked(cpu, Cpu.RCX, cpu.r[Cpu.RCX] - 1);
                if (cpu.interruptRequested() && (cpu.r[Cpu.RCX] & mask) != 0) {
                    cpu.stayAt(start);
                    return;
                }
            }
        }

        private void once(Cpu cpu, int port) {
            int pointer = input ? Cpu.RDI : Cpu.RSI;
            long la = cpu.segments.linear(segment, cpu.r[pointer] & mask, size, input);
            if (input) {
                cpu.mmu.checkWrite(la, size);
                cpu.mmu.store(la, size, cpu.io().readPort(port, size));
            } else {
                cpu.io().writePort(port, size, cpu.mmu.load(la, size));
            }
            setMasked(cpu, pointer, cpu.r[pointer] + (cpu.df() ? -size : size));
            after(cpu, port, size);
        }

        private void setMasked(Cpu cpu, int register, long value) {
            cpu.r[register] = mask == 0xFFFF ? cpu.r[register] & ~0xFFFFL | value & 0xFFFF : value & mask;
        }
    }
}

package org.jvirt.engine.soft.system;

import org.jspecify.annotations.Nullable;
import org.jvirt.engine.soft.cpu.Address;
import org.jvirt.engine.soft.cpu.Control;
import org.jvirt.engine.soft.cpu.Cpu;
import org.jvirt.engine.soft.cpu.Op;
import org.jvirt.x86.Instruction;
import org.jvirt.x86.OperandKind;

/// Far transfers, software interrupts and fast system calls. Each is the last of its block, so that [Cpu#rip] is
/// the next instruction already.
final class TransferOps {
    private static final int OVERFLOW = 4;
    private static final int BREAKPOINT = 3;

    private TransferOps() {}

    static @Nullable Op of(Instruction insn, int nextOffset) {
        int size = insn.operandSize();
        return switch (insn.mnemonic()) {
            case CALLF -> far(insn, nextOffset, true);
            case JMPF -> far(insn, nextOffset, false);
            case RETF -> {
                int extra = insn.operandCount() > 0 ? (int) insn.immediate() & 0xFFFF : 0;
                yield ActionOp.of(nextOffset, cpu -> cpu.far.ret(size, extra));
            }
            case IRET -> ActionOp.of(nextOffset, cpu -> cpu.far.iret(size));
            case INT -> {
                int vector = (int) insn.immediate() & 0xFF;
                yield ActionOp.of(nextOffset, cpu -> interrupt(cpu, vector));
            }
            case INT3 -> ActionOp.of(nextOffset, cpu -> cpu.interrupts.software(BREAKPOINT));
            case INT1 -> ActionOp.of(nextOffset, cpu -> cpu.interrupts.icebp());
            case INTO ->
                ActionOp.of(nextOffset, cpu -> {
                    if (cpu.flags.of()) {
                        cpu.interrupts.software(OVERFLOW);
                    }
                });
            case SYSCALL -> ActionOp.of(nextOffset, cpu -> cpu.far.syscall());
            case SYSRET -> ActionOp.of(nextOffset, cpu -> cpu.far.sysret(size));
            case SYSENTER -> ActionOp.of(nextOffset, cpu -> cpu.far.sysenter());
            case SYSEXIT -> ActionOp.of(nextOffset, cpu -> cpu.far.sysexit(size));
            default -> null;
        };
    }

    private static Op far(Instruction insn, int nextOffset, boolean call) {
        int size = insn.operandSize();
        if (insn.kind(0) == OperandKind.FAR) {
            int selector = insn.immediate2() & 0xFFFF;
            long offset = insn.immediate();
            return ActionOp.of(nextOffset, cpu -> go(cpu, call, selector, offset, size));
        }
        Address address = Address.of(insn, nextOffset);
        return ActionOp.of(nextOffset, cpu -> {
            long la = address.linear(cpu, size + 2);
            long offset = cpu.mmu.load(la, size);
            int selector = cpu.mmu.load16(la + size);
            go(cpu, call, selector, offset, size);
        });
    }

    private static void go(Cpu cpu, boolean call, int selector, long offset, int size) {
        if (call) {
            cpu.far.call(selector, offset, size);
        } else {
            cpu.far.jump(selector, offset, size);
        }
    }

    private static void interrupt(Cpu cpu, int vector) {
        if (cpu.virtual8086()) {
            boolean extended = (cpu.control.cr4() & Control.VME) != 0;
            if (extended && cpu.tasks.redirectsInterrupt(vector)) {
                cpu.interrupts.redirected(vector);
                return;
            }
            if (cpu.iopl() < 3) {
                throw cpu.gp(0);
            }
        }
        cpu.interrupts.software(vector);
    }
}

package org.jvirt.engine.soft.system;

import org.jspecify.annotations.Nullable;
import org.jvirt.engine.soft.cpu.Control;
import org.jvirt.engine.soft.cpu.Cpu;
import org.jvirt.engine.soft.cpu.Op;
import org.jvirt.x86.Instruction;

/// PUSHF, POPF, CLI, STI, CLAC and STAC, with the rules of IOPL and of virtual interrupts.
///
/// Source: Intel SDM volume 2; volume 3, 20.3, 20.4.
final class FlagOps {
    private static final int POPPED = Cpu.TF | Cpu.DF | Cpu.NT | Cpu.AC | Cpu.ID;

    private FlagOps() {}

    static @Nullable Op of(Instruction insn, int nextOffset) {
        int size = insn.operandSize();
        return switch (insn.mnemonic()) {
            case PUSHF -> ActionOp.of(nextOffset, cpu -> push(cpu, size));
            case POPF -> ActionOp.of(nextOffset, cpu -> pop(cpu, size));
            case CLI -> ActionOp.of(nextOffset, cpu -> disable(cpu));
            case STI -> ActionOp.of(nextOffset, cpu -> enable(cpu));
            case CLAC -> ActionOp.of(nextOffset, cpu -> setAc(cpu, false));
            case STAC -> ActionOp.of(nextOffset, cpu -> setAc(cpu, true));
            default -> null;
        };
    }

    private static void setAc(Cpu cpu, boolean value) {
        if (cpu.cpl() != 0) {
            throw cpu.ud();
        }
        cpu.setSystemFlags(value ? cpu.systemFlags() | Cpu.AC : cpu.systemFlags() & ~Cpu.AC);
    }

    private static boolean extended(Cpu cpu) {
        return (cpu.control.cr4() & Control.VME) != 0;
    }

    private static void push(Cpu cpu, int size) {
        long image = cpu.rflags() & ~(Cpu.VM | Cpu.RF);
        if (cpu.virtual8086() && cpu.iopl() < 3) {
            if (!extended(cpu) || size != 2) {
                throw cpu.gp(0);
            }
            boolean virtual = (image & Cpu.VIF) != 0;
            image = image & ~Cpu.IF | Cpu.IOPL | (virtual ? Cpu.IF : 0);
        }
        cpu.push(image, size);
    }

    private static void pop(Cpu cpu, int size) {
        boolean virtual = cpu.virtual8086() && cpu.iopl() < 3;
        if (virtual && (!extended(cpu) || size != 2)) {
            throw cpu.gp(0);
        }
        long sp = cpu.r[Cpu.RSP];
        int image = (int) cpu.mmu.load(cpu.stackLinear(sp, size, false), size);
        int changes = POPPED;
        if (size == 2) {
            changes &= 0xFFFF;
        }
        if (virtual) {
            boolean enable = (image & Cpu.IF) != 0;
            if (enable && (cpu.systemFlags() & Cpu.VIP) != 0 || (image & Cpu.TF) != 0) {
                throw cpu.gp(0);
            }
            changes |= Cpu.VIF;
            image = enable ? image | Cpu.VIF : image & ~Cpu.VIF;
        } else if (cpu.cpl() == 0) {
            changes |= Cpu.IF | Cpu.IOPL;
        } else if (cpu.cpl() <= cpu.iopl()) {
            changes |= Cpu.IF;
        }
        cpu.setSp(sp + size);
        cpu.flags.unpack(image);
        cpu.setSystemFlags(cpu.systemFlags() & ~(changes | Cpu.RF) | image & changes);
    }

    private static void disable(Cpu cpu) {
        if (mayChange(cpu)) {
            cpu.setSystemFlags(cpu.systemFlags() & ~Cpu.IF);
        } else {
            cpu.setSystemFlags(cpu.systemFlags() & ~Cpu.VIF);
        }
    }

    private static void enable(Cpu cpu) {
        if (mayChange(cpu)) {
            if (!cpu.interruptsEnabled()) {
                cpu.setSystemFlags(cpu.systemFlags() | Cpu.IF);
                cpu.shadowInterrupts();
            }
        } else if ((cpu.systemFlags() & Cpu.VIP) != 0) {
            throw cpu.gp(0);
        } else {
            cpu.setSystemFlags(cpu.systemFlags() | Cpu.VIF);
        }
    }

    /// Whether CLI and STI mean IF; if not, they mean VIF, or fault.
    private static boolean mayChange(Cpu cpu) {
        if (cpu.cpl() <= cpu.iopl()) {
            return true;
        }
        long needed = cpu.virtual8086() ? Control.VME : Control.PVI;
        if (cpu.cpl() != 3 || (cpu.control.cr4() & needed) == 0) {
            throw cpu.gp(0);
        }
        return false;
    }
}

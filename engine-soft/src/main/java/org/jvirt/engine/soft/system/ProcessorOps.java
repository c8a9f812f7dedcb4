package org.jvirt.engine.soft.system;

import org.jspecify.annotations.Nullable;
import org.jvirt.engine.soft.cpu.Address;
import org.jvirt.engine.soft.cpu.Control;
import org.jvirt.engine.soft.cpu.Cpu;
import org.jvirt.engine.soft.cpu.Flags;
import org.jvirt.engine.soft.cpu.Op;
import org.jvirt.x86.Instruction;

/// What a processor tells of itself, its counters and random numbers, waiting, and calls to the hypervisor.
final class ProcessorOps {
    private ProcessorOps() {}

    static @Nullable Op of(Instruction insn, int nextOffset) {
        return switch (insn.mnemonic()) {
            case CPUID -> ActionOp.of(nextOffset, cpu -> cpu.cpuidUnit.execute());
            case RDTSC -> ActionOp.of(nextOffset, cpu -> readCounter(cpu, false));
            case RDTSCP -> ActionOp.of(nextOffset, cpu -> readCounter(cpu, true));
            case RDPID -> {
                int register = insn.register(0);
                yield ActionOp.of(nextOffset, cpu -> cpu.r[register] = cpu.msrs.tscAux());
            }
            case RDPMC ->
                ActionOp.of(nextOffset, cpu -> {
                    // CPUID announces no counters
                    throw cpu.gp(0);
                });
            case RDRAND, RDSEED -> random(insn, nextOffset);
            case HLT -> ActionOp.privileged(nextOffset, cpu -> cpu.halt());
            case MONITOR ->
                ActionOp.privileged(nextOffset, cpu -> {
                    if (cpu.r[Cpu.RCX] != 0) {
                        throw cpu.gp(0);
                    }
                });
            case MWAIT ->
                ActionOp.privileged(nextOffset, cpu -> {
                    // waking up at once is always allowed
                    Thread.onSpinWait();
                });
            case VMCALL, VMMCALL ->
                ActionOp.of(nextOffset, cpu -> {
                    if (!cpu.paravirtual.isPresent()) {
                        throw cpu.ud();
                    }
                    cpu.r[Cpu.RAX] = cpu.paravirtual.hypercall();
                });
            case CLFLUSH, CLFLUSHOPT, CLWB -> {
                Address address = Address.of(insn, nextOffset);
                yield ActionOp.of(nextOffset, cpu -> cpu.mmu.checkRead(address.linear(cpu, 1), 1));
            }
            case SERIALIZE ->
                ActionOp.of(nextOffset, cpu -> {
                    // every instruction is
                });
            default -> null;
        };
    }

    private static void readCounter(Cpu cpu, boolean withProcessor) {
        if (cpu.cpl() != 0 && (cpu.control.cr4() & Control.TSD) != 0) {
            throw cpu.gp(0);
        }
        long ticks = cpu.msrs.tsc();
        cpu.r[Cpu.RAX] = ticks & 0xFFFF_FFFFL;
        cpu.r[Cpu.RDX] = ticks >>> 32;
        if (withProcessor) {
            cpu.r[Cpu.RCX] = cpu.msrs.tscAux();
        }
    }

    private static Op random(Instruction insn, int nextOffset) {
        int register = insn.register(0);
        int size = insn.operandSize();
        return ActionOp.of(nextOffset, cpu -> {
            Place.set(cpu, register, size, RandomNumbers.next());
            cpu.flags.unpack(Flags.CF);
        });
    }
}

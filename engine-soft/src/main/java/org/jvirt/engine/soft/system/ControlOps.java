package org.jvirt.engine.soft.system;

import org.jspecify.annotations.Nullable;
import org.jvirt.core.cpu.CpuFeature;
import org.jvirt.engine.soft.cpu.Address;
import org.jvirt.engine.soft.cpu.Control;
import org.jvirt.engine.soft.cpu.Cpu;
import org.jvirt.engine.soft.cpu.Op;
import org.jvirt.engine.soft.cpu.Segments;
import org.jvirt.x86.Instruction;
import org.jvirt.x86.Mnemonic;
import org.jvirt.x86.OperandKind;

/// Control, debug, model-specific and extended control registers, segment bases, and the flushes of the TLB.
final class ControlOps {
    private ControlOps() {}

    static Op move(Instruction insn, int nextOffset) {
        boolean load = insn.kind(0) == OperandKind.CONTROL || insn.kind(0) == OperandKind.DEBUG;
        boolean control = insn.kind(load ? 0 : 1) == OperandKind.CONTROL;
        int special = insn.register(load ? 0 : 1);
        int general = insn.register(load ? 1 : 0);
        long mask = insn.operandSize() == 8 ? -1L : 0xFFFF_FFFFL;
        if (load) {
            return ActionOp.privileged(nextOffset, cpu -> {
                long value = cpu.r[general] & mask;
                if (control) {
                    writeControl(cpu, special, value);
                } else {
                    cpu.debug.write(special, value);
                }
            });
        }
        return ActionOp.privileged(nextOffset, cpu -> {
            long value = control ? readControl(cpu, special) : cpu.debug.read(special);
            cpu.r[general] = value & mask;
        });
    }

    private static long readControl(Cpu cpu, int register) {
        return switch (register) {
            case 0 -> cpu.control.cr0();
            case 2 -> cpu.control.cr2();
            case 3 -> cpu.control.cr3();
            case 4 -> cpu.control.cr4();
            default -> cpu.taskPriority();
        };
    }

    private static void writeControl(Cpu cpu, int register, long value) {
        switch (register) {
            case 0 -> cpu.control.setCr0(value);
            case 2 -> cpu.control.setCr2(value);
            case 3 -> cpu.control.setCr3(value);
            case 4 -> cpu.control.setCr4(value);
            default -> cpu.setTaskPriority(value);
        }
    }

    static @Nullable Op of(Instruction insn, int nextOffset) {
        return switch (insn.mnemonic()) {
            case SMSW -> {
                Place to = Place.of(insn, nextOffset, 0);
                yield ActionOp.of(nextOffset, cpu -> {
                    if (cpu.cpl() != 0 && cpu.control.preventsUserInstructions()) {
                        throw cpu.gp(0);
                    }
                    to.writeWide(cpu, cpu.control.cr0());
                });
            }
            case LMSW -> {
                Place from = Place.of(insn, nextOffset, 0);
                yield ActionOp.privileged(nextOffset, cpu -> {
                    // PE can be set, not cleared
                    long bits = from.read16(cpu) & 15 | cpu.control.cr0() & Control.PE;
                    cpu.control.setCr0(cpu.control.cr0() & ~15L | bits);
                });
            }
            case CLTS -> ActionOp.privileged(nextOffset, cpu -> cpu.control.clearTaskSwitched());
            case INVLPG -> invalidatePage(insn, nextOffset);
            case INVPCID -> invalidateContext(insn, nextOffset);
            case INVD, WBINVD, WBNOINVD ->
                ActionOp.privileged(nextOffset, cpu -> {
                    // there is no cache to write back
                });
            case RDMSR ->
                ActionOp.privileged(nextOffset, cpu -> {
                    long value = cpu.msrs.read((int) cpu.r[Cpu.RCX]);
                    cpu.r[Cpu.RAX] = value & 0xFFFF_FFFFL;
                    cpu.r[Cpu.RDX] = value >>> 32;
                });
            case WRMSR ->
                ActionOp.privileged(
                        nextOffset,
                        cpu -> cpu.msrs.write(
                                (int) cpu.r[Cpu.RCX], cpu.r[Cpu.RAX] & 0xFFFF_FFFFL | cpu.r[Cpu.RDX] << 32));
            case SWAPGS -> ActionOp.privileged(nextOffset, cpu -> cpu.msrs.swapGs());
            case RDFSBASE, RDGSBASE, WRFSBASE, WRGSBASE -> segmentBase(insn, nextOffset);
            case XSETBV ->
                ActionOp.of(nextOffset, cpu -> {
                    requireOsxsave(cpu);
                    if (cpu.cpl() != 0 || (int) cpu.r[Cpu.RCX] != 0) {
                        throw cpu.gp(0);
                    }
                    cpu.control.setXcr0(cpu.r[Cpu.RAX] & 0xFFFF_FFFFL | cpu.r[Cpu.RDX] << 32);
                });
            case XGETBV -> ActionOp.of(nextOffset, ControlOps::readExtended);
            default -> null;
        };
    }

    private static void requireOsxsave(Cpu cpu) {
        if ((cpu.control.cr4() & Control.OSXSAVE) == 0) {
            throw cpu.ud();
        }
    }

    private static void readExtended(Cpu cpu) {
        requireOsxsave(cpu);
        int number = (int) cpu.r[Cpu.RCX];
        if (number != 0 && (number != 1 || !cpu.has(CpuFeature.XGETBV1))) {
            throw cpu.gp(0);
        }
        long value = number == 0 ? cpu.control.xcr0() : cpu.xsave.xcr0InUse();
        cpu.r[Cpu.RAX] = value & 0xFFFF_FFFFL;
        cpu.r[Cpu.RDX] = value >>> 32;
    }

    private static Op invalidatePage(Instruction insn, int nextOffset) {
        Address address = Address.of(insn, nextOffset);
        return ActionOp.privileged(nextOffset, cpu -> {
            long la = cpu.segments.base(address.segment()) + address.offset(cpu);
            cpu.mmu.tlb.flushPage(cpu.longMode64() ? la : la & 0xFFFF_FFFFL);
            cpu.endBlock();
        });
    }

    private static Op invalidateContext(Instruction insn, int nextOffset) {
        int register = insn.register(0);
        Address address = Address.of(insn, nextOffset);
        return ActionOp.privileged(nextOffset, cpu -> {
            long type = cpu.r[register] & (cpu.longMode64() ? -1L : 0xFFFF_FFFFL);
            long la = address.linear(cpu, 16);
            long pcid = cpu.mmu.load64(la);
            long page = cpu.mmu.load64(la + 8);
            boolean contexts = (cpu.control.cr4() & Control.PCIDE) != 0;
            if (type > 3
                    || type < 0
                    || (pcid & ~0xFFFL) != 0
                    || type < 2 && pcid != 0 && !contexts
                    || type == 0 && !cpu.isCanonicalBase(page)) {
                throw cpu.gp(0);
            }
            switch ((int) type) {
                case 0 -> cpu.mmu.tlb.flushPage((int) pcid, page);
                case 1 -> cpu.mmu.tlb.flushContext((int) pcid);
                default -> cpu.mmu.tlb.flushAll();
            }
            cpu.endBlock();
        });
    }

    private static Op segmentBase(Instruction insn, int nextOffset) {
        int register = insn.register(0);
        int size = insn.operandSize();
        Mnemonic name = insn.mnemonic();
        int segment = name == Mnemonic.RDFSBASE || name == Mnemonic.WRFSBASE ? Segments.FS : Segments.GS;
        boolean read = name == Mnemonic.RDFSBASE || name == Mnemonic.RDGSBASE;
        return ActionOp.of(nextOffset, cpu -> {
            if ((cpu.control.cr4() & Control.FSGSBASE) == 0) {
                throw cpu.ud();
            }
            if (read) {
                Place.set(cpu, register, size, cpu.segments.base[segment]);
                return;
            }
            long value = size == 4 ? cpu.r[register] & 0xFFFF_FFFFL : cpu.r[register];
            if (!cpu.isCanonicalBase(value)) {
                throw cpu.gp(0);
            }
            cpu.segments.base[segment] = value;
        });
    }
}

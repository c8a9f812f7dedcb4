package org.jvirt.engine.soft.system;

import org.jspecify.annotations.Nullable;
import org.jvirt.core.cpu.DescriptorTable;
import org.jvirt.engine.soft.cpu.Address;
import org.jvirt.engine.soft.cpu.Cpu;
import org.jvirt.engine.soft.cpu.Op;
import org.jvirt.engine.soft.cpu.OpContext;
import org.jvirt.engine.soft.cpu.Segments;
import org.jvirt.x86.Instruction;
import org.jvirt.x86.Mnemonic;
import org.jvirt.x86.OperandKind;

/// Segment registers and descriptor tables.
final class SegmentOps {
    private SegmentOps() {}

    static Op move(Instruction insn, int nextOffset) {
        if (insn.kind(0) == OperandKind.SEGMENT) {
            int segment = insn.register(0);
            Place from = Place.of(insn, nextOffset, 1);
            return ActionOp.of(nextOffset, cpu -> load(cpu, segment, from.read16(cpu)));
        }
        int segment = insn.register(1);
        Place to = Place.of(insn, nextOffset, 0);
        return ActionOp.of(nextOffset, cpu -> to.write16(cpu, cpu.segments.selector(segment)));
    }

    private static void load(Cpu cpu, int segment, int selector) {
        cpu.segmentation.load(segment, selector);
        if (segment == Segments.SS) {
            cpu.shadowAll();
        }
    }

    static Op stack(Instruction insn, int nextOffset) {
        int segment = insn.register(0);
        int size = insn.operandSize();
        if (insn.mnemonic() == Mnemonic.PUSH) {
            return ActionOp.of(nextOffset, cpu -> cpu.push(cpu.segments.selector(segment), size));
        }
        return ActionOp.of(nextOffset, cpu -> {
            long sp = cpu.r[Cpu.RSP];
            int selector = (int) cpu.mmu.load(cpu.stackLinear(sp, size, false), size) & 0xFFFF;
            load(cpu, segment, selector);
            cpu.setSp(sp + size);
        });
    }

    static Op loadPointer(Instruction insn, int nextOffset) {
        int segment = switch (insn.mnemonic()) {
            case LES -> Segments.ES;
            case LDS -> Segments.DS;
            case LSS -> Segments.SS;
            case LFS -> Segments.FS;
            default -> Segments.GS;
        };
        int register = insn.register(0);
        int size = insn.operandSize();
        Address address = Address.of(insn, nextOffset);
        return ActionOp.of(nextOffset, cpu -> {
            long la = address.linear(cpu, size + 2);
            long offset = cpu.mmu.load(la, size);
            int selector = cpu.mmu.load16(la + size);
            load(cpu, segment, selector);
            Place.set(cpu, register, size, offset);
        });
    }

    static @Nullable Op table(Instruction insn, int nextOffset, OpContext context) {
        return switch (insn.mnemonic()) {
            case SGDT -> storeTable(insn, nextOffset, true);
            case SIDT -> storeTable(insn, nextOffset, false);
            case LGDT -> loadTable(insn, nextOffset, true, context.long64());
            case LIDT -> loadTable(insn, nextOffset, false, context.long64());
            case SLDT -> storeSelector(insn, nextOffset, Segments.LDTR);
            case STR -> storeSelector(insn, nextOffset, Segments.TR);
            case LLDT -> {
                Place from = Place.of(insn, nextOffset, 0);
                yield ActionOp.privileged(nextOffset, cpu -> cpu.segmentation.loadLdt(from.read16(cpu)));
            }
            case LTR -> {
                Place from = Place.of(insn, nextOffset, 0);
                yield ActionOp.privileged(nextOffset, cpu -> cpu.segmentation.loadTask(from.read16(cpu)));
            }
            case LAR, LSL -> question(insn, nextOffset);
            case VERR, VERW -> {
                Place from = Place.of(insn, nextOffset, 0);
                boolean write = insn.mnemonic() == Mnemonic.VERW;
                yield ActionOp.of(nextOffset, cpu -> cpu.flags.setZf(cpu.segmentation.verify(from.read16(cpu), write)));
            }
            case ARPL -> adjustLevel(insn, nextOffset);
            default -> null;
        };
    }

    private static void preventUser(Cpu cpu) {
        if (cpu.cpl() != 0 && cpu.control.preventsUserInstructions()) {
            throw cpu.gp(0);
        }
    }

    private static Op storeTable(Instruction insn, int nextOffset, boolean global) {
        Address address = Address.of(insn, nextOffset);
        return ActionOp.of(nextOffset, cpu -> {
            preventUser(cpu);
            int size = cpu.longMode64() ? 8 : 4;
            DescriptorTable table = global ? cpu.segmentation.gdt() : cpu.segmentation.idt();
            long la = address.linearForWrite(cpu, size + 2);
            cpu.mmu.checkWrite(la, size + 2);
            cpu.mmu.store16(la, table.limit());
            cpu.mmu.store(la + 2, size, table.base());
        });
    }

    private static Op loadTable(Instruction insn, int nextOffset, boolean global, boolean long64) {
        Address address = Address.of(insn, nextOffset);
        boolean narrow = insn.operandSize() == 2 && !long64;
        return ActionOp.privileged(nextOffset, cpu -> {
            int size = cpu.longMode64() ? 8 : 4;
            long la = address.linear(cpu, size + 2);
            int limit = cpu.mmu.load16(la);
            long base = cpu.mmu.load(la + 2, size);
            if (narrow) {
                base &= 0xFF_FFFF;
            }
            if (!cpu.isCanonicalBase(base)) {
                throw cpu.gp(0);
            }
            if (global) {
                cpu.segmentation.setGdt(base, limit);
            } else {
                cpu.segmentation.setIdt(base, limit);
            }
        });
    }

    private static Op storeSelector(Instruction insn, int nextOffset, int segment) {
        Place to = Place.of(insn, nextOffset, 0);
        return ActionOp.of(nextOffset, cpu -> {
            preventUser(cpu);
            to.write16(cpu, cpu.segments.selector(segment));
        });
    }

    private static Op question(Instruction insn, int nextOffset) {
        boolean rights = insn.mnemonic() == Mnemonic.LAR;
        int register = insn.register(0);
        int size = insn.operandSize();
        Place from = Place.of(insn, nextOffset, 1);
        return ActionOp.of(nextOffset, cpu -> {
            int selector = from.read16(cpu);
            long answer = rights ? cpu.segmentation.accessRights(selector) : cpu.segmentation.limit(selector);
            if (answer >= 0) {
                Place.set(cpu, register, size, answer);
            }
            cpu.flags.setZf(answer >= 0);
        });
    }

    private static Op adjustLevel(Instruction insn, int nextOffset) {
        Place place = Place.of(insn, nextOffset, 0);
        int register = insn.register(1);
        return ActionOp.of(nextOffset, cpu -> {
            int old = place.read16(cpu);
            int wanted = (int) cpu.r[register] & 3;
            boolean lower = (old & 3) < wanted;
            // memory is written in either case, as a locked-less read-modify-write does
            place.write16(cpu, lower ? old & ~3 | wanted : old);
            cpu.flags.setZf(lower);
        });
    }
}

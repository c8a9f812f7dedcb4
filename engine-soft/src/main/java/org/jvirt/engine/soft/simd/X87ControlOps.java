package org.jvirt.engine.soft.simd;

import org.jspecify.annotations.Nullable;
import org.jvirt.engine.soft.cpu.Address;
import org.jvirt.engine.soft.cpu.Cpu;
import org.jvirt.engine.soft.cpu.Op;
import org.jvirt.engine.soft.cpu.OpContext;
import org.jvirt.engine.soft.fp.X87;
import org.jvirt.engine.soft.fp.X87Image;
import org.jvirt.x86.Instruction;
import org.jvirt.x86.Mnemonic;

/// The x87 control instructions: the unit does not remember them as its last instruction. Those whose names begin
/// with FN do not wait for exceptions.
final class X87ControlOps extends Op {
    private final Mnemonic mnemonic;
    private final @Nullable Address address;
    /// The images have 32-bit fields.
    private final boolean wide;
    /// The images have the format of real-address mode.
    private final boolean real;
    private final int bytes;
    private final byte[] image;

    X87ControlOps(Instruction insn, int nextOffset, OpContext context) {
        super(nextOffset);
        mnemonic = insn.mnemonic();
        address = insn.memoryOperand() >= 0 ? Address.of(insn, nextOffset) : null;
        wide = insn.operandSize() != 2;
        real = !context.protectedMode();
        bytes = switch (mnemonic) {
            case FLDENV, FNSTENV -> X87Image.environmentBytes(wide);
            case FRSTOR, FNSAVE -> X87Image.environmentBytes(wide) + X87Image.REGISTERS_BYTES;
            default -> 0;
        };
        image = new byte[bytes];
    }

    @Override
    public void execute(Cpu cpu) {
        X87 x = cpu.x87;
        switch (mnemonic) {
            case FWAIT -> {
                cpu.useFwait();
                if (x.pending()) {
                    throw cpu.mf();
                }
            }
            case FNINIT -> {
                cpu.useX87();
                x.fninit();
            }
            case FNCLEX -> {
                cpu.useX87();
                x.fnclex();
            }
            case FNSTCW -> {
                cpu.useX87();
                storeWord(cpu, x.control());
            }
            case FNSTSW -> {
                cpu.useX87();
                storeWord(cpu, x.status());
            }
            case FLDCW -> {
                X87Op.begin(cpu);
                Address at = address;
                if (at != null) {
                    x.control(cpu.mmu.load16(at.linear(cpu, 2)));
                }
            }
            case FLDENV -> {
                X87Op.begin(cpu);
                loadImage(cpu);
                X87Image.loadEnvironment(x, image, wide, real);
            }
            case FRSTOR -> {
                X87Op.begin(cpu);
                loadImage(cpu);
                X87Image.restore(x, image, wide, real);
            }
            case FNSTENV -> {
                cpu.useX87();
                X87Image.storeEnvironment(x, image, wide, real);
                storeImage(cpu);
                x.maskAll();
            }
            default -> {
                cpu.useX87();
                X87Image.save(x, image, wide, real);
                storeImage(cpu);
                x.fninit();
            }
        }
    }

    private void storeWord(Cpu cpu, int value) {
        Address at = address;
        if (at == null) {
            cpu.r[Cpu.RAX] = cpu.r[Cpu.RAX] & ~0xFFFFL | value & 0xFFFF;
        } else {
            cpu.mmu.store16(at.linearForWrite(cpu, 2), value);
        }
    }

    private void loadImage(Cpu cpu) {
        Address at = address;
        if (at != null) {
            long la = at.linear(cpu, bytes);
            for (int i = 0; i < bytes; i++) {
                image[i] = (byte) cpu.mmu.load8(la + i);
            }
        }
    }

    private void storeImage(Cpu cpu) {
        Address at = address;
        if (at != null) {
            long la = at.linearForWrite(cpu, bytes);
            cpu.mmu.checkWrite(la, bytes);
            for (int i = 0; i < bytes; i++) {
                cpu.mmu.store8(la + i, image[i]);
            }
        }
    }
}

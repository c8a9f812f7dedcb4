package org.jvirt.engine.soft.system;

import org.jspecify.annotations.Nullable;
import org.jvirt.engine.soft.cpu.Address;
import org.jvirt.engine.soft.cpu.Control;
import org.jvirt.engine.soft.cpu.Cpu;
import org.jvirt.engine.soft.cpu.Op;
import org.jvirt.x86.Instruction;

/// FXSAVE, FXRSTOR and the XSAVE family.
final class XsaveOps {
    private static final int LEGACY_BYTES = 512;
    private static final int AREA_BYTES = 576;

    private XsaveOps() {}

    static @Nullable Op of(Instruction insn, int nextOffset) {
        Address address = Address.of(insn, nextOffset);
        boolean wide = insn.wide();
        return switch (insn.mnemonic()) {
            case FXSAVE ->
                ActionOp.of(nextOffset, cpu -> {
                    cpu.useX87();
                    cpu.xsave.fxsave(aligned16(cpu, address.linearForWrite(cpu, LEGACY_BYTES)), wide);
                });
            case FXRSTOR ->
                ActionOp.of(nextOffset, cpu -> {
                    cpu.useX87();
                    cpu.xsave.fxrstor(aligned16(cpu, address.linear(cpu, LEGACY_BYTES)), wide);
                });
            case XSAVE ->
                ActionOp.of(nextOffset, cpu -> {
                    check(cpu);
                    cpu.xsave.xsave(address.linearForWrite(cpu, AREA_BYTES), wide, false);
                });
            case XSAVEOPT ->
                ActionOp.of(nextOffset, cpu -> {
                    check(cpu);
                    cpu.xsave.xsave(address.linearForWrite(cpu, AREA_BYTES), wide, true);
                });
            case XSAVEC ->
                ActionOp.of(nextOffset, cpu -> {
                    check(cpu);
                    cpu.xsave.xsavec(address.linearForWrite(cpu, AREA_BYTES), wide);
                });
            case XSAVES ->
                ActionOp.privileged(nextOffset, cpu -> {
                    check(cpu);
                    cpu.xsave.xsavec(address.linearForWrite(cpu, AREA_BYTES), wide);
                });
            case XRSTOR ->
                ActionOp.of(nextOffset, cpu -> {
                    check(cpu);
                    cpu.xsave.xrstor(address.linear(cpu, AREA_BYTES), wide, false);
                });
            case XRSTORS ->
                ActionOp.privileged(nextOffset, cpu -> {
                    check(cpu);
                    cpu.xsave.xrstor(address.linear(cpu, AREA_BYTES), wide, true);
                });
            default -> null;
        };
    }

    private static long aligned16(Cpu cpu, long la) {
        if ((la & 15) != 0) {
            throw cpu.gp(0);
        }
        return la;
    }

    private static void check(Cpu cpu) {
        if ((cpu.control.cr4() & Control.OSXSAVE) == 0) {
            throw cpu.ud();
        }
        if ((cpu.control.cr0() & Control.TS) != 0) {
            throw cpu.nm();
        }
    }
}

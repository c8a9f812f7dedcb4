package org.jvirt.engine.soft.integer;

import org.jspecify.annotations.Nullable;
import org.jvirt.engine.soft.cpu.Cpu;
import org.jvirt.engine.soft.cpu.Flags;
import org.jvirt.engine.soft.cpu.Op;
import org.jvirt.x86.Instruction;
import org.jvirt.x86.Mnemonic;

/// The BCD instructions and `SALC`, which 64-bit mode does not have.
final class DecimalOps {
    private DecimalOps() {}

    static @Nullable Op of(Instruction insn, int nextOffset) {
        return switch (insn.mnemonic()) {
            case AAA, AAD, AAM, AAS, DAA, DAS, SALC -> new Decimal(insn, nextOffset);
            default -> null;
        };
    }

    private static final class Decimal extends Op {
        private final Mnemonic mnemonic;
        private final int base;

        Decimal(Instruction insn, int nextOffset) {
            super(nextOffset);
            mnemonic = insn.mnemonic();
            base = (int) insn.immediate();
        }

        @Override
        public void execute(Cpu cpu) {
            if (mnemonic == Mnemonic.AAM && base == 0) {
                throw cpu.de();
            }
            Flags flags = cpu.flags;
            int ax = (int) cpu.r[0] & 0xFFFF;
            int al = ax & 0xFF;
            int result = switch (mnemonic) {
                case AAA -> DecimalAdjust.aaa(flags, ax);
                case AAS -> DecimalAdjust.aas(flags, ax);
                case AAM -> DecimalAdjust.aam(flags, al, base);
                case AAD -> DecimalAdjust.aad(flags, ax, base);
                case DAA -> ax & 0xFF00 | DecimalAdjust.daa(flags, al);
                case DAS -> ax & 0xFF00 | DecimalAdjust.das(flags, al);
                default -> ax & 0xFF00 | (flags.cf() ? 0xFF : 0);
            };
            cpu.r[0] = cpu.r[0] & ~0xFFFFL | result;
        }
    }
}

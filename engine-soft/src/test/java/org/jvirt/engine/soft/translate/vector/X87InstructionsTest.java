package org.jvirt.engine.soft.translate.vector;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.EnumSet;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.jvirt.x86.CodeSize;
import org.jvirt.x86.CpuFeature;
import org.jvirt.x86.Instruction;
import org.jvirt.x86.InstructionGenerator;
import org.jvirt.x86.Mnemonic;
import org.jvirt.x86.OpcodeRow;
import org.jvirt.x86.OpcodeTable;
import org.jvirt.x86.OperandKind;

/// Every x87 and MMX row of the opcode table is classified.
class X87InstructionsTest {
    private static final HostCpu EVERYTHING = new HostCpu(Set.of(CpuFeature.values()));
    private static final Set<Mnemonic> INTERPRETED = EnumSet.of(
            Mnemonic.F2XM1,
            Mnemonic.FYL2X,
            Mnemonic.FYL2XP1,
            Mnemonic.FPTAN,
            Mnemonic.FPATAN,
            Mnemonic.FSIN,
            Mnemonic.FCOS,
            Mnemonic.FSINCOS,
            Mnemonic.FBLD,
            Mnemonic.FBSTP,
            Mnemonic.FLDENV,
            Mnemonic.FNSTENV,
            Mnemonic.FRSTOR,
            Mnemonic.FNSAVE,
            Mnemonic.MASKMOVQ);

    private interface Check {
        void on(OpcodeRow row, Instruction insn);
    }

    private static void forAll(Check check) {
        var generator = new InstructionGenerator(1);
        var insn = new Instruction();
        for (OpcodeRow row : OpcodeTable.rows()) {
            for (int i = 0; i < 8; i++) {
                if (generator.generate(row, CodeSize.CODE64, insn)) {
                    check.on(row, insn);
                }
            }
        }
    }

    private static boolean uses(Instruction insn, OperandKind kind) {
        for (int i = 0; i < insn.operandCount(); i++) {
            if (insn.kind(i) == kind) {
                return true;
            }
        }
        return false;
    }

    @Test
    void whatDiffersBetweenProcessorsIsInterpreted() {
        forAll((row, insn) -> {
            if (INTERPRETED.contains(insn.mnemonic()) || row.feature() == CpuFeature.X87 && row.alias()) {
                assertThat(X87Instructions.isNative(insn, EVERYTHING))
                        .as("%s", insn)
                        .isFalse();
            }
        });
    }

    @Test
    void theRestOfTheUnitsInstructionsIsNativeAndNothingElse() {
        forAll((row, insn) -> {
            boolean unit = row.feature() == CpuFeature.X87
                    || insn.mnemonic() == Mnemonic.FISTTP
                    || insn.mnemonic() == Mnemonic.EMMS
                    || uses(insn, OperandKind.X87)
                    || uses(insn, OperandKind.MMX);
            boolean expected = unit && !row.alias() && !INTERPRETED.contains(insn.mnemonic());
            assertThat(X87Instructions.isNative(insn, EVERYTHING))
                    .as("%s", insn)
                    .isEqualTo(expected);
        });
    }

    @Test
    void aHostWithoutXsaveIsNotAskedForIt() {
        var features = EnumSet.allOf(CpuFeature.class);
        features.remove(CpuFeature.XSAVE);
        forAll((row, insn) -> assertThat(X87Instructions.isNative(insn, new HostCpu(features)))
                .as("%s", insn)
                .isFalse());
    }
}

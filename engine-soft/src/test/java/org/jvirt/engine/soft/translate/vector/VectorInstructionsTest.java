package org.jvirt.engine.soft.translate.vector;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
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

/// Every row of the opcode table is classified.
class VectorInstructionsTest {
    private static final HostCpu EVERYTHING = new HostCpu(Set.of(CpuFeature.values()));
    private static final HostCpu NOTHING = new HostCpu(Set.of());

    private interface Check {
        void on(OpcodeRow row, Instruction insn, VectorUse use);
    }

    private static void forAll(HostCpu host, Check check) {
        var generator = new InstructionGenerator(1);
        var insn = new Instruction();
        for (OpcodeRow row : OpcodeTable.rows()) {
            for (int i = 0; i < 8; i++) {
                if (generator.generate(row, CodeSize.CODE64, insn)) {
                    check.on(row, insn, VectorInstructions.use(insn, host));
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
    void whatNamesAVectorRegisterIsAVectorInstruction() {
        forAll(EVERYTHING, (row, insn, use) -> {
            if (uses(insn, OperandKind.XMM) || uses(insn, OperandKind.YMM)) {
                assertThat(use).as("%s", insn).isNotEqualTo(VectorUse.NONE);
            }
            if (uses(insn, OperandKind.YMM)) {
                assertThat(use).as("%s", insn).isIn(VectorUse.AVX, VectorUse.UNSUPPORTED);
            }
        });
    }

    @Test
    void theX87UnitHasNoVectorRegisters() {
        forAll(EVERYTHING, (row, insn, use) -> {
            boolean x87 = row.feature() == CpuFeature.X87
                    || insn.mnemonic() == Mnemonic.FISTTP
                    || uses(insn, OperandKind.MMX)
                    || uses(insn, OperandKind.X87);
            if (x87) {
                assertThat(use).as("%s", insn).isEqualTo(VectorUse.UNSUPPORTED);
            }
        });
    }

    @Test
    void aHostWithoutAFeatureIsNotAskedForIt() {
        forAll(NOTHING, (row, insn, use) -> assertThat(use).as("%s", insn).isIn(VectorUse.NONE, VectorUse.UNSUPPORTED));
    }

    @Test
    void theFeaturesOfCpuinfoAreUnderstood() {
        var host = HostCpu.parse(
                List.of("processor\t: 0", "flags\t\t: fpu sse sse2 pni avx abm sha_ni aes", "flags: gfni"));
        assertThat(host.features())
                .contains(
                        CpuFeature.X87,
                        CpuFeature.SSE,
                        CpuFeature.SSE2,
                        CpuFeature.SSE3,
                        CpuFeature.AVX,
                        CpuFeature.AVX_AES,
                        CpuFeature.LZCNT,
                        CpuFeature.SHA)
                .doesNotContain(CpuFeature.GFNI, CpuFeature.AVX2, CpuFeature.AVX_PCLMULQDQ, CpuFeature.SSSE3);
    }
}

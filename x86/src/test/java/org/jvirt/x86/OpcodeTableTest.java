package org.jvirt.x86;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/// What must hold for the table as a whole.
class OpcodeTableTest {
    @Test
    void everyMnemonicHasARowAndEveryFeatureIsNeeded() {
        Set<Mnemonic> mnemonics = EnumSet.noneOf(Mnemonic.class);
        Set<CpuFeature> features = EnumSet.noneOf(CpuFeature.class);
        for (OpcodeRow row : OpcodeTable.rows()) {
            mnemonics.add(row.mnemonic());
            features.add(row.feature());
            assertThat(OpcodeTable.rows().get(row.index())).isSameAs(row);
            assertThat(OpcodeTable.rows(row.mnemonic())).contains(row);
        }
        assertThat(mnemonics).containsExactlyInAnyOrder(Mnemonic.values());
        assertThat(features).containsExactlyInAnyOrder(CpuFeature.values());
    }

    @Test
    void lockableRowsWriteMemoryAsFirstOperand() {
        for (OpcodeRow row : OpcodeTable.rows()) {
            if (row.lockable()) {
                assertThat(row.operand(0).mayBeMemory()).as(row::toString).isTrue();
                assertThat(row.access(0)).as(row::toString).isEqualTo(Access.READ_WRITE);
            }
        }
    }

    @Test
    void aligned16ByteOperandsAreLegacySseButForTheKnownExceptions() {
        List<Mnemonic> unaligned = new ArrayList<>();
        for (OpcodeRow row : OpcodeTable.rows()) {
            boolean legacy = row.map() != OpcodeMap.ONE_BYTE && !row.map().isVex();
            boolean vector = false;
            for (int i = 0; i < row.operandCount(); i++) {
                OperandSpec spec = row.operand(i);
                vector |= (spec.method == OperandSpec.Method.W || spec.method == OperandSpec.Method.M)
                        && spec.size(4, false, 16, true, true) == 16;
            }
            if (legacy && vector && row.alignment(0) != 16 && !unaligned.contains(row.mnemonic())) {
                unaligned.add(row.mnemonic());
            }
        }
        assertThat(unaligned)
                .containsExactlyInAnyOrder(
                        Mnemonic.MOVUPS,
                        Mnemonic.MOVUPD,
                        Mnemonic.MOVDQU,
                        Mnemonic.LDDQU,
                        Mnemonic.PCMPESTRI,
                        Mnemonic.PCMPESTRM,
                        Mnemonic.PCMPISTRI,
                        Mnemonic.PCMPISTRM,
                        Mnemonic.INVEPT,
                        Mnemonic.INVVPID,
                        Mnemonic.INVPCID);
    }

    @Test
    void flagsReadAsInTheManual() {
        OpcodeRow adc = OpcodeTable.rows(Mnemonic.ADC).getFirst();
        assertThat(adc.flagsRead()).isEqualTo(FlagMask.CF);
        assertThat(adc.flagsWritten()).isEqualTo(FlagMask.STATUS);
        OpcodeRow and = OpcodeTable.rows(Mnemonic.AND).getFirst();
        assertThat(and.flagsWritten()).isEqualTo(FlagMask.STATUS & ~FlagMask.AF);
        assertThat(and.flagsUndefined()).isEqualTo(FlagMask.AF);
        for (OpcodeRow row : OpcodeTable.rows(Mnemonic.JLE)) {
            assertThat(row.flagsRead()).isEqualTo(FlagMask.ZF | FlagMask.SF | FlagMask.OF);
            assertThat(row.condition()).isEqualTo(14);
            assertThat(row.branch()).isTrue();
        }
        for (OpcodeRow row : OpcodeTable.rows(Mnemonic.INC)) {
            assertThat(row.flagsWritten() & FlagMask.CF).isZero();
        }
    }

    @Test
    void privilegedRowsAreMarked() {
        for (Mnemonic mnemonic : List.of(
                Mnemonic.HLT,
                Mnemonic.WRMSR,
                Mnemonic.RDMSR,
                Mnemonic.LGDT,
                Mnemonic.LIDT,
                Mnemonic.INVLPG,
                Mnemonic.CLTS,
                Mnemonic.LTR,
                Mnemonic.LLDT,
                Mnemonic.WBINVD,
                Mnemonic.XSETBV,
                Mnemonic.SWAPGS,
                Mnemonic.SYSRET,
                Mnemonic.INVPCID)) {
            assertThat(OpcodeTable.rows(mnemonic)).allMatch(OpcodeRow::privileged);
        }
        assertThat(OpcodeTable.rows(Mnemonic.SGDT)).allMatch(OpcodeRow::umip).noneMatch(OpcodeRow::privileged);
        assertThat(OpcodeTable.rows(Mnemonic.OUT)).allMatch(OpcodeRow::portAccess);
    }
}

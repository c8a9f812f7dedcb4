package org.jvirt.x86;

import static org.assertj.core.api.Assertions.assertThat;
import static org.jvirt.x86.CodeSize.CODE16;
import static org.jvirt.x86.CodeSize.CODE32;
import static org.jvirt.x86.CodeSize.CODE64;
import static org.jvirt.x86.DecodeResult.NEEDS_MORE;
import static org.jvirt.x86.DecodeResult.OK;
import static org.jvirt.x86.DecodeResult.TOO_LONG;
import static org.jvirt.x86.DecodeResult.UNDEFINED;
import static org.jvirt.x86.Decoding.decode;
import static org.jvirt.x86.Decoding.outcome;

import java.util.Arrays;
import org.junit.jupiter.api.Test;

/// Prefixes in every order, number and combination (Intel SDM volume 2, chapter 2).
class DecoderPrefixTest {
    @Test
    void theOperandSizeFollowsModeAndPrefixes() {
        assertThat(decode(CODE16, 0x01, 0xD8).operandSize()).isEqualTo(2);
        assertThat(decode(CODE16, 0x66, 0x01, 0xD8).operandSize()).isEqualTo(4);
        assertThat(decode(CODE32, 0x01, 0xD8).operandSize()).isEqualTo(4);
        assertThat(decode(CODE32, 0x66, 0x01, 0xD8).operandSize()).isEqualTo(2);
        assertThat(decode(CODE64, 0x01, 0xD8).operandSize()).isEqualTo(4);
        assertThat(decode(CODE64, 0x66, 0x01, 0xD8).operandSize()).isEqualTo(2);
        assertThat(decode(CODE64, 0x48, 0x01, 0xD8).operandSize()).isEqualTo(8);
        assertThat(decode(CODE64, 0x66, 0x48, 0x01, 0xD8).operandSize()).isEqualTo(8);
    }

    @Test
    void rexCountsOnlyDirectlyBeforeTheOpcode() {
        Instruction ignored = decode(CODE64, 0x48, 0x66, 0x01, 0xD8);
        assertThat(ignored.operandSize()).isEqualTo(2);
        assertThat(decode(CODE64, 0x4F, 0x40, 0x01, 0xD8).register(0)).isZero();
        assertThat(decode(CODE64, 0x41, 0x01, 0xD8).register(0)).isEqualTo(8);
        assertThat(decode(CODE32, 0x48).mnemonic()).isEqualTo(Mnemonic.DEC);
    }

    @Test
    void rexTurnsHighBytesIntoLowOnes() {
        Instruction high = decode(CODE64, 0x88, 0xE0);
        assertThat(high.kind(1)).isEqualTo(OperandKind.GPR8_HIGH);
        assertThat(high.register(1)).isZero();
        Instruction low = decode(CODE64, 0x40, 0x88, 0xE0);
        assertThat(low.kind(1)).isEqualTo(OperandKind.GPR);
        assertThat(low.register(1)).isEqualTo(4);
    }

    @Test
    void theAddressSizePrefixWorksInEveryMode() {
        Instruction in64 = decode(CODE64, 0x67, 0x8B, 0x03);
        assertThat(in64.addressSize()).isEqualTo(4);
        Instruction in32 = decode(CODE32, 0x67, 0x8B, 0x42, 0x10);
        assertThat(in32.addressSize()).isEqualTo(2);
        assertThat(in32.base()).isEqualTo(5);
        assertThat(in32.index()).isEqualTo(6);
        assertThat(in32.segment()).isEqualTo(Instruction.SS);
        assertThat(in32.displacement()).isEqualTo(0x10);
        Instruction in16 = decode(CODE16, 0x67, 0x8B, 0x04, 0x8D, 0, 0, 1, 0);
        assertThat(in16.addressSize()).isEqualTo(4);
        assertThat(in16.base()).isEqualTo(-1);
        assertThat(in16.index()).isEqualTo(1);
        assertThat(in16.scale()).isEqualTo(2);
        assertThat(in16.displacement()).isEqualTo(0x10000);
    }

    @Test
    void ripRelativeExistsInLongModeOnly() {
        assertThat(decode(CODE64, 0x8B, 0x05, 0xFC, 0xFF, 0xFF, 0xFF).base()).isEqualTo(Instruction.RIP);
        assertThat(decode(CODE64, 0x8B, 0x05, 0xFC, 0xFF, 0xFF, 0xFF).displacement())
                .isEqualTo(-4);
        assertThat(decode(CODE32, 0x8B, 0x05, 0xFC, 0xFF, 0xFF, 0xFF).base()).isEqualTo(-1);
        assertThat(decode(CODE64, 0x8B, 0x04, 0x25, 0, 0, 0, 0).base()).isEqualTo(-1);
    }

    @Test
    void longModeIgnoresTheFlatSegmentsAndKeepsFsAndGs() {
        for (int prefix : new int[] {0x26, 0x2E, 0x36, 0x3E}) {
            assertThat(decode(CODE64, prefix, 0x8B, 0x03).segmentOverridden()).isFalse();
            assertThat(decode(CODE32, prefix, 0x8B, 0x03).segmentOverridden()).isTrue();
            assertThat(decode(CODE32, prefix, 0x8B, 0x03).segment()).isEqualTo(prefix >> 3 & 3);
        }
        assertThat(decode(CODE64, 0x64, 0x8B, 0x03).segment()).isEqualTo(Instruction.FS);
        assertThat(decode(CODE64, 0x65, 0x3E, 0x8B, 0x03).segment()).isEqualTo(Instruction.GS);
        assertThat(decode(CODE32, 0x65, 0x3E, 0x8B, 0x03).segment()).isEqualTo(Instruction.DS);
    }

    @Test
    void stackBasesDefaultToSs() {
        assertThat(decode(CODE64, 0x8B, 0x04, 0x24).segment()).isEqualTo(Instruction.SS);
        assertThat(decode(CODE64, 0x8B, 0x45, 0x00).segment()).isEqualTo(Instruction.SS);
        assertThat(decode(CODE64, 0x41, 0x8B, 0x45, 0x00).segment()).isEqualTo(Instruction.DS);
        assertThat(decode(CODE64, 0x41, 0x8B, 0x04, 0x24).segment()).isEqualTo(Instruction.DS);
        assertThat(decode(CODE32, 0x8B, 0x44, 0x28, 0x00).segment()).isEqualTo(Instruction.DS);
    }

    @Test
    void repeatPrefixesBeat66AsMandatoryPrefixAndTheLastOneWins() {
        assertThat(decode(CODE64, 0x66, 0x0F, 0x58, 0xC1).mnemonic()).isEqualTo(Mnemonic.ADDPD);
        assertThat(decode(CODE64, 0x66, 0xF3, 0x0F, 0x58, 0xC1).mnemonic()).isEqualTo(Mnemonic.ADDSS);
        assertThat(decode(CODE64, 0xF3, 0x66, 0x0F, 0x58, 0xC1).mnemonic()).isEqualTo(Mnemonic.ADDSS);
        assertThat(decode(CODE64, 0xF2, 0xF3, 0x0F, 0x58, 0xC1).mnemonic()).isEqualTo(Mnemonic.ADDSS);
        assertThat(decode(CODE64, 0xF3, 0xF2, 0x0F, 0x58, 0xC1).mnemonic()).isEqualTo(Mnemonic.ADDSD);
        Instruction crc = decode(CODE64, 0x66, 0xF2, 0x0F, 0x38, 0xF1, 0xC1);
        assertThat(crc.mnemonic()).isEqualTo(Mnemonic.CRC32);
        assertThat(crc.size(0)).isEqualTo(4);
        assertThat(crc.size(1)).isEqualTo(2);
    }

    @Test
    void f3ChangesNopBsfBsrAndPopcnt() {
        assertThat(decode(CODE64, 0xF3, 0x90).mnemonic()).isEqualTo(Mnemonic.PAUSE);
        assertThat(decode(CODE64, 0x90).mnemonic()).isEqualTo(Mnemonic.NOP);
        Instruction exchange = decode(CODE64, 0x41, 0x90);
        assertThat(exchange.mnemonic()).isEqualTo(Mnemonic.XCHG);
        assertThat(exchange.register(0)).isEqualTo(8);
        assertThat(decode(CODE64, 0x48, 0x90).mnemonic()).isEqualTo(Mnemonic.NOP);
        assertThat(decode(CODE64, 0x0F, 0xBC, 0xC1).mnemonic()).isEqualTo(Mnemonic.BSF);
        assertThat(decode(CODE64, 0xF3, 0x0F, 0xBC, 0xC1).mnemonic()).isEqualTo(Mnemonic.TZCNT);
        assertThat(decode(CODE64, 0xF2, 0x0F, 0xBD, 0xC1).mnemonic()).isEqualTo(Mnemonic.BSR);
        assertThat(decode(CODE64, 0xF3, 0x0F, 0xBD, 0xC1).mnemonic()).isEqualTo(Mnemonic.LZCNT);
        assertThat(decode(CODE64, 0xF3, 0x0F, 0xB8, 0xC1).mnemonic()).isEqualTo(Mnemonic.POPCNT);
        assertThat(outcome(CODE64, 0x0F, 0xB8, 0xC1)).isEqualTo(UNDEFINED);
        assertThat(decode(CODE64, 0xF3, 0x0F, 0x1E, 0xFA).mnemonic()).isEqualTo(Mnemonic.ENDBR64);
        assertThat(decode(CODE64, 0x0F, 0x1E, 0xFA).mnemonic()).isEqualTo(Mnemonic.NOP);
    }

    @Test
    void repeatShowsOnlyWhereItRepeats() {
        assertThat(decode(CODE64, 0xF3, 0xA4).rep()).isTrue();
        assertThat(decode(CODE64, 0xF2, 0xAE).repne()).isTrue();
        assertThat(decode(CODE64, 0xF3, 0xC3).rep()).isFalse();
        assertThat(decode(CODE64, 0xF3, 0xC3).repeatPrefix()).isEqualTo(0xF3);
        assertThat(decode(CODE64, 0xF3, 0x0F, 0x10, 0xC1).repeatPrefix()).isZero();
    }

    @Test
    void lockNeedsALockableInstructionWithAMemoryDestination() {
        assertThat(decode(CODE64, 0xF0, 0x01, 0x03).lock()).isTrue();
        assertThat(outcome(CODE64, 0xF0, 0x01, 0xC3)).isEqualTo(UNDEFINED);
        assertThat(outcome(CODE64, 0xF0, 0x03, 0x03)).isEqualTo(UNDEFINED);
        assertThat(outcome(CODE64, 0xF0, 0x39, 0x03)).isEqualTo(UNDEFINED);
        assertThat(outcome(CODE64, 0xF0, 0x83, 0x3B, 0x01)).isEqualTo(UNDEFINED);
        assertThat(outcome(CODE64, 0xF0, 0x89, 0x03)).isEqualTo(UNDEFINED);
        assertThat(outcome(CODE64, 0xF0, 0x0F, 0xBA, 0x23, 0x01)).isEqualTo(UNDEFINED);
        assertThat(decode(CODE64, 0xF0, 0x0F, 0xBA, 0x2B, 0x01).lock()).isTrue();
        assertThat(decode(CODE64, 0xF0, 0x0F, 0xC7, 0x0B).mnemonic()).isEqualTo(Mnemonic.CMPXCHG8B);
        assertThat(decode(CODE64, 0xF0, 0x48, 0x0F, 0xC7, 0x0B).mnemonic()).isEqualTo(Mnemonic.CMPXCHG16B);
        assertThat(outcome(CODE64, 0xF0, 0x90)).isEqualTo(UNDEFINED);
    }

    @Test
    void fifteenBytesAreTheLimit() {
        int[] prefixes = new int[16];
        Arrays.fill(prefixes, 0x66);
        assertThat(outcome(CODE64, prefixes)).isEqualTo(TOO_LONG);
        prefixes[14] = 0x90;
        assertThat(outcome(CODE64, prefixes)).isEqualTo(OK);
        prefixes[14] = 0x66;
        prefixes[15] = 0x90;
        assertThat(outcome(CODE64, prefixes)).isEqualTo(TOO_LONG);
        int[] fourteen = Arrays.copyOf(prefixes, 14);
        assertThat(outcome(CODE64, fourteen)).isEqualTo(NEEDS_MORE);
        // 11 prefixes and a 5-byte instruction
        int[] move = new int[16];
        Arrays.fill(move, 0x3E);
        move[11] = 0xB8;
        assertThat(outcome(CODE64, move)).isEqualTo(TOO_LONG);
        assertThat(outcome(CODE64, Arrays.copyOfRange(move, 1, 16))).isEqualTo(OK);
        assertThat(outcome(CODE64)).isEqualTo(NEEDS_MORE);
    }

    @Test
    void vexRefusesLockSizeRepeatAndRexPrefixes() {
        assertThat(outcome(CODE64, 0xC5, 0xF8, 0x58, 0xC1)).isEqualTo(OK);
        for (int prefix : new int[] {0xF0, 0x66, 0xF2, 0xF3, 0x40, 0x48}) {
            assertThat(outcome(CODE64, prefix, 0xC5, 0xF8, 0x58, 0xC1))
                    .as("prefix %x", prefix)
                    .isEqualTo(UNDEFINED);
        }
        assertThat(outcome(CODE64, 0x64, 0x67, 0xC5, 0xF8, 0x58, 0x01)).isEqualTo(OK);
        // a map that does not exist
        assertThat(outcome(CODE64, 0xC4, 0xE4, 0x78, 0x58, 0xC1)).isEqualTo(UNDEFINED);
        // vvvv must be 1111 where it is not an operand
        assertThat(outcome(CODE64, 0xC5, 0xF8, 0x28, 0xC1)).isEqualTo(OK);
        assertThat(outcome(CODE64, 0xC5, 0x70, 0x28, 0xC1)).isEqualTo(UNDEFINED);
        // VEX.L = 1 where only 128 bits exist
        assertThat(outcome(CODE64, 0xC5, 0xFD, 0x6E, 0xC1)).isEqualTo(UNDEFINED);
    }

    @Test
    void vexBytesAreLesAndLdsOutsideLongModeUnlessTheySelectARegister() {
        assertThat(decode(CODE32, 0xC5, 0x03).mnemonic()).isEqualTo(Mnemonic.LDS);
        assertThat(decode(CODE32, 0xC4, 0x03).mnemonic()).isEqualTo(Mnemonic.LES);
        Instruction add = decode(CODE32, 0xC5, 0xF8, 0x58, 0xC1);
        assertThat(add.mnemonic()).isEqualTo(Mnemonic.VADDPS);
        assertThat(add.vectorLength()).isEqualTo(16);
        assertThat(decode(CODE64, 0xC5, 0xFC, 0x58, 0xC1).vectorLength()).isEqualTo(32);
        assertThat(outcome(CODE32, 0xC5)).isEqualTo(NEEDS_MORE);
        assertThat(decode(CODE16, 0xC5, 0x07).mnemonic()).isEqualTo(Mnemonic.LDS);
        assertThat(outcome(CODE32, 0x62, 0xC0)).isEqualTo(UNDEFINED);
        assertThat(decode(CODE32, 0x62, 0x03).mnemonic()).isEqualTo(Mnemonic.BOUND);
        assertThat(outcome(CODE64, 0x62, 0x03)).isEqualTo(UNDEFINED);
    }

    @Test
    void gathersNeedThreeDifferentRegistersAndASibByte() {
        assertThat(outcome(CODE64, 0xC4, 0xE2, 0x69, 0x90, 0x04, 0x0B)).isEqualTo(OK);
        assertThat(outcome(CODE64, 0xC4, 0xE2, 0x69, 0x90, 0x04, 0x03)).isEqualTo(UNDEFINED);
        assertThat(outcome(CODE64, 0xC4, 0xE2, 0x69, 0x90, 0x03)).isEqualTo(UNDEFINED);
    }

    @Test
    void nearBranchesAreAlways64BitInLongMode() {
        Instruction jump = decode(CODE64, 0x66, 0xE9, 1, 0, 0, 0);
        assertThat(jump.operandSize()).isEqualTo(8);
        assertThat(jump.immediate()).isEqualTo(1);
        assertThat(decode(CODE32, 0x66, 0xE9, 1, 0).operandSize()).isEqualTo(2);
        assertThat(decode(CODE64, 0xFF, 0xD0).size(0)).isEqualTo(8);
        assertThat(decode(CODE64, 0x66, 0x50).operandSize()).isEqualTo(2);
        assertThat(decode(CODE64, 0x50).operandSize()).isEqualTo(8);
        assertThat(decode(CODE32, 0x50).operandSize()).isEqualTo(4);
    }

    @Test
    void legacyOnlyInstructionsAreUndefinedInLongMode() {
        int[][] legacy = {
            {0x06},
            {0x27},
            {0x37},
            {0x60},
            {0x61},
            {0x62, 0x03},
            {0x82, 0xC0, 1},
            {0xCE},
            {0xD4, 10},
            {0xD5, 10},
            {0xD6},
            {0x9A, 0, 0, 0, 0, 0, 0},
            {0xEA, 0, 0, 0, 0, 0, 0}
        };
        for (int[] bytes : legacy) {
            assertThat(outcome(CODE32, bytes)).as(Arrays.toString(bytes)).isEqualTo(OK);
            assertThat(outcome(CODE64, bytes)).as(Arrays.toString(bytes)).isEqualTo(UNDEFINED);
        }
        assertThat(decode(CODE64, 0x63, 0xC1).mnemonic()).isEqualTo(Mnemonic.MOVSXD);
        assertThat(decode(CODE32, 0x63, 0xC1).mnemonic()).isEqualTo(Mnemonic.ARPL);
        assertThat(outcome(CODE32, 0x0F, 0x01, 0xF8)).isEqualTo(UNDEFINED);
        assertThat(decode(CODE64, 0x0F, 0x01, 0xF8).mnemonic()).isEqualTo(Mnemonic.SWAPGS);
    }

    @Test
    void registersThatDoNotExistAreUndefined() {
        assertThat(outcome(CODE64, 0x0F, 0x20, 0xC8)).isEqualTo(UNDEFINED);
        assertThat(outcome(CODE64, 0x0F, 0x20, 0xC0)).isEqualTo(OK);
        assertThat(decode(CODE64, 0x44, 0x0F, 0x20, 0xC0).register(1)).isEqualTo(8);
        assertThat(outcome(CODE64, 0x44, 0x0F, 0x21, 0xC0)).isEqualTo(UNDEFINED);
        assertThat(outcome(CODE64, 0x8E, 0xC8)).isEqualTo(UNDEFINED);
        assertThat(outcome(CODE64, 0x8C, 0xC8)).isEqualTo(OK);
        assertThat(outcome(CODE64, 0x8C, 0xF0)).isEqualTo(UNDEFINED);
        assertThat(outcome(CODE64, 0x8D, 0xC0)).isEqualTo(UNDEFINED);
    }

    @Test
    void movesToControlRegistersIgnoreMod() {
        Instruction in = decode(CODE64, 0x0F, 0x22, 0x1F);
        assertThat(in.kind(1)).isEqualTo(OperandKind.GPR);
        assertThat(in.register(0)).isEqualTo(3);
        assertThat(in.register(1)).isEqualTo(7);
        assertThat(in.size(1)).isEqualTo(8);
        assertThat(decode(CODE16, 0x0F, 0x20, 0xC0).size(0)).isEqualTo(4);
        assertThat(decode(CODE64, 0x66, 0x0F, 0x20, 0xC0).size(0)).isEqualTo(8);
    }
}

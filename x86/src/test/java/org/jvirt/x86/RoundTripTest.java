package org.jvirt.x86;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Decoding and encoding are inverse for every row.
class RoundTripTest {
    @ParameterizedTest
    @EnumSource(CodeSize.class)
    void everyRowDecodesToWhatWasEncoded(CodeSize mode) {
        InstructionGenerator generator = new InstructionGenerator(7).allPrefixes(true);
        Encoder encoder = new Encoder();
        Decoder decoder = new Decoder();
        Instruction instruction = new Instruction();
        Instruction again = new Instruction();
        byte[] bytes = new byte[32];
        List<OpcodeRow> missing = new ArrayList<>();
        for (OpcodeRow row : OpcodeTable.rows()) {
            for (int i = 0; i < 40; i++) {
                if (!generator.generate(row, mode, instruction)) {
                    if (expected(row, mode)) {
                        missing.add(row);
                    }
                    break;
                }
                int length = encoder.encode(instruction, bytes, 3);
                assertThat(decoder.decode(bytes, 3, 3 + length, mode, again)).isEqualTo(DecodeResult.OK);
                assertThat(Decoding.meaning(again)).as(row::toString).isEqualTo(Decoding.meaning(instruction));
                assertThat(again.length()).isEqualTo(length);
            }
        }
        assertThat(missing).as("rows without any instruction in " + mode).isEmpty();
    }

    /// Whether a row that is not excluded by name has instructions in this mode: not those that need REX.W or VEX.W
    /// for a general register, and no 64-bit operand size outside 64-bit code.
    private static boolean expected(OpcodeRow row, CodeSize mode) {
        if (!row.validIn(mode)) {
            return false;
        }
        boolean wideOnly = row.attributes.w == 1 && !row.map().isVex()
                || row.attributes.w == 1 && row.operandCount() > 0 && hasGeneral(row)
                || row.attributes.operandSizes == 8;
        return mode.isLong() || !wideOnly;
    }

    private static boolean hasGeneral(OpcodeRow row) {
        for (int i = 0; i < row.operandCount(); i++) {
            if (row.operand(i).method == OperandSpec.Method.E) {
                return true;
            }
        }
        return false;
    }

    @Test
    void randomBytesThatDecodeEncodeToTheSameMeaning() {
        SplittableRandom random = new SplittableRandom(99);
        Encoder encoder = new Encoder();
        Decoder decoder = new Decoder();
        Instruction instruction = new Instruction();
        Instruction again = new Instruction();
        byte[] bytes = new byte[16];
        byte[] encoded = new byte[32];
        int decoded = 0;
        for (int i = 0; i < 600_000; i++) {
            random.nextBytes(bytes);
            if (i % 3 == 0) {
                bytes[0] = 0x0F;
            } else if (i % 7 == 0) {
                bytes[0] = (byte) 0xC4;
            }
            CodeSize mode = CodeSize.values()[i % 3];
            if (decoder.decode(bytes, mode, instruction) != DecodeResult.OK) {
                continue;
            }
            decoded++;
            int length = encoder.encode(instruction, encoded, 0);
            assertThat(length).as(() -> hex(bytes) + mode).isPositive();
            assertThat(decoder.decode(encoded, 0, length, mode, again)).isEqualTo(DecodeResult.OK);
            assertThat(Decoding.meaning(again))
                    .as(() -> hex(bytes) + mode + instruction.row())
                    .isEqualTo(Decoding.meaning(instruction));
        }
        assertThat(decoded).isGreaterThan(300_000);
    }

    private static String hex(byte[] bytes) {
        return java.util.HexFormat.ofDelimiter(" ").formatHex(bytes);
    }
}

package org.jvirt.x86;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/// Whatever the bytes, the decoder answers, and looks at no byte that the instruction does not have.
class DecoderRobustnessTest {
    private static final int[] OPENINGS = {0x0F, 0x66, 0xF2, 0xF3, 0x48, 0xC4, 0xC5, 0x67, 0xF0, 0x65, 0xD9, 0xDF};

    private final SplittableRandom random = new SplittableRandom(4711);
    private final Decoder decoder = new Decoder();
    private final Instruction instruction = new Instruction();

    private byte[] randomBytes(int i) {
        byte[] bytes = new byte[16];
        random.nextBytes(bytes);
        int openings = random.nextInt(4);
        for (int k = 0; k < openings; k++) {
            bytes[k] = (byte) OPENINGS[random.nextInt(OPENINGS.length)];
        }
        if (i % 5 == 0) {
            bytes[openings] = 0x0F;
            bytes[openings + 1] = (byte) (i % 2 == 0 ? 0x38 : 0x3A);
        }
        return bytes;
    }

    @Test
    void fewerBytesAskForMoreAndMoreBytesChangeNothing() {
        int complete = 0;
        for (int i = 0; i < 300_000; i++) {
            byte[] bytes = randomBytes(i);
            CodeSize mode = CodeSize.values()[i % 3];
            DecodeResult result = decoder.decode(bytes, mode, instruction);
            assertThat(result).isNotEqualTo(DecodeResult.NEEDS_MORE);
            if (result != DecodeResult.OK) {
                continue;
            }
            complete++;
            int length = instruction.length();
            assertThat(length).isBetween(1, Decoder.MAX_LENGTH);
            String meaning = Decoding.meaning(instruction);
            assertThat(decoder.decode(bytes, 0, length, mode, instruction)).isEqualTo(DecodeResult.OK);
            assertThat(Decoding.meaning(instruction)).isEqualTo(meaning);
            for (int shorter = 0; shorter < length; shorter++) {
                assertThat(decoder.decode(bytes, 0, shorter, mode, instruction)).isEqualTo(DecodeResult.NEEDS_MORE);
            }
        }
        assertThat(complete).isGreaterThan(100_000);
    }

    @Test
    void aSourceIsAskedForEachByteOnceInOrderAndForNoneTooMany() {
        for (int i = 0; i < 200_000; i++) {
            byte[] bytes = randomBytes(i);
            CodeSize mode = CodeSize.values()[i % 3];
            DecodeResult fromArray = decoder.decode(bytes, mode, instruction);
            String meaning = fromArray == DecodeResult.OK ? Decoding.meaning(instruction) : "";
            int length = instruction.length();
            int[] asked = {0};
            DecodeResult fromSource = decoder.decode(
                    index -> {
                        assertThat(index).isEqualTo(asked[0]++);
                        return bytes[index] & 0xFF;
                    },
                    mode,
                    instruction);
            assertThat(fromSource).isEqualTo(fromArray);
            if (fromArray == DecodeResult.OK) {
                assertThat(asked[0]).isEqualTo(length);
                assertThat(Decoding.meaning(instruction)).isEqualTo(meaning);
            } else {
                assertThat(asked[0]).isLessThanOrEqualTo(Decoder.MAX_LENGTH);
            }
        }
    }

    @Test
    void whatASourceThrowsPassesThroughAndTheDecoderGoesOn() {
        IllegalStateException fault = new IllegalStateException("page fault");
        org.assertj.core.api.Assertions.assertThatThrownBy(() -> decoder.decode(
                        index -> {
                            if (index == 2) {
                                throw fault;
                            }
                            return 0xB8;
                        },
                        CodeSize.CODE64,
                        instruction))
                .isSameAs(fault);
        assertThat(decoder.decode(Decoding.bytes(0x90), CodeSize.CODE64, instruction))
                .isEqualTo(DecodeResult.OK);
    }
}

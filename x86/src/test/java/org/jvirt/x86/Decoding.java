package org.jvirt.x86;

import static org.assertj.core.api.Assertions.assertThat;

/// Decodes bytes written as integers, for readable tests.
final class Decoding {
    private Decoding() {}

    static byte[] bytes(int... values) {
        byte[] result = new byte[values.length];
        for (int i = 0; i < values.length; i++) {
            result[i] = (byte) values[i];
        }
        return result;
    }

    /// The instruction that all of the bytes make.
    static Instruction decode(CodeSize mode, int... values) {
        Instruction instruction = new Instruction();
        assertThat(new Decoder().decode(bytes(values), mode, instruction)).isEqualTo(DecodeResult.OK);
        assertThat(instruction.length()).isEqualTo(values.length);
        return instruction;
    }

    static DecodeResult outcome(CodeSize mode, int... values) {
        return new Decoder().decode(bytes(values), mode, new Instruction());
    }

    /// All that tells two instructions apart, but for their lengths.
    static String meaning(Instruction in) {
        StringBuilder text = new StringBuilder();
        text.append(in.row().index())
                .append(' ')
                .append(in.operandSize())
                .append(' ')
                .append(in.addressSize());
        text.append(in.lock() ? " lock" : "").append(' ').append(in.repeatPrefix());
        text.append(" seg").append(in.segment()).append(in.segmentOverridden());
        text.append(" vl").append(in.vectorLength()).append(' ').append(in.vectorIndexSize());
        for (int i = 0; i < in.operandCount(); i++) {
            text.append(" [")
                    .append(in.kind(i))
                    .append(' ')
                    .append(in.size(i))
                    .append(' ')
                    .append(in.register(i));
            text.append(']');
        }
        text.append(' ').append(in.base()).append(' ').append(in.index()).append(' ');
        text.append(in.scale())
                .append(' ')
                .append(in.displacement())
                .append(' ')
                .append(in.immediate());
        return text.append(' ').append(in.immediate2()).toString();
    }
}

package org.jvirt.x86;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Every row can be written down for the assembler, and GNU as agrees about the words and about what is shortest.
class AssemblerCoverageTest {
    private static final int SLOT = 32;

    @TempDir
    Path directory;

    private record Sample(Instruction instruction, String text, byte[] bytes) {}

    private static byte[] assemble(Instruction instruction, int operandSize) {
        Assembler assembler = new Assembler(instruction.codeSize());
        if (instruction.lock()) {
            assembler.lock();
        }
        if (instruction.repeatPrefix() == 0xF3) {
            assembler.rep();
        } else if (instruction.repeatPrefix() == 0xF2) {
            assembler.repne();
        }
        assembler.emitSized(instruction.mnemonic(), operandSize, OperandsOf.instruction(instruction));
        return assembler.assemble();
    }

    private static String text(byte[] code, int at, CodeSize mode) {
        Instruction instruction = new Instruction();
        DecodeResult result = new Decoder().decode(code, at, code.length, mode, instruction);
        return result == DecodeResult.OK ? plain(instruction) : result.name();
    }

    /// The text, equal for encodings that do the same.
    private static String plain(Instruction instruction) {
        String text = Disassembler.text(instruction, 0).replace("movabs", "mov").replace("st(0)", "st");
        boolean direct = instruction.mnemonic() == Mnemonic.MOV
                && instruction.memoryOperand() >= 0
                && instruction.base() < 0
                && instruction.index() < 0;
        if (direct) {
            text = text.replaceAll("[A-Z]+ PTR ", "");
        }
        return text.endsWith(",0x1") ? text.substring(0, text.length() - 3) + "1" : text;
    }

    private static int length(byte[] code, int at, CodeSize mode) {
        Instruction instruction = new Instruction();
        new Decoder().decode(code, at, code.length, mode, instruction);
        return instruction.length();
    }

    private static List<Sample> samples(CodeSize mode, int perRow) {
        InstructionGenerator generator = new InstructionGenerator(3);
        List<Sample> samples = new ArrayList<>();
        Instruction instruction = new Instruction();
        for (OpcodeRow row : OpcodeTable.rows()) {
            for (int i = 0; i < perRow && generator.generate(row, mode, instruction); i++) {
                samples.add(new Sample(instruction.copy(), plain(instruction), generator.bytes()));
            }
        }
        return samples;
    }

    @ParameterizedTest
    @EnumSource(CodeSize.class)
    void everyRowAssemblesFromItsOperandsToNoMoreBytes(CodeSize mode) {
        for (Sample sample : samples(mode, 10)) {
            byte[] code = assemble(sample.instruction(), sample.instruction().operandSize());
            if (sample.instruction().operandCount() == 0 || sample.instruction().kind(0) != OperandKind.RELATIVE) {
                assertThat(text(code, 0, mode))
                        .as(() -> sample.instruction().row() + " " + mode)
                        .isEqualTo(sample.text());
            }
            assertThat(code.length).as(sample.text()).isLessThanOrEqualTo(sample.bytes().length);
        }
    }

    @Test
    void gasReadsTheDisassemblyAndFindsNothingShorter() throws IOException {
        assumeTrue(Binutils.available(), Binutils.hint());
        List<Sample> samples = new ArrayList<>();
        StringBuilder source = new StringBuilder();
        for (Sample sample : samples(CodeSize.CODE64, 4)) {
            if (!GasDialect.understands(sample.instruction())) {
                continue;
            }
            samples.add(sample);
            source.append(".p2align 5\n")
                    .append(GasDialect.write(sample.instruction()))
                    .append('\n');
        }
        byte[] image = Binutils.assemble(source.append(".p2align 5").toString(), directory);
        assertThat(image).hasSize(samples.size() * SLOT);
        List<String> differences = new ArrayList<>();
        for (int i = 0; i < samples.size(); i++) {
            Sample sample = samples.get(i);
            String theirs = text(image, i * SLOT, CodeSize.CODE64);
            int theirLength = length(image, i * SLOT, CodeSize.CODE64);
            boolean named = sample.instruction().operandCount() == 0 && !GasDialect.hidesSize(sample.instruction());
            byte[] ours =
                    assemble(sample.instruction(), named ? sample.instruction().operandSize() : 0);
            if (!theirs.equals(sample.text()) || ours.length > theirLength) {
                differences.add(sample.instruction().row() + " | " + sample.text() + " | " + theirs + " | "
                        + ours.length + " " + theirLength);
            }
        }
        assertThat(differences).as(differences.size() + " of " + samples.size()).isEmpty();
        assertThat(samples).hasSizeGreaterThan(4_000);
    }
}

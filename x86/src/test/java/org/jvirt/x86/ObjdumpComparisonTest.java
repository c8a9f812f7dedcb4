package org.jvirt.x86;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Random instructions of every row must read the same in GNU objdump.
class ObjdumpComparisonTest {
    private static final int SAMPLES = 12;
    private static final int SLOT = 32;

    @TempDir
    Path directory;

    private record Sample(OpcodeRow row, Instruction instruction, byte[] bytes) {}

    @ParameterizedTest
    @EnumSource(CodeSize.class)
    void everyRowReadsAsObjdumpReadsIt(CodeSize mode) throws IOException {
        assumeTrue(Binutils.available(), Binutils.hint());
        InstructionGenerator generator = new InstructionGenerator(20_260_801).allPrefixes(true);
        List<Sample> samples = new ArrayList<>();
        Instruction instruction = new Instruction();
        for (OpcodeRow row : OpcodeTable.rows()) {
            for (int i = 0; i < SAMPLES; i++) {
                if (generator.generate(row, mode, instruction)) {
                    samples.add(new Sample(row, instruction.copy(), generator.bytes()));
                }
            }
        }
        byte[] image = new byte[samples.size() * SLOT];
        Arrays.fill(image, (byte) 0x90);
        for (int i = 0; i < samples.size(); i++) {
            byte[] bytes = samples.get(i).bytes();
            System.arraycopy(bytes, 0, image, i * SLOT, bytes.length);
        }
        Map<Integer, Binutils.Line> lines = Binutils.disassemble(image, mode, directory);
        List<String> differences = new ArrayList<>();
        for (int i = 0; i < samples.size(); i++) {
            Sample sample = samples.get(i);
            Binutils.Line line = lines.get(i * SLOT);
            String ours = Disassembler.text(sample.instruction(), (long) i * SLOT);
            if (line != null && ObjdumpDialect.unknown(line.text(), sample.instruction())) {
                continue;
            }
            if (line == null
                    || line.length() != sample.bytes().length
                    || !ObjdumpDialect.equal(ours, line.text(), sample.instruction())) {
                differences.add(sample.row() + " | " + hex(sample.bytes()) + " | " + ours + " | "
                        + (line == null ? "?" : line.length() + " " + line.text()));
            }
        }
        assertThat(differences).as(differences.size() + " of " + samples.size()).isEmpty();
    }

    private static String hex(byte[] bytes) {
        return java.util.HexFormat.ofDelimiter(" ").formatHex(bytes);
    }
}

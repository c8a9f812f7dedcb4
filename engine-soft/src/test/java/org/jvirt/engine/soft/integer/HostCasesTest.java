package org.jvirt.engine.soft.integer;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.jvirt.engine.soft.cpu.TestProcessor;
import org.jvirt.x86.CodeSize;
import org.jvirt.x86.DecodeResult;
import org.jvirt.x86.Decoder;
import org.jvirt.x86.Instruction;

/// Instructions of every 64-bit integer row that does not branch, as an AMD EPYC (Zen) executed them: they hold on
/// hosts of any kind. Flags that the manual leaves undefined are not compared.
class HostCasesTest {
    private static final String RESOURCE = "integer-host-cases.txt";

    @Test
    void recordedInstructionsEndAsOnTheRecordingProcessor() {
        var decoder = new Decoder();
        var insn = new Instruction();
        List<String> lines = lines();
        try (TestProcessor machine = TestProcessor.long64()) {
            for (String line : lines) {
                HostCase test = HostCase.parse(line);
                assertThat(decoder.decode(test.code(), CodeSize.CODE64, insn)).isEqualTo(DecodeResult.OK);
                HostCase.Outcome expected = HostCase.parseOutcome(line, test.registers(insn));
                HostCase.Outcome actual = test.execute(machine, insn);
                String what = insn + ": " + line;
                assertThat(actual.vector()).as(what).isEqualTo(expected.vector());
                assertThat(actual.registers()).as(what).isEqualTo(expected.registers());
                assertThat(actual.hash()).as(what).isEqualTo(expected.hash());
                int defined = expected.vector() >= 0 ? -1 : ~insn.row().flagsUndefined();
                assertThat(actual.flags() & defined).as(what).isEqualTo(expected.flags() & defined);
            }
        }
        assertThat(lines).hasSizeGreaterThan(1_000);
    }

    private static List<String> lines() {
        var stream = Objects.requireNonNull(HostCasesTest.class.getResourceAsStream(RESOURCE), RESOURCE);
        try (var reader = new BufferedReader(new InputStreamReader(stream, StandardCharsets.US_ASCII))) {
            return reader.lines().toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}

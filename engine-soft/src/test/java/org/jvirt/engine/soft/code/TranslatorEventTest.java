package org.jvirt.engine.soft.code;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Path;
import java.util.List;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.jvirt.core.RunResult;
import org.jvirt.core.TranslatorSettings;
import org.jvirt.engine.soft.SoftHypervisor;
import org.jvirt.engine.soft.cpu.Cpu;
import org.jvirt.engine.soft.cpu.TestProcessor;
import org.jvirt.engine.soft.translate.Translator;

final class TranslatorEventTest {
    private static final String NAME = "org.jvirt.Translator";
    /// dec ecx; jnz back; ud2
    private static final int[] CODE = {0xFF, 0xC9, 0x75, 0xFC, 0x0F, 0x0B};

    @Test
    void theFlightRecorderLearnsWhatATranslatorHasDone(@TempDir Path directory) throws Exception {
        assumeTrue(SoftHypervisor.isTranslatorPossible(), "SKIPPED: translated code needs an x86-64 Linux host");
        Path file = directory.resolve("recording.jfr");
        TranslatorSettings settings = TranslatorSettings.DEFAULT.withThreshold(2);
        long translated;
        try (var recording = new Recording();
                var machine = TestProcessor.long64()) {
            recording.enable(NAME);
            recording.start();
            for (int i = 0; i < CODE.length; i++) {
                machine.memory.writeByte(TestProcessor.CODE + i, CODE[i]);
            }
            Cpu cpu = machine.cpu;
            cpu.rip = TestProcessor.CODE;
            cpu.r[Cpu.RCX] = 1000;
            try (var translator = new Translator(cpu, Interpreter.features(cpu), settings)) {
                assertThat(new Interpreter(cpu, translator, settings).run()).isInstanceOf(RunResult.TripleFault.class);
                translated = translator.counters().translated();
            }
            recording.dump(file);
        }
        List<RecordedEvent> events = RecordingFile.readAllEvents(file).stream()
                .filter(event -> event.getEventType().getName().equals(NAME))
                .toList();
        assertThat(translated).isPositive();
        assertThat(events.getLast().getLong("translated")).isEqualTo(translated);
        assertThat(events.getLast().getLong("cacheBytes")).isPositive();
        assertThat(events.getLast().getInt("processor")).isZero();
    }
}

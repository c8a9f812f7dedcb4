package org.jvirt.engine.soft.fp;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.util.Objects;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.Test;

/// Replays what a processor did: see README.md beside the files.
class FpCorpusTest {
    private static InputStream open(String name) throws IOException {
        return new GZIPInputStream(
                Objects.requireNonNull(FpCorpusTest.class.getResourceAsStream(name), "missing test resource " + name));
    }

    @Test
    void sseResultsAndFlagsEqualTheProcessors() throws IOException {
        FpRecords records = FpRecords.sse(open("sse.bin.gz"));
        assertThat(records.failures()).isEmpty();
        assertThat(records.count()).isEqualTo(3500);
        assertThat(records.names()).containsAll(SseRecord.NAMES);
    }

    @Test
    void x87StatesEqualTheProcessors() throws IOException {
        FpRecords records = FpRecords.x87(open("x87.bin.gz"));
        assertThat(records.failures()).isEmpty();
        assertThat(records.count()).isEqualTo(2400);
        assertThat(records.names()).hasSizeGreaterThan(350);
    }
}

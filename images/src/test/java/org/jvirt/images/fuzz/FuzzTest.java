package org.jvirt.images.fuzz;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.time.Duration;
import java.util.logging.Level;
import java.util.logging.Logger;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestReporter;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// Whatever anybody gives as an image, or says as an NBD client or server, is served or refused in bounded time and
/// memory.
class FuzzTest {
    private static final Duration SHORT = Duration.ofMillis(1500);
    private static final Duration LONG = Duration.ofSeconds(Long.getLong("jvirt.fuzz.seconds", 900));

    /// Damaged images are told of in the log, one line for each.
    private static final Logger LOG = Logger.getLogger("org.jvirt.images");

    @BeforeAll
    static void quiet() {
        LOG.setLevel(Level.OFF);
    }

    @AfterAll
    static void loud() {
        LOG.setLevel(null);
    }

    static Stream<Arguments> targets() {
        String image = "org.jvirt.images.fuzz.ImageTarget";
        return Stream.concat(
                Stream.of("qcow2", "vmdk", "vdi", "vpc", "vhdx", "parallels", "luks")
                        .map(format -> Arguments.of(image, format)),
                Stream.of(
                        Arguments.of("org.jvirt.images.nbd.ClientTarget", ""),
                        Arguments.of("org.jvirt.images.nbd.server.ServerTarget", "")));
    }

    @ParameterizedTest
    @MethodSource("targets")
    @Timeout(value = 120, threadMode = ThreadMode.SEPARATE_THREAD)
    void anyInputIsServedOrRefusedSoon(String target, String argument, TestReporter reporter) throws IOException {
        fuzz(target, argument, SHORT, 1, reporter);
    }

    @ParameterizedTest
    @MethodSource("targets")
    @Tag("soak")
    @Timeout(value = 4, unit = java.util.concurrent.TimeUnit.HOURS, threadMode = ThreadMode.SEPARATE_THREAD)
    void anyInputIsServedOrRefusedSoonForLong(String target, String argument, TestReporter reporter)
            throws IOException {
        fuzz(target, argument, LONG, System.nanoTime(), reporter);
    }

    private static void fuzz(String target, String argument, Duration time, long seed, TestReporter reporter)
            throws IOException {
        FuzzTarget loaded = new CoverageLoader(FuzzTest.class.getClassLoader()).target(target, argument);
        Fuzzer.Result result = new Fuzzer(loaded, seed).run(time);
        reporter.publishEntry(loaded.toString(), result.toString());
        assertThat(result.steps()).as("coverage is measured: %s", result).isGreaterThan(50);
        assertThat(result.kept()).as("coverage guides: %s", result).isPositive();
        assertThat(result.served()).as("some inputs are sound: %s", result).isPositive();
    }
}

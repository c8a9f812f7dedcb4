package org.jvirt.acceptance;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.jvirt.engine.soft.SoftHypervisor;
import org.jvirt.images.DiskImages;
import org.jvirt.images.format.ImageFormat;

/// A guest that compiles code while it runs: a JVM, with its compilers, collectors and signal handlers, on two
/// processors.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class JavaGuestTest {
    private static final Duration PATIENCE = Duration.ofMinutes(10);
    private static final String JAVA = "/usr/lib/jvm/java-17-openjdk-amd64/bin/java";

    @TempDir
    private static Path directory;

    private Path javaDisk;
    private Path programDisk;
    private String expected;

    @BeforeAll
    void compile() throws Exception {
        javaDisk = JavaDisk.get();
        JavaProgram program = JavaProgram.compile(directory);
        programDisk = JavaDisk.fileSystem(program.classes(), directory.resolve("program.img"), "4M");
        expected = program.expected();
    }

    @Test
    @Tag("acceptance")
    void aJavaProgramComputesInTheGuestWhatItComputesHere() throws InterruptedException {
        run("x86-64-v2", "", 1);
    }

    /// Options are those of the JVM in the guest.
    @ParameterizedTest
    @Tag("soak")
    @CsvSource({
        "x86-64-v3, ''",
        "x86-64-v2, -XX:+UseParallelGC -XX:TieredStopAtLevel=1",
        "x86-64-v2, -XX:+UseZGC -XX:-TieredCompilation"
    })
    void itDoesSoWithEveryCompilerAndCollector(String cpu, String options) throws InterruptedException {
        run(cpu, options, 4);
    }

    private void run(String cpu, String options, int rounds) throws InterruptedException {
        try (Guest guest = Guest.start(builder -> builder.engine(SoftHypervisor.translator())
                .cpus(2)
                .cpu(cpu)
                .memory(1024)
                .disk(DiskImages.open(javaDisk, ImageFormat.RAW, true))
                .disk(DiskImages.open(programDisk, ImageFormat.RAW, true)))) {
            Shell shell = guest.shell();
            shell.run("mkdir /java && mount -o ro /dev/vda /java && mount -o ro /dev/vdb /java/program");
            shell.run("mount -t proc proc /java/proc");
            shell.run("mount -t devtmpfs dev /java/dev && mount -t tmpfs tmp /java/tmp");
            String command = "chroot /java %s -Xmx256m %s -cp /program Busy %d".formatted(JAVA, options, rounds);
            shell.begin(command);
            String printed = shell.finish(command, PATIENCE).succeeded();
            assertThat(printed).isEqualTo(expected);
            guest.powerOff();
        }
    }
}

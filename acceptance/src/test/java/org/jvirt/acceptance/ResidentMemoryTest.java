package org.jvirt.acceptance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.jvirt.testkit.ResidentMemory;

/// What a machine takes of the host's memory beside its guest's RAM, by the program that users start: its options
/// for the Java machine are part of it.
@Tag("acceptance")
final class ResidentMemoryTest {
    private static final Duration BOOT = Duration.ofMinutes(10);
    private static final long MOST_MEBIBYTES = 200;
    private static final String NAME = "measured";
    private static final String RAM = ResidentMemory.ramOf(NAME);

    @TempDir
    private Path directory;

    /// Boots to a shell, uses it, and answers what is resident then.
    private ResidentMemory used() throws Exception {
        String store = directory.resolve("code").toString();
        try (Jvirt machine = Jvirt.start("run", "--name", NAME, "--engine", "soft", "--code-cache", store)) {
            machine.expect("/root # ", BOOT);
            machine.type("for i in $(seq 1 50); do ls -lR /bin /etc | sort | md5sum; done; echo all-''done\n");
            machine.expect("all-done", BOOT);
            ResidentMemory memory = ResidentMemory.of(machine.processId());
            machine.type("poweroff -f\n");
            assertThat(machine.exitCode(BOOT)).isZero();
            return memory;
        }
    }

    @Test
    void linuxAtAShellTakesLittleBesideItsRam() throws Exception {
        assumeTrue(Jvirt.isStaged(), "SKIPPED: needs the staged program; run ./build stage");
        // with an empty store, and with what that has kept
        for (String run : List.of("cold", "warm")) {
            ResidentMemory memory = used();
            assertThat(memory.mebibytes(RAM)).as("%s: %s", run, memory).isGreaterThan(32);
            assertThat(memory.mebibytesBeside(RAM))
                    .as("%s: MiB beside the guest's RAM, of %s", run, memory)
                    .isLessThanOrEqualTo(MOST_MEBIBYTES);
        }
    }
}

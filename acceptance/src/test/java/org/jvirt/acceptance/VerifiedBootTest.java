package org.jvirt.acceptance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.jvirt.engine.soft.SoftHypervisor;

/// `--verify-translation`: Debian's cloud kernel boots while each block's first executions are compared with the
/// interpreter's.
@Tag("acceptance")
final class VerifiedBootTest {
    private static final String VERIFIED = "verified ";

    @BeforeAll
    static void translated() {
        assumeTrue(SoftHypervisor.isTranslatorPossible(), "SKIPPED: translated code needs an x86-64 Linux host");
    }

    @Test
    void theCloudKernelBootsWithoutADifference() throws InterruptedException {
        try (Jvirt jvirt =
                Jvirt.start("run", "--engine", "soft", "--memory", "256M", "--verify-translation", "--no-reboot")) {
            Shell shell = Shell.atPrompt(jvirt, Guest.BOOT);
            assertThat(shell.run("seq 1 20000 | md5sum")).startsWith("e071f707df7bbeee2a6a1eb48011ddd0");
            jvirt.type("\u0001c");
            jvirt.expect("(jvirt) ", Jvirt.PATIENCE);
            jvirt.type("info jit\n");
            String counters = jvirt.expect("exits", Jvirt.PATIENCE);
            String verified = counters.substring(counters.lastIndexOf(VERIFIED) + VERIFIED.length());
            assertThat(Long.parseLong(verified.substring(0, verified.indexOf(','))))
                    .isGreaterThan(100_000);
            jvirt.type("quit\n");
            assertThat(jvirt.end(Jvirt.PATIENCE).exitCode()).isZero();
        }
    }

    @Test
    void severalProcessorsAreRefused() throws InterruptedException {
        Jvirt.Outcome outcome = Jvirt.run("run", "--engine", "soft", "--cpus", "2", "--verify-translation");
        assertThat(outcome.exitCode()).isEqualTo(64);
        assertThat(outcome.err()).contains("verified with one processor only").contains("--cpus 1");
    }
}

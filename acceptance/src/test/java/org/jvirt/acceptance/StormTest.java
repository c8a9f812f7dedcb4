package org.jvirt.acceptance;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// Four processors that start processes and change shared mappings as fast as they can: nothing is lost, nobody
/// uses a mapping that is gone.
@Tag("acceptance")
final class StormTest {
    private static final int PROCESSORS = 4;
    private static final String PROGRAM = "/tmp/storm";
    private static final int TURNS = 200;
    private static final int FORKS = 25;
    private static final Duration SOAK = Duration.ofMinutes(3);

    private static Guest guest() {
        return Guest.start(builder -> builder.cpus(PROCESSORS).memory(512).reboot(false));
    }

    private static Shell shell(Guest guest, int turns) throws InterruptedException {
        Shell shell = guest.shell();
        for (String command : StormProgram.commands(StormProgram.elf(PROCESSORS - 1, turns), PROGRAM)) {
            shell.run(command);
        }
        return shell;
    }

    /// Each processor starts processes, all at once; each of them must answer.
    private static void forks(Shell shell) throws InterruptedException {
        String answers =
                shell.run("for c in $(seq %d); do for i in $(seq %d); do (echo x) & done; wait; done | wc -l; wait"
                        .formatted(PROCESSORS, FORKS));
        assertThat(answers).isEqualTo(Integer.toString(PROCESSORS * FORKS));
        String inPipes = shell.run(
                "for c in $(seq %d); do (for i in $(seq %d); do echo $i | cat | cat; done | wc -l) & done; wait"
                        .formatted(PROCESSORS, FORKS));
        assertThat(inPipes.lines()).hasSize(PROCESSORS).containsOnly(Integer.toString(FORKS));
    }

    @Test
    void fourProcessorsForkAndRemapAtOnceAndLoseNothing() throws InterruptedException {
        try (Guest guest = guest()) {
            Shell shell = shell(guest, TURNS);
            shell.run(PROGRAM);
            forks(shell);
            assertThat(KernelMessages.unexplained(shell.run("dmesg -r"))).isEmpty();
            guest.powerOff();
        }
    }

    @Test
    @Tag("soak")
    void fourProcessorsForkAndRemapForMinutesAndLoseNothing() throws InterruptedException {
        try (Guest guest = guest()) {
            Shell shell = shell(guest, 20 * TURNS);
            long end = System.nanoTime() + SOAK.toNanos();
            while (System.nanoTime() < end) {
                shell.run(PROGRAM);
                forks(shell);
            }
            assertThat(KernelMessages.unexplained(shell.run("dmesg -r"))).isEmpty();
            guest.powerOff();
        }
    }
}

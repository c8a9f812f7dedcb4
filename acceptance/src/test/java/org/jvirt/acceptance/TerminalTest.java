package org.jvirt.acceptance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// `jvirt run` at a real terminal.
@Tag("acceptance")
final class TerminalTest {
    private static final String CTRL_A = "C-a";

    @TempDir
    private Path directory;

    @BeforeAll
    static void tmuxIsThere() {
        assumeTrue(TmuxTerminal.installed(), "tmux is not installed: apt-get install tmux");
    }

    @Test
    void escapeKeysHelpSwitchToTheMonitorAndQuitAndTheTerminalIsAsBefore() throws Exception {
        try (TmuxTerminal terminal = TmuxTerminal.open(directory)) {
            start(terminal);
            terminal.keys("a");
            terminal.expect("A");

            terminal.keys(CTRL_A, "h");
            terminal.expect("Ctrl-A x      quit");

            terminal.keys(CTRL_A, "c");
            terminal.expect("(jvirt) ");
            terminal.text("info status\n");
            terminal.expect("VM status: running");
            terminal.text("stop\n");
            terminal.text("info status\n");
            terminal.expect("VM status: paused");
            terminal.text("cont\n");
            terminal.keys(CTRL_A, "c");
            terminal.keys("b");
            terminal.expect("B");

            terminal.keys(CTRL_A, "x");
            finish(terminal, 0);
        }
    }

    @Test
    void theTerminalIsAsBeforeWhenTheGuestFaults() throws Exception {
        try (TmuxTerminal terminal = TmuxTerminal.open(directory)) {
            terminal.text("stty -a > before; %s; echo exit-$?-\n"
                    .formatted(command(Kernels.tripleFaulting(directory.resolve("faulting")))));
            terminal.expect("triple fault");
            finish(terminal, 70);
        }
    }

    @Test
    void theTerminalIsAsBeforeWhenTheProgramIsTerminated() throws Exception {
        try (TmuxTerminal terminal = TmuxTerminal.open(directory)) {
            Path starter = Files.writeString(
                    directory.resolve("starter"),
                    "echo $$ > pid\nexec " + command(Kernels.echoing(directory.resolve("echoing"))) + "\n");
            terminal.text("stty -a > before; sh %s; echo exit-$?-\n".formatted(starter));
            terminal.expect("R\n");
            long pid = Long.parseLong(Files.readString(directory.resolve("pid")).strip());
            ProcessHandle.of(pid).orElseThrow().destroy();
            finish(terminal, 143);
        }
    }

    private void start(TmuxTerminal terminal) throws Exception {
        terminal.text("stty -a > before; %s; echo exit-$?-\n"
                .formatted(command(Kernels.echoing(directory.resolve("echoing")))));
        terminal.expect("R\n");
    }

    private void finish(TmuxTerminal terminal, int exitCode) throws Exception {
        terminal.expect("exit-%d-".formatted(exitCode));
        terminal.text("stty -a > after; echo all-''written\n");
        terminal.expect("all-written");
        assertThat(Files.readString(directory.resolve("after")))
                .isNotEmpty()
                .isEqualTo(Files.readString(directory.resolve("before")));
    }

    private static String command(Path kernel) throws IOException {
        List<String> words = Jvirt.command();
        Path script = kernel.resolveSibling("run-" + kernel.getFileName());
        Files.writeString(
                script,
                words.stream().map(word -> "'" + word + "'").collect(Collectors.joining(" ", "exec ", ""))
                        + " run --memory 16M --kernel '" + kernel + "'\n");
        return "sh " + script;
    }
}

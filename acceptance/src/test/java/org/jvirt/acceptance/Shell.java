package org.jvirt.acceptance;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;

/// A shell in the guest that answers commands: their output and exit status, found between marks.
///
/// The shell at the prompt is replaced by a loop that reads lines with the terminal's echo off, so that nothing but
/// the commands' own output is between the marks; the kernel is told to keep its messages off the console. Not
/// thread-safe.
final class Shell {
    static final Duration PATIENCE = Duration.ofMinutes(2);
    private static final String PROMPT = "/root # ";
    private static final String LOOP =
            "exec sh -c 'stty -echo; dmesg -n 1; while IFS= read -r line; do eval \"$line\"; done'\n";

    private final GuestConsole console;
    private int number;

    /// What a command did.
    record Result(String command, int status, String output) {
        /// The output of a command that succeeded.
        String succeeded() {
            assertThat(status)
                    .as("exit status of '%s', which printed:%n%s", command, output)
                    .isZero();
            return output;
        }

        /// The output of a command that failed.
        String failed() {
            assertThat(status)
                    .as("exit status of '%s', which printed:%n%s", command, output)
                    .isNotZero();
            return output;
        }
    }

    private Shell(GuestConsole console) {
        this.console = console;
    }

    /// Waits for the prompt.
    static Shell atPrompt(GuestConsole console, Duration patience) throws InterruptedException {
        console.expect(PROMPT, patience);
        console.type(LOOP);
        return new Shell(console);
    }

    /// The output of a command that must succeed.
    String run(String command) throws InterruptedException {
        return result(command).succeeded();
    }

    Result result(String command) throws InterruptedException {
        begin(command);
        return finish(command, PATIENCE);
    }

    /// Starts a command; [#finish] tells what became of it.
    void begin(String command) throws InterruptedException {
        number++;
        console.type("echo begin-%d; { %s; } 2>&1; echo end-%d-$?-\n".formatted(number, command, number));
        // A terminal in between may have put another carriage return before the line feed.
        console.expect("begin-%d\r".formatted(number), PATIENCE);
    }

    Result finish(String command, Duration patience) throws InterruptedException {
        String mark = "end-%d-".formatted(number);
        String output = console.expect(mark, patience);
        String status = console.expect("-", patience);
        return new Result(
                command,
                Integer.parseInt(status.substring(0, status.length() - 1)),
                output.substring(output.indexOf('\n') + 1, output.length() - mark.length())
                        .replace("\r", "")
                        .stripTrailing());
    }
}

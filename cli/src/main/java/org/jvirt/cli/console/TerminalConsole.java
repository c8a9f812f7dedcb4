package org.jvirt.cli.console;

import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.jvirt.linux.TerminalMode;
import org.jvirt.machine.chardev.BufferedBackend;

/// Standard input and output as a serial line, with escape keys where input is a terminal, and the monitor behind
/// Ctrl-A c.
///
/// The terminal is in raw mode from [#open] to [#close]; a shutdown hook puts it back however the program ends, but
/// for SIGKILL. Thread-safe.
public final class TerminalConsole extends BufferedBackend {
    private static final int STDIN = 0;
    private static final String PROMPT = "(jvirt) ";

    /// What the console may do to the virtual machine.
    ///
    /// @param quit    ends it
    /// @param monitor answers a monitor command
    public record Actions(Runnable quit, UnaryOperator<String> monitor) {}

    private final InputStream in = new FileInputStream(FileDescriptor.in);
    private final OutputStream out = new FileOutputStream(FileDescriptor.out);
    private final @Nullable TerminalMode terminal;
    private final Actions actions;
    private final boolean escapes;
    private final EscapeKeys escapeKeys = new EscapeKeys();
    private final LineEditor editor = new LineEditor();
    private final Thread restorer;
    private boolean inMonitor;

    private TerminalConsole(@Nullable TerminalMode terminal, boolean escapes, Actions actions) {
        super("console");
        this.terminal = terminal;
        this.escapes = escapes;
        this.actions = actions;
        restorer = Thread.ofPlatform().name("terminal-restorer").unstarted(this::restore);
    }

    /// Takes standard input and output over.
    ///
    /// @param startInMonitor whether keys go to the monitor first
    /// @param escapes        whether Ctrl-A is special; without, every byte goes to the guest
    public static TerminalConsole open(Actions actions, boolean escapes, boolean startInMonitor) {
        TerminalMode terminal = TerminalMode.isTerminal(STDIN) ? TerminalMode.of(STDIN) : null;
        var console = new TerminalConsole(terminal, escapes, actions);
        console.inMonitor = startInMonitor;
        if (terminal != null) {
            Runtime.getRuntime().addShutdownHook(console.restorer);
            terminal.raw();
        }
        console.startWriter();
        Thread.ofPlatform().daemon().name("console-in").start(console::read);
        if (startInMonitor) {
            console.show(PROMPT);
        }
        return console;
    }

    private void read() {
        var buffer = new byte[4096];
        try {
            for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
                take(buffer, count);
            }
        } catch (IOException e) {
            System.getLogger(TerminalConsole.class.getName())
                    .log(System.Logger.Level.WARNING, "Reading standard input failed: " + e.getMessage());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void take(byte[] keys, int count) throws InterruptedException {
        var forGuest = new byte[count];
        int length = 0;
        for (int i = 0; i < count; i++) {
            EscapeKeys.Meaning meaning = escapes ? escapeKeys.of(keys[i]) : EscapeKeys.Meaning.INPUT;
            if (meaning == EscapeKeys.Meaning.INPUT && !inMonitor) {
                forGuest[length++] = keys[i];
                continue;
            }
            // What was typed before an escape reaches the guest before the escape acts.
            deliver(forGuest, 0, length);
            length = 0;
            act(meaning, keys[i]);
        }
        deliver(forGuest, 0, length);
    }

    private void act(EscapeKeys.Meaning meaning, byte key) {
        switch (meaning) {
            case INPUT -> monitorKey(key);
            case NOTHING -> {}
            case HELP -> show("\n" + EscapeKeys.HELP + (inMonitor ? PROMPT : ""));
            case QUIT -> actions.quit().run();
            case BREAK -> deliverBreak();
            case SWITCH -> {
                inMonitor = !inMonitor;
                show(inMonitor ? "\n" + PROMPT : "\n");
            }
        }
    }

    private void monitorKey(byte key) {
        LineEditor.Answer answer = editor.key(key);
        show(answer.echo());
        Optional<String> line = answer.line();
        if (line.isPresent()) {
            String text = line.get().isBlank() ? "" : actions.monitor().apply(line.get());
            show(text.isEmpty() || text.endsWith("\n") ? text : text + "\n");
            show(PROMPT);
        }
    }

    /// Shows a text of our own between the guest's output, with the line ends that the terminal's mode needs.
    private void show(String text) {
        String adapted = terminal == null ? text : text.replace("\r\n", "\n").replace("\n", "\r\n");
        byte[] bytes = adapted.getBytes(StandardCharsets.UTF_8);
        write(bytes, 0, bytes.length);
    }

    private void restore() {
        if (terminal != null) {
            terminal.restore();
        }
    }

    @Override
    protected void send(byte[] bytes, int length) throws IOException {
        out.write(bytes, 0, length);
        out.flush();
    }

    @Override
    protected void release() {
        restore();
        if (terminal != null) {
            try {
                Runtime.getRuntime().removeShutdownHook(restorer);
            } catch (IllegalStateException e) {
                // The program is ending already; the hook restores once more, which does no harm.
                return;
            }
        }
    }
}

package org.jvirt.cli.image;

import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.jvirt.core.CharBackend;

/// The serial console of the machine that builds: understands what `build.sh` and dpkg report, and remembers the
/// last lines for the case of a failure. Thread-safe.
final class BuildConsole implements CharBackend {
    private static final String REPORT = "@jvirt ";
    private static final String DONE = "done";
    private static final Pattern SET_UP = Pattern.compile("Setting up (\\S+) \\(.*");
    private static final int REMEMBERED_LINES = 40;
    private static final int LONGEST_LINE = 1000;

    /// A line of progress each so many packages.
    private static final int STRIDE = 20;

    private final int packages;
    private final Consumer<String> progress;
    private final Deque<String> last = new ArrayDeque<>();
    private final StringBuilder line = new StringBuilder();
    private int setUp;
    private boolean done;

    /// @param packages how many dpkg will set up
    /// @param progress told what is being done, a line each
    BuildConsole(int packages, Consumer<String> progress) {
        this.packages = packages;
        this.progress = progress;
    }

    /// What went wrong, as far as the guest's last words tell; nothing if it said that it has done its work.
    synchronized Optional<String> failure() {
        return done ? Optional.empty() : Optional.of(String.join("\n", last));
    }

    @Override
    public synchronized void write(byte[] bytes, int offset, int length) {
        String text = new String(bytes, offset, length, StandardCharsets.ISO_8859_1);
        for (int i = 0; i < text.length(); i++) {
            char next = text.charAt(i);
            if (next == '\n') {
                take(line.toString().strip());
                line.setLength(0);
            } else if (line.length() < LONGEST_LINE) {
                line.append(next);
            }
        }
    }

    private void take(String text) {
        if (text.equals(REPORT + DONE)) {
            done = true;
            return;
        }
        if (text.startsWith(REPORT)) {
            progress.accept(text.substring(REPORT.length()));
            return;
        }
        if (last.size() == REMEMBERED_LINES) {
            last.removeFirst();
        }
        last.addLast(text);
        Matcher matcher = SET_UP.matcher(text);
        if (matcher.matches()) {
            setUp++;
            if (setUp % STRIDE == 0) {
                progress.accept("%d of %d packages are set up, now %s".formatted(setUp, packages, matcher.group(1)));
            }
        }
    }

    @Override
    public void connect(@Nullable Receiver receiver) {
        // Nothing is ever typed.
    }

    @Override
    public void receiverReady() {
        // Nothing waits.
    }

    @Override
    public void close() {
        // Holds nothing of the host's.
    }
}

package org.jvirt.acceptance;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// What the kernel has to complain about.
final class KernelMessages {
    private static final String ALLOWED = "dmesg-allowed.txt";
    private static final int WARNING = 4;
    private static final Pattern RAW_LINE = Pattern.compile("<(\\d+)>\\[ *[\\d.]+] (.*)");

    private KernelMessages() {}

    /// A warning that may come, and why.
    private record Allowed(Pattern message, String reason) {}

    /// The messages of level "warning" and worse in the output of `dmesg -r` that `dmesg-allowed.txt` does not
    /// explain.
    static List<String> unexplained(String rawMessages) {
        List<Allowed> allowed = allowed();
        List<Matcher> lines = rawMessages
                .lines()
                .map(RAW_LINE::matcher)
                .filter(Matcher::matches)
                .toList();
        assertThat(lines).as("messages in:%n%s", rawMessages).hasSizeGreaterThan(100);
        return lines.stream()
                .filter(line -> (Integer.parseInt(line.group(1)) & 7) <= WARNING)
                .map(line -> line.group(2))
                .filter(message -> allowed.stream()
                        .noneMatch(a -> a.message.matcher(message).find()))
                .toList();
    }

    private static List<Allowed> allowed() {
        try (InputStream in = Objects.requireNonNull(KernelMessages.class.getResourceAsStream(ALLOWED), ALLOWED)) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8)
                    .lines()
                    .filter(line -> !line.isBlank() && !line.startsWith("#"))
                    .map(KernelMessages::allowed)
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Allowed allowed(String line) {
        String[] parts = line.split("\\s+##\\s+", 2);
        if (parts.length != 2 || parts[1].isBlank()) {
            throw new AssertionError(ALLOWED + ": this line gives no reason: " + line);
        }
        return new Allowed(Pattern.compile(parts[0]), parts[1]);
    }
}

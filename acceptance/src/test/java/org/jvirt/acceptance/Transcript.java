package org.jvirt.acceptance;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/// What a stream has brought so far, as Latin-1 characters, read by a thread of its own. Thread-safe.
final class Transcript {
    private final StringBuilder text = new StringBuilder();
    private int seen;
    private boolean ended;

    static Transcript of(InputStream stream, String name) {
        var transcript = new Transcript();
        Thread.ofPlatform().daemon().name(name).start(() -> transcript.read(stream));
        return transcript;
    }

    private void read(InputStream stream) {
        var buffer = new byte[8192];
        try (stream) {
            for (int count = stream.read(buffer); count >= 0; count = stream.read(buffer)) {
                synchronized (text) {
                    text.append(new String(buffer, 0, count, StandardCharsets.ISO_8859_1));
                    text.notifyAll();
                }
            }
        } catch (IOException e) {
            synchronized (text) {
                text.append("[reading failed: ").append(e.getMessage()).append(']');
            }
        }
        synchronized (text) {
            ended = true;
            text.notifyAll();
        }
    }

    String all() {
        synchronized (text) {
            return text.toString();
        }
    }

    /// Waits for the stream's end.
    String complete(Duration patience) throws InterruptedException {
        long deadline = System.nanoTime() + patience.toNanos();
        synchronized (text) {
            while (!ended) {
                waitUntil(deadline, "the stream to end", patience);
            }
            return text.toString();
        }
    }

    /// Waits until `words` come after what earlier calls found.
    ///
    /// @return what came up to and including the words
    String expect(String words, Duration patience) throws InterruptedException {
        return expect(words, patience, Optional.empty());
    }

    /// As [#expect(String, Duration)], but fails at once when what is hopeless comes instead.
    String expect(String words, Duration patience, Optional<String> hopeless) throws InterruptedException {
        long deadline = System.nanoTime() + patience.toNanos();
        synchronized (text) {
            while (true) {
                int at = text.indexOf(words, seen);
                if (at >= 0) {
                    String found = text.substring(seen, at + words.length());
                    seen = at + words.length();
                    return found;
                }
                if (hopeless.isPresent() && text.indexOf(hopeless.get(), seen) >= 0) {
                    throw new AssertionError("'%s' came, not '%s'".formatted(hopeless.get(), words));
                }
                if (ended) {
                    throw new AssertionError("The stream ended before '%s' came; it was:%n%s".formatted(words, text));
                }
                waitUntil(deadline, "'" + words + "'", patience);
            }
        }
    }

    private void waitUntil(long deadline, String what, Duration patience) throws InterruptedException {
        long left = deadline - System.nanoTime();
        if (left <= 0) {
            throw new AssertionError("Waited %s for %s; the last that came:%n%s"
                    .formatted(patience, what, text.substring(Math.max(0, text.length() - 3000))));
        }
        TimeUnit.NANOSECONDS.timedWait(text, left);
    }
}

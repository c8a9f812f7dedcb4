package org.jvirt.machine.chardev;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/// A serial line held by a program: it reads what the guest wrote, waits for words, and types.
///
/// For tests and automation: `line.expect("# ", ofSeconds(60)); line.type("uname -a\n");`. Thread-safe.
public final class TranscriptBackend extends BufferedBackend {
    private static final int LIMIT_CHARACTERS = 16 << 20;

    private final BlockingQueue<byte[]> typed = new ArrayBlockingQueue<>(1024);
    private final StringBuilder transcript = new StringBuilder();
    private final Thread typist;
    private int seen;

    public TranscriptBackend() {
        super("serial-transcript");
        typist = Thread.ofPlatform().daemon().name("serial-transcript-in").unstarted(this::typeAll);
        startWriter();
        typist.start();
    }

    /// Sends text to the guest.
    public void type(String text) {
        if (!typed.offer(text.getBytes(StandardCharsets.UTF_8))) {
            throw new IllegalStateException("More than 1024 pieces of text wait to be typed");
        }
    }

    /// Everything the guest has written, as Latin-1 characters.
    public String transcript() {
        synchronized (transcript) {
            return transcript.toString();
        }
    }

    /// Waits until the guest has written `words` after what earlier calls found.
    ///
    /// @return what was written up to and including the words
    /// @throws TimeoutException if they do not come; the message holds the transcript's end
    public String expect(String words, Duration patience) throws InterruptedException, TimeoutException {
        long deadline = System.nanoTime() + patience.toNanos();
        synchronized (transcript) {
            while (true) {
                int at = transcript.indexOf(words, seen);
                if (at >= 0) {
                    int end = at + words.length();
                    String found = transcript.substring(seen, end);
                    seen = end;
                    return found;
                }
                long left = deadline - System.nanoTime();
                if (left <= 0) {
                    throw new TimeoutException("The guest did not write '%s' within %s; last it wrote:%n%s"
                            .formatted(
                                    words, patience, transcript.substring(Math.max(seen, transcript.length() - 2000))));
                }
                TimeUnit.NANOSECONDS.timedWait(transcript, left);
            }
        }
    }

    private void typeAll() {
        try {
            while (!isClosed()) {
                byte[] bytes = typed.take();
                deliver(bytes, 0, bytes.length);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    protected void send(byte[] bytes, int length) {
        synchronized (transcript) {
            if (transcript.length() + length <= LIMIT_CHARACTERS) {
                transcript.append(new String(bytes, 0, length, StandardCharsets.ISO_8859_1));
            }
            transcript.notifyAll();
        }
    }

    @Override
    protected void release() {
        typist.interrupt();
    }
}

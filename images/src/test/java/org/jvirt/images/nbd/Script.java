package org.jvirt.images.nbd;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;

/// A peer that says what it was told to, whatever it hears, and then goes.
public final class Script implements Transport {
    private static final long MOST_HEARD = 1L << 30;
    private final ByteBuffer words;
    private long heard;

    public Script(byte[] words) {
        this.words = ByteBuffer.wrap(words);
    }

    @Override
    public void read(ByteBuffer into) throws IOException {
        if (!words.hasRemaining()) {
            throw new EOFException("the script has ended");
        }
        int part = Math.min(into.remaining(), words.remaining());
        into.put(words.slice(words.position(), part));
        words.position(words.position() + part);
    }

    @Override
    public void write(ByteBuffer... from) {
        for (ByteBuffer each : from) {
            heard += each.remaining();
            each.position(each.limit());
        }
        if (heard > MOST_HEARD) {
            throw new IllegalStateException("It does not stop talking");
        }
    }

    @Override
    public void close() {
        words.position(words.limit());
    }
}

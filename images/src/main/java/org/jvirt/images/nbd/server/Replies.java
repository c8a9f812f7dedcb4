package org.jvirt.images.nbd.server;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.locks.ReentrantLock;
import org.jvirt.images.nbd.Nbd;
import org.jvirt.images.nbd.Transport;

/// Answers to requests, in the form that was agreed. Thread-safe: an answer, or a chunk of one, is sent as a whole.
final class Replies {
    private static final int MAX_MESSAGE_BYTES = 1024;

    private final Transport to;
    private final boolean structured;
    private final ReentrantLock lock = new ReentrantLock();

    Replies(Transport to, boolean structured) {
        this.to = to;
        this.structured = structured;
    }

    void done(Request request) throws IOException {
        if (structured) {
            chunk(request, Nbd.REPLY_FLAG_DONE, Nbd.REPLY_TYPE_NONE);
        } else {
            send(simple(request, 0));
        }
    }

    void error(Request request, int error, String message) throws IOException {
        if (!structured) {
            send(simple(request, error));
            return;
        }
        byte[] text = message.getBytes(StandardCharsets.UTF_8);
        int length = Math.min(text.length, MAX_MESSAGE_BYTES);
        chunk(
                request,
                Nbd.REPLY_FLAG_DONE,
                Nbd.REPLY_TYPE_ERROR,
                ByteBuffer.allocate(6 + length)
                        .putInt(error)
                        .putShort((short) length)
                        .put(text, 0, length)
                        .flip());
    }

    /// All that was asked for.
    void data(Request request, MemorySegment content) throws IOException {
        if (structured) {
            data(request, request.offsetBytes(), content, true);
        } else {
            send(simple(request, 0), content.asByteBuffer());
        }
    }

    /// A part of what was asked for; only where replies are structured.
    void data(Request request, long offsetBytes, MemorySegment content, boolean last) throws IOException {
        chunk(
                request,
                last ? Nbd.REPLY_FLAG_DONE : 0,
                Nbd.REPLY_TYPE_OFFSET_DATA,
                ByteBuffer.allocate(8).putLong(offsetBytes).flip(),
                content.asByteBuffer());
    }

    /// A part that is zeroes; only where replies are structured.
    void hole(Request request, long offsetBytes, long lengthBytes, boolean last) throws IOException {
        chunk(
                request,
                last ? Nbd.REPLY_FLAG_DONE : 0,
                Nbd.REPLY_TYPE_OFFSET_HOLE,
                ByteBuffer.allocate(12)
                        .putLong(offsetBytes)
                        .putInt((int) lengthBytes)
                        .flip());
    }

    /// @param extents ready to be read
    void status(Request request, int context, ByteBuffer extents, boolean last) throws IOException {
        chunk(
                request,
                last ? Nbd.REPLY_FLAG_DONE : 0,
                Nbd.REPLY_TYPE_BLOCK_STATUS,
                ByteBuffer.allocate(4).putInt(context).flip(),
                extents);
    }

    private static ByteBuffer simple(Request request, int error) {
        return ByteBuffer.allocate(16)
                .putInt(Nbd.SIMPLE_REPLY_MAGIC)
                .putInt(error)
                .putLong(request.cookie())
                .flip();
    }

    private void chunk(Request request, int flags, int type, ByteBuffer... content) throws IOException {
        int length = 0;
        for (ByteBuffer part : content) {
            length += part.remaining();
        }
        var all = new ByteBuffer[content.length + 1];
        all[0] = ByteBuffer.allocate(20)
                .putInt(Nbd.STRUCTURED_REPLY_MAGIC)
                .putShort((short) flags)
                .putShort((short) type)
                .putLong(request.cookie())
                .putInt(length)
                .flip();
        System.arraycopy(content, 0, all, 1, content.length);
        send(all);
    }

    private void send(ByteBuffer... all) throws IOException {
        lock.lock();
        try {
            to.write(all);
        } finally {
            lock.unlock();
        }
    }
}

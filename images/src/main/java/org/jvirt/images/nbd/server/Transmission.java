package org.jvirt.images.nbd.server;

import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.concurrent.Semaphore;
import org.jspecify.annotations.Nullable;
import org.jvirt.core.BlockBackend;
import org.jvirt.core.JvirtException;
import org.jvirt.images.nbd.BufferPool;
import org.jvirt.images.nbd.Nbd;
import org.jvirt.images.nbd.WireReader;
import org.jvirt.linux.Errno;
import org.jvirt.linux.FileCallException;

/// The second half of a connection: requests and their answers (`doc/proto.md`, "Transmission phase"). One thread
/// reads them; each is served by a thread of the executor, so that a slow one does not hold up the next.
///
/// Requests under way, and the memory for their data, are bounded: a client that sends more waits.
final class Transmission {
    private static final Logger LOG = System.getLogger(Transmission.class.getName());
    private static final int MAX_REQUESTS = 16;
    private static final long MAX_BUFFER_BYTES = 2L * Nbd.MAX_PAYLOAD_BYTES;
    /// The most that one chunk of a reply has.
    private static final int CHUNK_BYTES = 2 << 20;
    private static final int CACHE_BYTES = 1 << 20;

    private final NbdExport export;
    private final BlockBackend disk;
    private final long diskBytes;
    private final WireReader in;
    private final boolean structured;
    private final List<MetaContext> contexts;
    private final Replies replies;
    private final Executor workers;
    private final BufferPool buffers = new BufferPool(MAX_BUFFER_BYTES);
    private final Semaphore free = new Semaphore(MAX_REQUESTS);

    Transmission(Handshake.Session session, Executor workers) {
        export = session.export();
        disk = export.disk();
        diskBytes = disk.sizeBytes();
        in = session.in();
        structured = session.structured();
        contexts = session.contexts();
        replies = new Replies(in.transport(), structured);
        this.workers = workers;
    }

    /// Serves until the client leaves; returns when nothing of it is under way any more.
    ///
    /// @throws IOException if it leaves without saying so, or does not keep to the protocol
    void run() throws IOException {
        try {
            while (true) {
                Request request = read();
                if (request.type() == Nbd.CMD_DISC) {
                    break;
                }
                begin(request);
            }
            free.acquireUninterruptibly(MAX_REQUESTS);
            free.release(MAX_REQUESTS);
            in.transport().finish();
        } finally {
            // Those that still answer fail, and end, when the transport is closed.
            in.transport().close();
            free.acquireUninterruptibly(MAX_REQUESTS);
            buffers.close();
        }
    }

    private Request read() throws IOException {
        int magic = in.i32();
        if (magic != Nbd.REQUEST_MAGIC) {
            throw new IOException("0x%08x is no request's magic number".formatted(magic));
        }
        return new Request(in.u16(), in.u16(), in.i64(), in.i64(), in.u32());
    }

    private void begin(Request request) throws IOException {
        BufferPool.@Nullable Buffer payload = null;
        free.acquireUninterruptibly();
        boolean begun = false;
        try {
            if (request.type() == Nbd.CMD_WRITE) {
                payload = payload(request);
            }
            BufferPool.@Nullable Buffer content = payload;
            workers.execute(() -> serve(request, content));
            begun = true;
        } finally {
            if (!begun) {
                if (payload != null) {
                    payload.close();
                }
                free.release();
            }
        }
    }

    private BufferPool.Buffer payload(Request request) throws IOException {
        if (request.lengthBytes() > Nbd.MAX_PAYLOAD_BYTES) {
            throw new IOException(
                    "a write of %d bytes is longer than %d".formatted(request.lengthBytes(), Nbd.MAX_PAYLOAD_BYTES));
        }
        BufferPool.Buffer buffer = buffers.take((int) request.lengthBytes());
        try {
            in.into(buffer.bytes(request.lengthBytes()));
            return buffer;
        } catch (IOException e) {
            buffer.close();
            throw e;
        }
    }

    /// In a worker.
    private void serve(Request request, BufferPool.@Nullable Buffer payload) {
        try {
            try {
                check(request);
                perform(request, payload);
            } catch (RequestException e) {
                replies.error(request, e.error(), String.valueOf(e.getMessage()));
            } catch (RuntimeException e) {
                LOG.log(Level.ERROR, "Serving %s failed".formatted(disk.name()), e);
                replies.error(request, Nbd.EIO, "the server has a fault");
            }
        } catch (IOException e) {
            // The client is gone or in the middle of a reply that cannot be completed; the reader notices the end.
            closeQuietly(e);
        } finally {
            if (payload != null) {
                payload.close();
            }
            free.release();
        }
    }

    private void closeQuietly(IOException cause) {
        try {
            in.transport().close();
        } catch (IOException e) {
            cause.addSuppressed(e);
        }
    }

    private void check(Request request) throws RequestException {
        if (request.type() > Nbd.CMD_BLOCK_STATUS) {
            throw new RequestException(Nbd.EINVAL, "request type %d is unknown".formatted(request.type()));
        }
        if ((request.flags() & ~request.knownFlags(structured)) != 0) {
            throw new RequestException(Nbd.EINVAL, "flags 0x%x are unknown here".formatted(request.flags()));
        }
        if (request.type() == Nbd.CMD_FLUSH) {
            return;
        }
        boolean changes = switch (request.type()) {
            case Nbd.CMD_WRITE, Nbd.CMD_TRIM, Nbd.CMD_WRITE_ZEROES -> true;
            default -> false;
        };
        if (changes && export.readOnly()) {
            throw new RequestException(Nbd.EPERM, "this export is read-only");
        }
        long offset = request.offsetBytes();
        if (offset < 0 || offset > diskBytes || request.lengthBytes() > diskBytes - offset) {
            throw new RequestException(
                    changes ? Nbd.ENOSPC : Nbd.EINVAL,
                    "%d bytes at %s are not inside of %d"
                            .formatted(request.lengthBytes(), Long.toUnsignedString(offset), diskBytes));
        }
        if (request.type() == Nbd.CMD_READ && request.lengthBytes() > Nbd.MAX_PAYLOAD_BYTES) {
            throw new RequestException(
                    structured ? Nbd.EOVERFLOW : Nbd.EINVAL,
                    "a read of %d bytes is longer than %d".formatted(request.lengthBytes(), Nbd.MAX_PAYLOAD_BYTES));
        }
    }

    private void perform(Request request, BufferPool.@Nullable Buffer payload) throws IOException, RequestException {
        switch (request.type()) {
            case Nbd.CMD_READ -> readDisk(request);
            case Nbd.CMD_WRITE -> {
                MemorySegment content =
                        payload == null ? MemorySegment.ofArray(new byte[0]) : payload.bytes(request.lengthBytes());
                onDisk(() -> disk.write(request.offsetBytes(), List.of(content)));
                finishChange(request);
            }
            case Nbd.CMD_FLUSH -> {
                onDisk(disk::flush);
                replies.done(request);
            }
            case Nbd.CMD_TRIM -> {
                if (export.discard() && request.lengthBytes() > 0) {
                    onDisk(() -> disk.discard(request.offsetBytes(), request.lengthBytes()));
                }
                finishChange(request);
            }
            case Nbd.CMD_CACHE -> {
                onDisk(() -> prefetch(request));
                replies.done(request);
            }
            case Nbd.CMD_WRITE_ZEROES -> {
                if (request.lengthBytes() > 0) {
                    writeZeroes(request);
                }
                finishChange(request);
            }
            case Nbd.CMD_BLOCK_STATUS -> status(request);
            default -> throw new RequestException(Nbd.EINVAL, "request type %d is unknown".formatted(request.type()));
        }
    }

    /// What may fail as disks do.
    private interface DiskAction {
        void run() throws IOException;
    }

    private static void onDisk(DiskAction action) throws RequestException {
        try {
            action.run();
        } catch (IOException | JvirtException e) {
            throw new RequestException(errorOf(e), String.valueOf(e.getMessage()));
        }
    }

    private static int errorOf(Throwable failure) {
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (cause instanceof FileCallException call) {
                return switch (call.errno()) {
                    case ENOSPC, EFBIG -> Nbd.ENOSPC;
                    case EPERM, EACCES -> Nbd.EPERM;
                    case ENOMEM -> Nbd.ENOMEM;
                    case Errno other -> Nbd.EIO;
                };
            }
        }
        return Nbd.EIO;
    }

    private void finishChange(Request request) throws IOException, RequestException {
        if (request.has(Nbd.CMD_FLAG_FUA)) {
            onDisk(disk::flush);
        }
        replies.done(request);
    }

    private void writeZeroes(Request request) throws RequestException {
        boolean mayUnmap = !request.has(Nbd.CMD_FLAG_NO_HOLE);
        if (request.has(Nbd.CMD_FLAG_FAST_ZERO) && !(export.fastZeroes() && mayUnmap)) {
            throw new RequestException(Nbd.ENOTSUP, "zeroes may take as long as data here");
        }
        onDisk(() -> disk.writeZeroes(request.offsetBytes(), request.lengthBytes(), mayUnmap));
    }

    /// Brings a range into the host's page cache.
    private void prefetch(Request request) throws IOException {
        try (BufferPool.Buffer buffer = buffers.take(CACHE_BYTES)) {
            long end = request.offsetBytes() + request.lengthBytes();
            for (long at = request.offsetBytes(); at < end; at += CACHE_BYTES) {
                disk.read(at, List.of(buffer.bytes(Math.min(CACHE_BYTES, end - at))));
            }
        }
    }

    private void readDisk(Request request) throws IOException, RequestException {
        Optional<MetaContext> allocation = export.allocation();
        if (request.lengthBytes() == 0) {
            if (structured) {
                replies.done(request);
            } else {
                replies.data(request, MemorySegment.ofArray(new byte[0]));
            }
        } else if (structured && !request.has(Nbd.CMD_FLAG_DF)) {
            readInChunks(request, allocation);
        } else {
            int length = (int) request.lengthBytes();
            try (BufferPool.Buffer buffer = buffers.take(length)) {
                MemorySegment content = buffer.bytes(length);
                onDisk(() -> disk.read(request.offsetBytes(), List.of(content)));
                replies.data(request, content);
            }
        }
    }

    private void readInChunks(Request request, Optional<MetaContext> allocation) throws IOException, RequestException {
        long end = request.offsetBytes() + request.lengthBytes();
        long at = request.offsetBytes();
        try (BufferPool.Buffer buffer = buffers.take((int) Math.min(CHUNK_BYTES, request.lengthBytes()))) {
            while (at < end) {
                long start = at;
                MetaContext.Status status = allocation.isPresent()
                        ? statusOf(allocation.get(), start, end - start)
                        : new MetaContext.Status(end - start, 0);
                boolean zeroes = (status.flags() & Nbd.STATE_ZERO) != 0;
                long length = zeroes ? status.lengthBytes() : Math.min(CHUNK_BYTES, status.lengthBytes());
                at += length;
                if (zeroes) {
                    replies.hole(request, start, length, at >= end);
                } else {
                    MemorySegment content = buffer.bytes(length);
                    onDisk(() -> disk.read(start, List.of(content)));
                    replies.data(request, start, content, at >= end);
                }
            }
        }
    }

    private static MetaContext.Status statusOf(MetaContext context, long offset, long limit) throws RequestException {
        var found = new MetaContext.Status[1];
        onDisk(() -> found[0] = context.at(offset, limit));
        return found[0];
    }

    private void status(Request request) throws IOException, RequestException {
        if (!structured || contexts.isEmpty() || request.lengthBytes() == 0) {
            throw new RequestException(Nbd.EINVAL, "block status needs a context that was chosen before, and a length");
        }
        var extents = new ByteBuffer[contexts.size()];
        onDisk(() -> {
            for (int i = 0; i < extents.length; i++) {
                extents[i] = StatusReply.extents(contexts.get(i), request);
            }
        });
        for (int i = 0; i < extents.length; i++) {
            replies.status(request, i, extents[i], i == extents.length - 1);
        }
    }
}

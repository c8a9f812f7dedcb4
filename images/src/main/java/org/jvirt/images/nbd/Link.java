package org.jvirt.images.nbd;

import java.io.Closeable;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/// A connection to an export, with any number of requests under way. Thread-safe.
///
/// There is no thread of its own: of those that wait for answers, one at a time reads, and hands the others theirs.
///
/// Locks: `turn` guards who reads and what is awaited; `writeLock` orders what is sent. Neither is held while the
/// other is waited for, and `turn` not while the socket is.
final class Link implements Closeable {
    private static final int MAX_ERROR_BYTES = 6 + 8 + Nbd.MAX_STRING_BYTES;
    private static final int MAX_STATUS_BYTES = 4 + 8 * 1024;
    private static final MemorySegment NOTHING = MemorySegment.ofArray(new byte[0]);

    private final ExportDetails details;
    private final WireReader in;
    private final Transport transport;
    private final int allocationId;
    private final ReentrantLock turn = new ReentrantLock();
    private final Condition moved = turn.newCondition();
    private final Map<Long, Pending> awaited = new HashMap<>(); // guarded by turn
    private final ReentrantLock writeLock = new ReentrantLock();
    private boolean reading; // guarded by turn
    private long nextCookie; // guarded by turn
    private Optional<IOException> broken = Optional.empty(); // guarded by turn

    private Link(ExportDetails details, WireReader in) {
        this.details = details;
        this.in = in;
        transport = in.transport();
        allocationId = details.contexts().stream()
                .filter(context -> context.name().equals(Nbd.BASE_ALLOCATION))
                .mapToInt(ExportDetails.Context::id)
                .findFirst()
                .orElse(-1);
    }

    /// Connects, and chooses the target's export.
    ///
    /// @param timeout for all of that
    static Link open(NbdTarget target, Duration timeout) throws IOException {
        return Dialing.dial(target.address(), timeout, transport -> over(transport, target));
    }

    /// As [#open], on a connection that is there.
    static Link over(Transport transport, NbdTarget target) throws IOException {
        var handshake = new ClientHandshake(transport);
        handshake.begin(target);
        ExportDetails details = handshake.go(target.export(), List.of(Nbd.BASE_ALLOCATION));
        details.check();
        return new Link(details, handshake.in());
    }

    ExportDetails details() {
        return details;
    }

    boolean hasStatus() {
        return details.structured()
                && details.contexts().stream()
                        .anyMatch(context -> context.name().equals(Nbd.BASE_ALLOCATION));
    }

    void read(long offsetBytes, MemorySegment into) throws IOException {
        var _ = perform(Nbd.CMD_READ, 0, offsetBytes, into.byteSize(), into, NOTHING);
    }

    void write(int flags, long offsetBytes, MemorySegment from) throws IOException {
        var _ = perform(Nbd.CMD_WRITE, flags, offsetBytes, from.byteSize(), NOTHING, from);
    }

    /// Trims, writes zeroes, or flushes.
    void command(int type, int flags, long offsetBytes, long lengthBytes) throws IOException {
        var _ = perform(type, flags, offsetBytes, lengthBytes, NOTHING, NOTHING);
    }

    /// The first run of blocks of a range.
    Pending.BlockRun status(long offsetBytes, long lengthBytes) throws IOException {
        Pending pending =
                perform(Nbd.CMD_BLOCK_STATUS, Nbd.CMD_FLAG_REQ_ONE, offsetBytes, lengthBytes, NOTHING, NOTHING);
        return pending.run().orElseThrow(() -> new ProtocolException("the server tells nothing of its blocks"));
    }

    private Pending perform(
            int type, int flags, long offsetBytes, long lengthBytes, MemorySegment into, MemorySegment payload)
            throws IOException {
        Pending pending;
        turn.lock();
        try {
            if (broken.isPresent()) {
                throw new LostConnectionException(broken.get());
            }
            pending = new Pending(nextCookie++, type, offsetBytes, lengthBytes, into);
            awaited.put(pending.cookie, pending);
        } finally {
            turn.unlock();
        }
        send(pending, flags, payload);
        await(pending);
        pending.result();
        return pending;
    }

    private void send(Pending pending, int flags, MemorySegment payload) {
        writeLock.lock();
        try {
            transport.write(header(flags, pending), payload.asByteBuffer());
        } catch (IOException e) {
            breakDown(e);
        } finally {
            writeLock.unlock();
        }
    }

    private static ByteBuffer header(int flags, Pending pending) {
        return ByteBuffer.allocate(Nbd.REQUEST_BYTES)
                .putInt(Nbd.REQUEST_MAGIC)
                .putShort((short) flags)
                .putShort((short) pending.type)
                .putLong(pending.cookie)
                .putLong(pending.offsetBytes)
                .putInt((int) pending.lengthBytes)
                .flip();
    }

    /// Waits for an answer, reading others' meanwhile where nobody else does.
    private void await(Pending mine) {
        turn.lock();
        try {
            while (!mine.done()) {
                if (reading) {
                    moved.awaitUninterruptibly();
                } else if (broken.isPresent()) {
                    mine.fail(broken.get());
                    mine.complete();
                } else {
                    readUnlocked();
                }
            }
            awaited.remove(mine.cookie);
        } finally {
            turn.unlock();
        }
    }

    private void readUnlocked() {
        reading = true;
        turn.unlock();
        Optional<IOException> failure = Optional.empty();
        try {
            readReply();
        } catch (IOException e) {
            failure = Optional.of(e);
        } finally {
            turn.lock();
            reading = false;
            failure.ifPresent(this::breakDown);
            moved.signalAll();
        }
    }

    private void breakDown(IOException reason) {
        turn.lock();
        try {
            if (broken.isEmpty()) {
                broken = Optional.of(reason);
            }
            moved.signalAll();
        } finally {
            turn.unlock();
        }
        try {
            transport.close();
        } catch (IOException e) {
            reason.addSuppressed(e);
        }
    }

    private Pending find(long cookie) throws ProtocolException {
        turn.lock();
        try {
            Pending pending = awaited.get(cookie);
            if (pending == null || pending.done()) {
                throw new ProtocolException("the server answers a request that nobody made");
            }
            return pending;
        } finally {
            turn.unlock();
        }
    }

    private void complete(Pending pending) {
        turn.lock();
        try {
            pending.complete();
        } finally {
            turn.unlock();
        }
    }

    private void readReply() throws IOException {
        int magic = in.i32();
        if (magic == Nbd.SIMPLE_REPLY_MAGIC) {
            readSimple();
        } else if (magic == Nbd.STRUCTURED_REPLY_MAGIC && details.structured()) {
            readChunk();
        } else {
            throw new ProtocolException("0x%08x is no reply's magic number".formatted(magic));
        }
    }

    private void readSimple() throws IOException {
        int error = in.i32();
        Pending pending = find(in.i64());
        if (details.structured() && pending.type == Nbd.CMD_READ || pending.type == Nbd.CMD_BLOCK_STATUS) {
            throw new ProtocolException("the server answers a %s with a simple reply".formatted(pending));
        }
        if (error != 0) {
            pending.fail(
                    new NbdException(error, "the server answers a %s: %s".formatted(pending, Nbd.describe(error))));
        } else if (pending.type == Nbd.CMD_READ) {
            in.into(pending.place(pending.offsetBytes, pending.lengthBytes));
        }
        complete(pending);
    }

    private void readChunk() throws IOException {
        int flags = in.u16();
        int type = in.u16();
        Pending pending = find(in.i64());
        long length = in.u32();
        switch (type) {
            case Nbd.REPLY_TYPE_NONE -> {
                require(length == 0 && flags == Nbd.REPLY_FLAG_DONE, "an empty chunk that is not empty");
            }
            case Nbd.REPLY_TYPE_OFFSET_DATA -> {
                require(length > 8, "data without data");
                long offset = in.i64();
                in.into(pending.place(offset, length - 8));
            }
            case Nbd.REPLY_TYPE_OFFSET_HOLE -> {
                require(length == 12, "a hole of no known form");
                long offset = in.i64();
                pending.place(offset, in.u32()).fill((byte) 0);
            }
            case Nbd.REPLY_TYPE_BLOCK_STATUS -> readStatus(pending, length);
            default -> {
                require((type & Nbd.REPLY_TYPE_FLAG_ERROR) != 0, "a chunk of unknown type %d".formatted(type));
                readError(pending, length);
            }
        }
        if ((flags & Nbd.REPLY_FLAG_DONE) != 0) {
            require(
                    pending.type != Nbd.CMD_READ || pending.failed() || pending.complete(pending.lengthBytes),
                    "less than was asked for");
            complete(pending);
        }
    }

    private void readStatus(Pending pending, long length) throws IOException {
        require(
                pending.type == Nbd.CMD_BLOCK_STATUS && length >= 12 && length <= MAX_STATUS_BYTES && length % 8 == 4,
                "block status of no known form");
        int context = in.i32();
        long run = in.u32();
        int flags = in.i32();
        in.skip(length - 12);
        require(run > 0, "a run of no blocks");
        if (context == allocationId) {
            pending.run(new Pending.BlockRun(Math.min(run, pending.lengthBytes), flags));
        }
    }

    private void readError(Pending pending, long length) throws IOException {
        require(length >= 6 && length <= MAX_ERROR_BYTES, "an error of no known form");
        int error = in.i32();
        int messageLength = in.u16();
        require(messageLength <= length - 6, "an error of no known form");
        String message = new String(in.bytes(messageLength), StandardCharsets.UTF_8).replaceAll("\\p{Cntrl}", "?");
        in.skip(length - 6 - messageLength);
        require(error != 0, "an error that is none");
        String said = message.isEmpty() ? "" : ", " + message;
        pending.fail(
                new NbdException(error, "the server answers a %s: %s%s".formatted(pending, Nbd.describe(error), said)));
    }

    private static void require(boolean sound, String what) throws ProtocolException {
        if (!sound) {
            throw new ProtocolException("the server sends " + what);
        }
    }

    /// Says good-bye where nobody is asking, and cuts the connection.
    @Override
    public void close() throws IOException {
        boolean idle;
        turn.lock();
        try {
            idle = awaited.isEmpty() && broken.isEmpty();
            if (broken.isEmpty()) {
                broken = Optional.of(new IOException("the disk has been closed"));
            }
        } finally {
            turn.unlock();
        }
        if (idle) {
            try {
                transport.write(header(0, new Pending(0, Nbd.CMD_DISC, 0, 0, NOTHING)));
                transport.finish();
            } catch (IOException e) {
                // The server has gone before.
                transport.close();
                return;
            }
        }
        transport.close();
    }
}

package org.jvirt.images.nbd;

import java.io.EOFException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import org.jvirt.core.UserErrorException;
import org.jvirt.images.file.CacheMode;
import org.jvirt.images.file.ImageFile;

/// A served disk as the file that image formats are laid out in. Its size is the server's and stays so.
/// Thread-safe.
public final class NbdFile implements ImageFile {
    /// The longest range that the 32 bits of a request tell, in whole blocks of any size.
    private static final long MAX_RANGE_BYTES = 0xffff_0000L;

    private final Connector connector;
    private final boolean readOnly;
    private final CacheMode cache;
    private final ExportDetails details;
    private final long pieceBytes;
    /// Held while a block is read, changed and written back.
    private final ReentrantLock edges = new ReentrantLock();

    private NbdFile(Connector connector, ExportDetails details, boolean readOnly, CacheMode cache) {
        this.connector = connector;
        this.details = details;
        this.readOnly = readOnly;
        this.cache = cache;
        pieceBytes = details.pieceBytes();
    }

    /// Connects.
    ///
    /// @throws UserErrorException if the server or the export is not there, or may only be read
    public static NbdFile open(NbdTarget target, boolean readOnly, CacheMode cache) {
        var connector = new Connector(target);
        try {
            ExportDetails details = connector.first();
            if (!readOnly && details.has(Nbd.FLAG_READ_ONLY)) {
                connector.close();
                throw new UserErrorException(
                        "Cannot write to disk %s: its server only lets it be read; open it read-only"
                                .formatted(target.text()));
            }
            return new NbdFile(connector, details, readOnly, cache);
        } catch (IOException e) {
            throw new UserErrorException("Cannot open disk %s: %s".formatted(target.text(), e.getMessage()), e);
        }
    }

    @Override
    public String name() {
        return connector.target().text();
    }

    /// The same for two of them if they are the same disk.
    public Object identity() {
        return connector.target().identity();
    }

    @Override
    public boolean readOnly() {
        return readOnly;
    }

    @Override
    public long sizeBytes() {
        return details.sizeBytes();
    }

    /// Nobody tells; 0, as qemu-img shows it.
    @Override
    public long allocatedBytes() {
        return 0;
    }

    @Override
    public void read(long offsetBytes, List<MemorySegment> into) throws IOException {
        long at = offsetBytes;
        for (MemorySegment segment : into) {
            check(at, segment.byteSize(), "read");
            readBlocks(at, segment);
            at += segment.byteSize();
        }
    }

    @Override
    public void readPadded(long offsetBytes, List<MemorySegment> into) throws IOException {
        long at = offsetBytes;
        for (MemorySegment segment : into) {
            long present = Math.clamp(sizeBytes() - at, 0, segment.byteSize());
            if (present > 0) {
                check(at, present, "read");
                readBlocks(at, segment.asSlice(0, present));
            }
            segment.asSlice(present).fill((byte) 0);
            at += segment.byteSize();
        }
    }

    private boolean aligned(long offset, long length) {
        return ((offset | length) & (details.minimumBytes() - 1)) == 0;
    }

    private void readBlocks(long offset, MemorySegment into) throws IOException {
        for (long done = 0; done < into.byteSize(); ) {
            long at = offset + done;
            long part = Math.min(into.byteSize() - done, pieceBytes);
            if (aligned(at, part)) {
                MemorySegment piece = into.asSlice(done, part);
                connector.run(link -> link.read(at, piece));
            } else {
                part = Math.min(part, Math.max(1, pieceBytes - details.minimumBytes()));
                readAround(at, into.asSlice(done, part));
            }
            done += part;
        }
    }

    /// By the whole blocks that the range is in.
    private void readAround(long offset, MemorySegment into) throws IOException {
        long block = details.minimumBytes();
        long start = offset & -block;
        long end = offset + into.byteSize() + block - 1 & -block;
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment blocks = arena.allocate(end - start);
            for (long at = start; at < end; at += pieceBytes) {
                long from = at;
                MemorySegment piece = blocks.asSlice(at - start, Math.min(pieceBytes, end - at));
                connector.run(link -> link.read(from, piece));
            }
            MemorySegment.copy(blocks, offset - start, into, 0, into.byteSize());
        }
    }

    @Override
    public void write(long offsetBytes, List<MemorySegment> from) throws IOException {
        long at = offsetBytes;
        for (MemorySegment segment : from) {
            checkWritable(at, segment.byteSize());
            writeBlocks(at, segment);
            at += segment.byteSize();
        }
    }

    private void writeBlocks(long offset, MemorySegment from) throws IOException {
        long block = details.minimumBytes();
        for (long done = 0; done < from.byteSize(); ) {
            long at = offset + done;
            long left = from.byteSize() - done;
            long part;
            if ((at & block - 1) != 0 || left < block) {
                part = Math.min(left, block - (at & block - 1));
                writeInBlock(at, from.asSlice(done, part));
            } else {
                part = Math.min(left & -block, pieceBytes);
                MemorySegment piece = from.asSlice(done, part);
                connector.run(link -> link.write(durably(), at, piece));
            }
            done += part;
        }
    }

    private int durably() {
        return cache.durableWrites() && details.has(Nbd.FLAG_SEND_FUA) ? Nbd.CMD_FLAG_FUA : 0;
    }

    private void writeInBlock(long offset, MemorySegment from) throws IOException {
        long start = offset & -details.minimumBytes();
        edges.lock();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment block = arena.allocate(details.minimumBytes());
            connector.run(link -> link.read(start, block));
            MemorySegment.copy(from, 0, block, offset - start, from.byteSize());
            connector.run(link -> link.write(durably(), start, block));
        } finally {
            edges.unlock();
        }
    }

    @Override
    public void writeZeroes(long offsetBytes, long lengthBytes, boolean mayUnmap) throws IOException {
        checkWritable(offsetBytes, lengthBytes);
        long block = details.minimumBytes();
        long start = Math.min(offsetBytes + lengthBytes, offsetBytes + block - 1 & -block);
        long end = Math.max(start, offsetBytes + lengthBytes & -block);
        fill(offsetBytes, start - offsetBytes);
        if (details.has(Nbd.FLAG_SEND_WRITE_ZEROES)) {
            int flags = durably() | (mayUnmap ? 0 : Nbd.CMD_FLAG_NO_HOLE);
            ranges(Nbd.CMD_WRITE_ZEROES, flags, start, end);
        } else {
            fill(start, end - start);
        }
        fill(end, offsetBytes + lengthBytes - end);
    }

    private void fill(long offset, long length) throws IOException {
        if (length > 0) {
            long most = Math.min(length, Math.min(1 << 20, pieceBytes));
            MemorySegment zeroes = MemorySegment.ofArray(new byte[(int) most]);
            for (long done = 0; done < length; done += most) {
                writeBlocks(offset + done, zeroes.asSlice(0, Math.min(most, length - done)));
            }
        }
    }

    private void ranges(int type, int flags, long start, long end) throws IOException {
        for (long at = start; at < end; at += MAX_RANGE_BYTES) {
            long from = at;
            connector.run(link -> link.command(type, flags, from, Math.min(MAX_RANGE_BYTES, end - from)));
        }
    }

    @Override
    public void discard(long offsetBytes, long lengthBytes) throws IOException {
        checkWritable(offsetBytes, lengthBytes);
        long block = details.minimumBytes();
        if (details.has(Nbd.FLAG_SEND_TRIM)) {
            ranges(Nbd.CMD_TRIM, 0, offsetBytes + block - 1 & -block, offsetBytes + lengthBytes & -block);
        }
    }

    /// What space the server has is its own affair.
    @Override
    public void allocate(long offsetBytes, long lengthBytes) throws IOException {
        checkWritable(offsetBytes, lengthBytes);
    }

    @Override
    public void truncate(long newSizeBytes) throws IOException {
        if (newSizeBytes != sizeBytes()) {
            throw new IOException(
                    "Cannot make %s %d bytes long: its server has %d".formatted(name(), newSizeBytes, sizeBytes()));
        }
    }

    @Override
    public void flush() throws IOException {
        if (cache.flushes() && !readOnly && details.has(Nbd.FLAG_SEND_FLUSH)) {
            connector.run(link -> link.command(Nbd.CMD_FLUSH, 0, 0, 0));
        }
    }

    @Override
    public long nextData(long offsetBytes) throws IOException {
        return next(offsetBytes, false);
    }

    @Override
    public long nextHole(long offsetBytes) throws IOException {
        return next(offsetBytes, true);
    }

    private long next(long offsetBytes, boolean zero) throws IOException {
        long at = offsetBytes;
        while (at < sizeBytes()) {
            Stretch stretch = stretch(at, sizeBytes() - at);
            if (stretch.hole() == zero) {
                return at;
            }
            at += stretch.lengthBytes();
        }
        return sizeBytes();
    }

    @Override
    public Stretch stretch(long offsetBytes, long limitBytes) throws IOException {
        check(offsetBytes, 1, "look");
        long block = details.minimumBytes();
        long start = offsetBytes & -block;
        long end = Math.min(sizeBytes(), Math.min(offsetBytes + limitBytes, start + MAX_RANGE_BYTES));
        long asked = (end + block - 1 & -block) - start;
        Pending.BlockRun[] run = {new Pending.BlockRun(limitBytes, 0)};
        connector.run(link -> {
            if (link.hasStatus()) {
                run[0] = link.status(start, Math.min(MAX_RANGE_BYTES, asked));
            }
        });
        long length = start + run[0].lengthBytes() - offsetBytes;
        if (length <= 0) {
            throw new ProtocolException("the server tells of less than a block of %d bytes".formatted(block));
        }
        return new Stretch(Math.min(length, limitBytes), (run[0].flags() & Nbd.STATE_ZERO) != 0);
    }

    private void check(long offset, long length, String verb) throws IOException {
        if (offset < 0 || length < 0 || length > sizeBytes() - offset) {
            throw new EOFException("Cannot %s %d bytes at %d of %s: it has %d bytes"
                    .formatted(verb, length, offset, name(), sizeBytes()));
        }
    }

    private void checkWritable(long offset, long length) throws IOException {
        if (readOnly) {
            throw new IOException("Cannot write to %s: it was opened read-only".formatted(name()));
        }
        check(offset, length, "write");
    }

    @Override
    public void close() throws IOException {
        connector.close();
    }
}

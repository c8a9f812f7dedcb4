package org.jvirt.images.file;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import org.jvirt.linux.PositionalFile;

/// Past the host's page cache, which takes only aligned positions, lengths and memory.
///
/// What is not aligned goes through a buffer: a write reads the blocks that it covers in part first, and shuts out
/// all other writes meanwhile, since a neighbour may write to the same block.
final class DirectIo implements FileIo {
    private static final long BLOCK_BYTES = BounceBuffers.ALIGNMENT;

    private final PositionalFile file;
    private final boolean blockDevice;
    /// Held for reading by aligned writes, for writing by others.
    private final ReadWriteLock unaligned = new ReentrantReadWriteLock();

    DirectIo(PositionalFile file, boolean blockDevice) {
        this.file = file;
        this.blockDevice = blockDevice;
    }

    private static boolean isAligned(long offsetBytes, MemorySegment segment) {
        return segment.isNative() && ((offsetBytes | segment.byteSize() | segment.address()) & (BLOCK_BYTES - 1)) == 0;
    }

    @Override
    public long read(long offsetBytes, MemorySegment into) throws IOException {
        return isAligned(offsetBytes, into) ? fill(offsetBytes, into) : readByBounce(offsetBytes, into);
    }

    private long readByBounce(long offsetBytes, MemorySegment into) throws IOException {
        MemorySegment bounce = BounceBuffers.take();
        try {
            long done = 0;
            while (done < into.byteSize()) {
                long at = offsetBytes + done;
                long start = at & -BLOCK_BYTES;
                long part = Math.min(into.byteSize() - done, BounceBuffers.BYTES - (at - start));
                long count =
                        Math.clamp(fill(start, bounce.asSlice(0, window(start, at + part))) - (at - start), 0, part);
                MemorySegment.copy(bounce, at - start, into, done, count);
                done += count;
                if (count < part) {
                    break;
                }
            }
            return done;
        } finally {
            BounceBuffers.giveBack(bounce);
        }
    }

    private static long window(long start, long end) {
        return (end - start + BLOCK_BYTES - 1) & -BLOCK_BYTES;
    }

    private long fill(long offsetBytes, MemorySegment into) throws IOException {
        long done = file.read(offsetBytes, into);
        // A count that is no whole block is the end of the file.
        while (done < into.byteSize() && done % BLOCK_BYTES == 0) {
            long count = file.read(offsetBytes + done, into.asSlice(done));
            if (count == 0) {
                break;
            }
            done += count;
        }
        return done;
    }

    @Override
    public void write(long offsetBytes, MemorySegment from) throws IOException {
        if (isAligned(offsetBytes, from)) {
            unaligned.readLock().lock();
            try {
                drain(offsetBytes, from);
            } finally {
                unaligned.readLock().unlock();
            }
        } else {
            unaligned.writeLock().lock();
            MemorySegment bounce = BounceBuffers.take();
            try {
                writeByBounce(offsetBytes, from, bounce);
            } finally {
                BounceBuffers.giveBack(bounce);
                unaligned.writeLock().unlock();
            }
        }
    }

    private void writeByBounce(long offsetBytes, MemorySegment from, MemorySegment bounce) throws IOException {
        long size = file.sizeBytes();
        long done = 0;
        while (done < from.byteSize()) {
            long at = offsetBytes + done;
            long start = at & -BLOCK_BYTES;
            long part = Math.min(from.byteSize() - done, BounceBuffers.BYTES - (at - start));
            long end = start + window(start, at + part);
            if (blockDevice) {
                end = Math.min(end, size);
            }
            MemorySegment blocks = bounce.asSlice(0, end - start);
            if (at != start || at + part != end) {
                long present = fill(start, blocks);
                blocks.asSlice(present).fill((byte) 0);
            }
            MemorySegment.copy(from, done, blocks, at - start, part);
            drain(start, blocks);
            done += part;
        }
        // The last block must not make the file longer than what was written.
        long wanted = Math.max(size, offsetBytes + from.byteSize());
        if (!blockDevice && file.sizeBytes() > wanted) {
            file.truncate(wanted);
        }
    }

    private void drain(long offsetBytes, MemorySegment from) throws IOException {
        long done = file.write(offsetBytes, from);
        while (done < from.byteSize()) {
            done += file.write(offsetBytes + done, from.asSlice(done));
        }
    }
}

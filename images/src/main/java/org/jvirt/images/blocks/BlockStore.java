package org.jvirt.images.blocks;

import java.io.EOFException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.jvirt.images.blocks.BlockMap.Save;
import org.jvirt.images.file.ImageFile;
import org.jvirt.images.format.DiskImage;
import org.jvirt.images.format.Extent;
import org.jvirt.images.format.Extent.State;

/// The content of a disk, or of one extent of it, that lies in blocks in a file. Thread-safe.
///
/// Data is read and written outside of any lock, in runs as long as the file allows. A block gets its space when it
/// is first written; a second writer to the same block waits until the first has filled it. Blocks are never given
/// back, so that a reader's place stays good.
public final class BlockStore {
    private static final long MOST_BLOCKS_IN_RUN = 1 << 18;

    private final ImageFile file;
    private final BlockMap map;
    private final long blockBytes;
    private final @Nullable DiskImage below;
    /// Where this store begins in the disk, which is how `below` counts.
    private final long startBytes;

    private volatile long sizeBytes;

    /// Before #lock.
    private final Object saving = new Object();

    private final Deque<Save> unsaved = new ArrayDeque<>(); // guarded by saving

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition filled = lock.newCondition();
    private final Set<Long> filling = new HashSet<>(); // guarded by lock

    /// @param startBytes where the store begins in the disk
    /// @param below      what shows through where the map says [BlockMap#ABSENT]
    public BlockStore(
            ImageFile file, BlockMap map, long blockBytes, long sizeBytes, long startBytes, @Nullable DiskImage below) {
        this.file = file;
        this.map = map;
        this.blockBytes = blockBytes;
        this.sizeBytes = sizeBytes;
        this.startBytes = startBytes;
        this.below = below;
    }

    public long sizeBytes() {
        return sizeBytes;
    }

    /// The map must have been changed before.
    public void resize(long newSizeBytes) {
        sizeBytes = newSizeBytes;
    }

    /// Runs something that touches the map.
    public <T> T locked(MapTask<T> task) throws IOException {
        lock.lock();
        try {
            return task.run();
        } finally {
            lock.unlock();
        }
    }

    /// Something that touches the map.
    public interface MapTask<T> {
        T run() throws IOException;
    }

    public void read(long offsetBytes, List<MemorySegment> into) throws IOException {
        var cursor = new SegmentCursor(into);
        check(offsetBytes, cursor.totalBytes(), "read");
        for (long at = offsetBytes; cursor.remainingBytes() > 0; ) {
            Run run = run(at, cursor.remainingBytes());
            if (run.place >= 0) {
                file.readPadded(run.place, cursor.take(run.length));
            } else if (run.place == BlockMap.ABSENT && below != null) {
                readBelow(below, startBytes + at, cursor, run.length);
            } else {
                cursor.fillZeroes(run.length);
            }
            at += run.length;
        }
    }

    private static void readBelow(DiskImage below, long at, SegmentCursor into, long length) throws IOException {
        long there = Math.clamp(below.sizeBytes() - at, 0, length);
        if (there > 0) {
            below.read(at, into.take(there));
        }
        if (there < length) {
            into.fillZeroes(length - there);
        }
    }

    public void write(long offsetBytes, List<MemorySegment> from) throws IOException {
        var cursor = new SegmentCursor(from);
        checkWritable(offsetBytes, cursor.totalBytes());
        for (long at = offsetBytes; cursor.remainingBytes() > 0; ) {
            Run run = runToWrite(at, cursor.remainingBytes());
            if (run.place >= 0) {
                file.write(run.place, cursor.take(run.length));
                at += run.length;
            } else {
                at += writeNew(at, run.length, cursor);
            }
        }
        saveIfWanted();
    }

    public void writeZeroes(long offsetBytes, long lengthBytes, boolean mayUnmap) throws IOException {
        checkWritable(offsetBytes, lengthBytes);
        long end = offsetBytes + lengthBytes;
        for (long at = offsetBytes; at < end; ) {
            Run run = runToWrite(at, end - at);
            if (run.place >= 0) {
                file.writeZeroes(run.place, run.length, mayUnmap);
                at += run.length;
            } else if (run.place == BlockMap.ZERO || below == null) {
                at += run.length;
            } else {
                at += zeroAbsent(at, run.length);
            }
        }
        saveIfWanted();
    }

    /// Hides what shows through from below.
    private long zeroAbsent(long at, long length) throws IOException {
        long inBlock = at % blockBytes;
        long part = Math.min(length, blockBytes - inBlock);
        boolean whole = inBlock == 0 && (part == blockBytes || at + part == sizeBytes);
        if (whole && map.knowsZero()) {
            long block = at / blockBytes;
            lock.lock();
            try {
                awaitFilled(block);
                if (map.locate(block) == BlockMap.ABSENT) {
                    map.assignZero(block);
                    return part;
                }
                return 0; // somebody has filled it: look again
            } finally {
                lock.unlock();
            }
        }
        try (Arena arena = Arena.ofConfined()) {
            return writeNew(at, part, new SegmentCursor(List.of(arena.allocate(part))));
        }
    }

    public Extent extent(long offsetBytes, long limitBytes) throws IOException {
        Run run = run(offsetBytes, Math.min(limitBytes, sizeBytes - offsetBytes));
        if (run.place >= 0) {
            return Extent.data(offsetBytes, run.length, run.place);
        }
        return Extent.of(offsetBytes, run.length, run.place == BlockMap.ZERO ? State.ZERO : State.ABSENT);
    }

    /// Makes all data durable, and then the tables that name it.
    public void flush() throws IOException {
        synchronized (saving) {
            Save changes = locked(map::takeChanges);
            if (!changes.equals(Save.NOTHING)) {
                unsaved.add(changes);
            }
            for (Save next : unsaved) {
                next.prepare();
            }
            file.flush();
            for (Save next = unsaved.peek(); next != null; next = unsaved.peek()) {
                next.write();
                file.flush();
                Save written = next;
                var _ = locked(() -> {
                    written.done();
                    return unsaved.remove();
                });
            }
        }
    }

    private void saveIfWanted() throws IOException {
        if (locked(map::wantsSaving)) {
            flush();
        }
    }

    /// @param place in the file, or [BlockMap#ABSENT], or [BlockMap#ZERO]
    private record Run(long place, long length) {}

    private Run runToWrite(long at, long limit) throws IOException {
        lock.lock();
        try {
            Run run = run(at, limit);
            if (run.place >= 0) {
                map.beforeWrite(at / blockBytes, (at + run.length - 1) / blockBytes);
            }
            return run;
        } finally {
            lock.unlock();
        }
    }

    /// The longest run from `at` on that is stored alike, within bounds that keep the lock free for others.
    private Run run(long at, long limit) throws IOException {
        long block = at / blockBytes;
        long inBlock = at % blockBytes;
        lock.lock();
        try {
            long first = map.locate(block);
            long length = blockBytes - inBlock;
            long wanted = first >= 0 ? first + blockBytes : first;
            long lastBlock = block + MOST_BLOCKS_IN_RUN;
            while (length < limit && block < lastBlock && map.locate(++block) == wanted) {
                length += blockBytes;
                wanted = first >= 0 ? wanted + blockBytes : first;
            }
            return new Run(first >= 0 ? first + inBlock : first, Math.min(length, limit));
        } finally {
            lock.unlock();
        }
    }

    /// Writes to blocks that had no space when the caller looked.
    ///
    /// @return how many bytes; nothing if somebody else was faster, and the caller shall look again
    private long writeNew(long at, long length, SegmentCursor from) throws IOException {
        long firstBlock = at / blockBytes;
        long inBlock = at % blockBytes;
        long blocks = Math.min((inBlock + length + blockBytes - 1) / blockBytes, map.mostInLine());
        Reservation space = reserve(firstBlock, (int) blocks);
        if (space.count == 0) {
            return 0;
        }
        long part = Math.min(length, space.count * blockBytes - inBlock);
        boolean done = false;
        try {
            // The tail first: then the file grows once.
            long tail = space.count * blockBytes - inBlock - part;
            if (tail > 0) {
                fill(at + part, space.place + inBlock + part, tail, space.lastWasZero);
            }
            if (inBlock > 0) {
                fill(at - inBlock, space.place, inBlock, space.firstWasZero);
            }
            file.write(space.place + inBlock, from.take(part));
            done = true;
        } finally {
            settle(firstBlock, space, done);
        }
        return part;
    }

    private record Reservation(long place, int count, boolean firstWasZero, boolean lastWasZero) {}

    /// Sets space in one piece aside for as many blocks as can be; none if the first one has space by now.
    private Reservation reserve(long firstBlock, int most) throws IOException {
        lock.lock();
        try {
            awaitFilled(firstBlock);
            boolean firstWasZero = map.locate(firstBlock) == BlockMap.ZERO;
            boolean lastWasZero = firstWasZero;
            int count = 0;
            while (count < most && !filling.contains(firstBlock + count)) {
                long now = map.locate(firstBlock + count);
                if (now >= 0) {
                    break;
                }
                lastWasZero = now == BlockMap.ZERO;
                count++;
            }
            long place = count == 0 ? BlockMap.ABSENT : map.reserve(firstBlock, count);
            for (int i = 0; i < count; i++) {
                var _ = filling.add(firstBlock + i);
            }
            return new Reservation(place, count, firstWasZero, lastWasZero);
        } finally {
            lock.unlock();
        }
    }

    private void settle(long firstBlock, Reservation space, boolean done) throws IOException {
        lock.lock();
        try {
            for (int i = 0; done && i < space.count; i++) {
                map.assign(firstBlock + i, space.place + i * blockBytes);
            }
        } finally {
            for (int i = 0; i < space.count; i++) {
                var _ = filling.remove(firstBlock + i);
            }
            filled.signalAll();
            lock.unlock();
        }
    }

    private void awaitFilled(long block) {
        while (filling.contains(block)) {
            filled.awaitUninterruptibly();
        }
    }

    /// The part of a new block that is not written takes over what showed through.
    private void fill(long at, long place, long length, boolean wasZero) throws IOException {
        long there = wasZero || below == null ? 0 : Math.clamp(below.sizeBytes() - startBytes - at, 0, length);
        there = Math.clamp(sizeBytes - at, 0, there);
        if (there > 0 && below != null) {
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment copy = arena.allocate(there);
                below.read(startBytes + at, List.of(copy));
                file.write(place, copy);
            }
        }
        if (there < length) {
            file.writeZeroes(place + there, length - there, true);
        }
    }

    private void checkWritable(long offsetBytes, long lengthBytes) throws IOException {
        if (file.readOnly()) {
            throw new IOException("Cannot write to %s: it was opened read-only".formatted(file.name()));
        }
        check(offsetBytes, lengthBytes, "write");
    }

    private void check(long offsetBytes, long lengthBytes, String verb) throws IOException {
        if (offsetBytes < 0 || lengthBytes < 0 || lengthBytes > sizeBytes - offsetBytes) {
            throw new EOFException("Cannot %s %d bytes at %d of %s: it has %d bytes"
                    .formatted(verb, lengthBytes, offsetBytes, file.name(), sizeBytes));
        }
    }
}

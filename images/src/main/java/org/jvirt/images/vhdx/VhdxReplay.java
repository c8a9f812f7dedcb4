package org.jvirt.images.vhdx;

import static org.jvirt.images.blocks.HeaderReader.broken;
import static org.jvirt.images.blocks.HeaderReader.unsupported;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.jvirt.images.file.ImageFile;

/// Finds in the log of an image that was not closed cleanly what must still be brought into the file: MS-VHDX
/// section 2.3.3. The entries that count are the chain, from an oldest one to a newest one that names it as its
/// tail, whose newest entry has the greatest number of all such chains.
final class VhdxReplay {
    private static final int SECTOR_BYTES = LogEntry.SECTOR_BYTES;
    private static final long MOST_LOG_BYTES = 256 << 20;
    /// A hostile log may claim long entries at every sector, and chains that lead nowhere.
    private static final long MOST_CHECKED_BYTES = 4 * MOST_LOG_BYTES;

    private static final int MOST_STEPS = 1 << 20;
    /// Nobody has such a file; it would only be made to annoy.
    private static final long MOST_FILE_BYTES = 1L << 47;

    private final ImageFile file;
    private final VhdxHeader header;
    private long checkedBytes;
    private int steps;

    /// A valid entry, without its content.
    private record Found(long offset, long length, long number, long tail) {}

    private VhdxReplay(ImageFile file, VhdxHeader header) {
        this.file = file;
        this.header = header;
    }

    /// Replays the log of a writable file; the header still names it afterwards.
    static void run(ImageFile file, VhdxHeader header) throws IOException {
        if (header.logLength() > MOST_LOG_BYTES) {
            throw unsupported(file, "a log of %d bytes, only up to %d".formatted(header.logLength(), MOST_LOG_BYTES));
        }
        var replay = new VhdxReplay(file, header);
        for (Found found : replay.activeChain()) {
            LogEntry entry = replay.entryAt(found.offset).orElseThrow(IllegalStateException::new);
            replay.apply(entry);
        }
        file.flush();
    }

    private List<Found> activeChain() throws IOException {
        List<Found> found = new ArrayList<>();
        Map<Long, Found> byEnd = new HashMap<>();
        for (long at = 0; at < header.logLength(); at += SECTOR_BYTES) {
            Optional<LogEntry> entry = entryAt(at);
            if (entry.isPresent()) {
                var here = new Found(
                        at,
                        entry.get().length(),
                        entry.get().number(),
                        entry.get().tail());
                found.add(here);
                Found before = byEnd.get((at + here.length) % header.logLength());
                if (before == null || before.number < here.number) {
                    byEnd.put((at + here.length) % header.logLength(), here);
                }
            }
        }
        found.sort(Comparator.comparingLong(Found::number).reversed());
        for (Found head : found) {
            Deque<Found> chain = new ArrayDeque<>();
            @Nullable Found next = head;
            while (next != null) {
                chain.addFirst(next);
                if (next.offset == head.tail) {
                    return List.copyOf(chain);
                }
                if (++steps > MOST_STEPS) {
                    throw broken(file, "its log has too many ends");
                }
                Found before = byEnd.get(next.offset);
                next = before != null && before.number == next.number - 1 ? before : null;
            }
        }
        return List.of();
    }

    /// The valid entry at a place in the log, if one is there.
    private Optional<LogEntry> entryAt(long at) throws IOException {
        ByteBuffer start = read(at, LogEntry.HEADER_BYTES);
        long length = LogEntry.lengthOf(start);
        if (start.getInt(0) != LogEntry.SIGNATURE
                || !Guid.read(start, 32).equals(header.logGuid())
                || length < SECTOR_BYTES
                || length % SECTOR_BYTES != 0
                || length > header.logLength()) {
            return Optional.empty();
        }
        checkedBytes += length;
        if (checkedBytes > MOST_CHECKED_BYTES) {
            throw broken(file, "its log has too many long entries");
        }
        var entry = new LogEntry(read(at, (int) length));
        return entry.valid(header.logGuid()) ? Optional.of(entry) : Optional.empty();
    }

    /// The log is a ring.
    private ByteBuffer read(long at, int length) throws IOException {
        byte[] bytes = new byte[length];
        MemorySegment segment = MemorySegment.ofArray(bytes);
        long first = Math.min(length, header.logLength() - at);
        file.read(header.logOffset() + at, segment.asSlice(0, first));
        if (first < length) {
            file.read(header.logOffset(), segment.asSlice(first));
        }
        return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    private void apply(LogEntry entry) throws IOException {
        long size = file.sizeBytes();
        if (Long.compareUnsigned(entry.flushedFileOffset(), size) > 0) {
            throw broken(
                    file,
                    "it has been truncated: it was %s bytes long, and has %d"
                            .formatted(Long.toUnsignedString(entry.flushedFileOffset()), size));
        }
        long needed = entry.lastFileOffset();
        if (needed < 0 || needed > MOST_FILE_BYTES) {
            throw broken(file, "its log wants a file of %s bytes".formatted(Long.toUnsignedString(needed)));
        }
        if (needed > size) {
            file.truncate(needed);
        }
        long end = Math.max(size, needed);
        entry.forEachChange(change -> {
            if (change.offset() < 0
                    || change.length() < 0
                    || change.offset() % SECTOR_BYTES != 0
                    || change.length() % SECTOR_BYTES != 0
                    || change.length() > end - change.offset()) {
                throw broken(file, "its log changes bytes outside of the file");
            }
            if (change.content().isPresent()) {
                file.write(
                        change.offset(), MemorySegment.ofArray(change.content().get()));
            } else {
                file.writeZeroes(change.offset(), change.length(), true);
            }
        });
    }
}

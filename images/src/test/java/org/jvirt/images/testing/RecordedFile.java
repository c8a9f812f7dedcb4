package org.jvirt.images.testing;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/// A file in memory that notes all that is done to it, in order. Thread-safe.
public final class RecordedFile extends MemoryFile {
    /// What was done.
    public sealed interface Event {
        /// Bytes that were written.
        record Write(long offset, byte[] bytes) implements Event {}

        /// Bytes that became zeroes, by write-zeroes or discard.
        record Zero(long offset, long length) implements Event {}

        record Truncate(long size) implements Event {}

        /// Everything before is durable.
        record Flush() implements Event {}
    }

    private final List<Event> events = new ArrayList<>();
    private final MemoryFile before;

    /// Starts with what `content` has.
    public RecordedFile(MemoryFile content) {
        super(content.name(), content);
        before = content.copy();
    }

    /// As it was when recording began.
    public MemoryFile before() {
        return before.copy();
    }

    public synchronized List<Event> events() {
        return List.copyOf(events);
    }

    public synchronized int eventCount() {
        return events.size();
    }

    @Override
    public synchronized void write(long offsetBytes, List<MemorySegment> from) throws IOException {
        super.write(offsetBytes, from);
        long total = from.stream().mapToLong(MemorySegment::byteSize).sum();
        byte[] bytes = new byte[(int) total];
        long at = 0;
        for (MemorySegment segment : from) {
            MemorySegment.copy(segment, 0, MemorySegment.ofArray(bytes), at, segment.byteSize());
            at += segment.byteSize();
        }
        events.add(new Event.Write(offsetBytes, bytes));
    }

    @Override
    public synchronized void writeZeroes(long offsetBytes, long lengthBytes, boolean mayUnmap) throws IOException {
        super.writeZeroes(offsetBytes, lengthBytes, mayUnmap);
        events.add(new Event.Zero(offsetBytes, lengthBytes));
    }

    @Override
    public synchronized void discard(long offsetBytes, long lengthBytes) throws IOException {
        super.discard(offsetBytes, lengthBytes);
        events.add(new Event.Zero(offsetBytes, Math.min(lengthBytes, Math.max(0, sizeBytes() - offsetBytes))));
    }

    @Override
    public synchronized void truncate(long sizeBytes) throws IOException {
        super.truncate(sizeBytes);
        events.add(new Event.Truncate(sizeBytes));
    }

    @Override
    public synchronized void flush() throws IOException {
        super.flush();
        events.add(new Event.Flush());
    }
}

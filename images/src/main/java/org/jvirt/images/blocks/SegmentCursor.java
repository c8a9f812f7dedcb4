package org.jvirt.images.blocks;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/// Walks over the segments of a request. Not thread-safe.
public final class SegmentCursor {
    private final List<MemorySegment> segments;
    private final long totalBytes;
    private int index;
    private long inSegment;
    private long doneBytes;

    public SegmentCursor(List<MemorySegment> segments) {
        this.segments = segments;
        long sum = 0;
        for (int i = 0; i < segments.size(); i++) {
            sum += segments.get(i).byteSize();
        }
        totalBytes = sum;
    }

    public long totalBytes() {
        return totalBytes;
    }

    public long remainingBytes() {
        return totalBytes - doneBytes;
    }

    /// The next so many bytes.
    public List<MemorySegment> take(long bytes) {
        if (doneBytes == 0 && bytes == totalBytes) {
            doneBytes = totalBytes;
            return segments;
        }
        List<MemorySegment> taken = new ArrayList<>(4);
        for (long left = bytes; left > 0; ) {
            MemorySegment segment = segments.get(index);
            long part = Math.min(left, segment.byteSize() - inSegment);
            if (part > 0) {
                taken.add(segment.asSlice(inSegment, part));
            }
            inSegment += part;
            left -= part;
            if (inSegment == segment.byteSize()) {
                index++;
                inSegment = 0;
            }
        }
        doneBytes += bytes;
        return taken;
    }

    /// The next so many bytes become zeroes.
    public void fillZeroes(long bytes) {
        for (MemorySegment segment : take(bytes)) {
            var _ = segment.fill((byte) 0);
        }
    }
}

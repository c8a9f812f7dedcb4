package org.jvirt.images.qcow2;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/// Memory in several pieces, treated as one.
final class Segments {
    private Segments() {}

    static long size(List<MemorySegment> segments) {
        if (segments.size() == 1) {
            return segments.getFirst().byteSize();
        }
        long sum = 0;
        for (MemorySegment segment : segments) {
            sum += segment.byteSize();
        }
        return sum;
    }

    /// A part; all of it is the list itself.
    static List<MemorySegment> slice(List<MemorySegment> segments, long from, long length) {
        if (segments.size() == 1) {
            MemorySegment only = segments.getFirst();
            return from == 0 && length == only.byteSize() ? segments : List.of(only.asSlice(from, length));
        }
        if (from == 0 && length == size(segments)) {
            return segments;
        }
        List<MemorySegment> part = new ArrayList<>(segments.size());
        long at = 0;
        for (MemorySegment segment : segments) {
            long start = Math.max(from, at);
            long end = Math.min(from + length, at + segment.byteSize());
            if (start < end) {
                part.add(segment.asSlice(start - at, end - start));
            }
            at += segment.byteSize();
        }
        return part;
    }

    static void clear(List<MemorySegment> segments, long from, long length) {
        for (MemorySegment segment : slice(segments, from, length)) {
            segment.fill((byte) 0);
        }
    }

    /// Copies `source` to the pieces, from their byte `at` on.
    static void scatter(MemorySegment source, List<MemorySegment> into, long at) {
        long done = 0;
        for (MemorySegment segment : slice(into, at, source.byteSize())) {
            segment.copyFrom(source.asSlice(done, segment.byteSize()));
            done += segment.byteSize();
        }
    }

    static void gather(List<MemorySegment> from, MemorySegment into) {
        long done = 0;
        for (MemorySegment segment : from) {
            into.asSlice(done, segment.byteSize()).copyFrom(segment);
            done += segment.byteSize();
        }
    }
}

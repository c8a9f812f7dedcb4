package org.jvirt.images.file;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.List;

/// The bytes in which an image format is laid out: a host file, a recorder of a test, a network disk.
///
/// Thread-safe: all access is positional, and writes that do not overlap may be under way at once. A write is
/// durable once a later [#flush] has returned; until then, a crash may lose any of them, in any order. Segments may
/// be of native or heap memory.
public interface ImageFile extends AutoCloseable {
    /// For messages, and to resolve relative names against: the path or URI.
    String name();

    boolean readOnly();

    /// The size now.
    long sizeBytes() throws IOException;

    /// What the host has allotted.
    long allocatedBytes() throws IOException;

    /// Fills all segments, in order.
    ///
    /// @throws java.io.EOFException if the file ends before
    void read(long offsetBytes, List<MemorySegment> into) throws IOException;

    /// As [#read], but bytes behind the end are zeroes.
    void readPadded(long offsetBytes, List<MemorySegment> into) throws IOException;

    /// Writes all segments, in order; the file grows as needed.
    void write(long offsetBytes, List<MemorySegment> from) throws IOException;

    /// Makes the range read as zeroes; the file grows as needed.
    ///
    /// @param mayUnmap whether the host may take the space back
    void writeZeroes(long offsetBytes, long lengthBytes, boolean mayUnmap) throws IOException;

    /// Gives the space back where the host can; afterwards the range reads as zeroes or as before.
    void discard(long offsetBytes, long lengthBytes) throws IOException;

    /// Reserves space, so that later writes to the range do not find the host's disk full; the file grows as
    /// needed.
    void allocate(long offsetBytes, long lengthBytes) throws IOException;

    void truncate(long sizeBytes) throws IOException;

    /// Makes all finished writes, and the size, durable.
    void flush() throws IOException;

    /// The first byte from `offsetBytes` on that may hold data; the file's size if there is none.
    long nextData(long offsetBytes) throws IOException;

    /// The first byte from `offsetBytes` on that is in a hole; the file's size if there is none.
    long nextHole(long offsetBytes) throws IOException;

    /// A run of bytes that are all in a hole, or all may hold data.
    record Stretch(long lengthBytes, boolean hole) {}

    /// The stretch at `offsetBytes`, which lies in the file: at least one byte, at most `limitBytes`.
    default Stretch stretch(long offsetBytes, long limitBytes) throws IOException {
        long data = nextData(offsetBytes);
        if (data > offsetBytes) {
            return new Stretch(Math.min(limitBytes, data - offsetBytes), true);
        }
        long hole = nextHole(offsetBytes);
        // In a file that has shrunk there is neither; reading it is to tell what has happened.
        return new Stretch(hole > offsetBytes ? Math.min(limitBytes, hole - offsetBytes) : limitBytes, false);
    }

    @Override
    void close() throws IOException;

    default void read(long offsetBytes, MemorySegment into) throws IOException {
        read(offsetBytes, List.of(into));
    }

    default void readPadded(long offsetBytes, MemorySegment into) throws IOException {
        readPadded(offsetBytes, List.of(into));
    }

    default void write(long offsetBytes, MemorySegment from) throws IOException {
        write(offsetBytes, List.of(from));
    }
}

package org.jvirt.images.tool;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.jvirt.images.format.DiskImage;

/// Copies a part of a disk to the start of another.
public final class RangeCopy {
    private static final int PIECE_BYTES = 1 << 20;

    private RangeCopy() {}

    /// @param target reads as zeroes now
    public static void copy(DiskImage source, long offsetBytes, long lengthBytes, DiskImage target) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment buffer = arena.allocate(PIECE_BYTES, 4096);
            for (long done = 0; done < lengthBytes; ) {
                BlockStatus status = ChainMap.at(source, offsetBytes + done, lengthBytes - done);
                long length = status.lengthBytes();
                if (status.data()) {
                    length = Math.min(length, PIECE_BYTES);
                    MemorySegment part = buffer.asSlice(0, length);
                    source.read(offsetBytes + done, List.of(part));
                    target.write(done, List.of(part));
                }
                done += length;
            }
        }
    }
}

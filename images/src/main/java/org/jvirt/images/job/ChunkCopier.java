package org.jvirt.images.job;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.jvirt.core.BlockBackend;
import org.jvirt.images.format.DiskImage;
import org.jvirt.images.tool.BlockStatus;
import org.jvirt.images.tool.ChainMap;

/// Copies pieces of one disk to the same place of another. Immutable; each thread brings its own buffer.
///
/// @param targetIsZero whether the target reads as zeroes where nothing was copied
/// @param compress     whether whole clusters are written compressed
record ChunkCopier(BlockBackend source, DiskImage target, boolean targetIsZero, boolean compress) {
    /// Enough for the host to work at full speed.
    static final int MAX_BYTES = 1 << 20;

    /// Tells which side an error is of.
    static final class SourceException extends IOException {
        private static final long serialVersionUID = 1L;

        SourceException(IOException cause) {
            super(cause.getMessage(), cause);
        }
    }

    void copy(long offsetBytes, long lengthBytes, MemorySegment buffer) throws IOException {
        long end = offsetBytes + lengthBytes;
        for (long at = offsetBytes; at < end; ) {
            long length = Math.min(end - at, buffer.byteSize());
            if (source instanceof DiskImage image && !compress) {
                BlockStatus status = status(image, at, end - at);
                if (status.zero()) {
                    if (!targetIsZero) {
                        target.writeZeroes(at, status.lengthBytes(), true);
                    }
                    at += status.lengthBytes();
                    continue;
                }
                length = Math.min(length, status.lengthBytes());
            }
            MemorySegment part = buffer.asSlice(0, length);
            read(at, part);
            if (compress) {
                writeCompressed(at, part);
            } else {
                target.write(at, List.of(part));
            }
            at += length;
        }
    }

    private static BlockStatus status(DiskImage image, long at, long limit) throws IOException {
        try {
            return ChainMap.at(image, at, limit);
        } catch (IOException e) {
            throw new SourceException(e);
        }
    }

    private void read(long at, MemorySegment part) throws IOException {
        try {
            source.read(at, List.of(part));
        } catch (IOException e) {
            throw new SourceException(e);
        }
    }

    private void writeCompressed(long offset, MemorySegment content) throws IOException {
        long cluster = target.clusterBytes();
        for (long done = 0; done < content.byteSize(); done += cluster) {
            target.writeCompressed(offset + done, content.asSlice(done, Math.min(cluster, content.byteSize() - done)));
        }
    }
}

package org.jvirt.images.tool;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.jvirt.images.format.DiskImage;
import org.jvirt.images.format.ImageSnapshots;

/// What a copy is made of. Thread-safe.
public sealed interface CopySource {
    /// An image as it is now.
    record OfImage(DiskImage image) implements CopySource {}

    /// One of its internal snapshots.
    record OfSnapshot(DiskImage image, ImageSnapshots snapshots, String idOrName, long sizeBytes)
            implements CopySource {}

    /// Several, one behind the other.
    record Joined(List<OfImage> parts) implements CopySource {
        public Joined {
            parts = List.copyOf(parts);
        }
    }

    static CopySource of(List<DiskImage> images) {
        return images.size() == 1
                ? new OfImage(images.getFirst())
                : new Joined(images.stream().map(OfImage::new).toList());
    }

    default long length() {
        return switch (this) {
            case OfImage(DiskImage image) -> image.sizeBytes();
            case OfSnapshot snapshot -> snapshot.sizeBytes();
            case Joined(List<OfImage> parts) ->
                parts.stream().mapToLong(CopySource::length).sum();
        };
    }

    /// A run of bytes to be copied alike.
    ///
    /// @param kind what is known of them
    record Run(long lengthBytes, Kind kind) {}

    /// What is known of bytes before they are read.
    enum Kind {
        DATA,
        ZERO,
        /// The source's first layer does not have them.
        BELOW
    }

    /// @param topOnly whether to look at the first layer only
    default Run run(long offsetBytes, long limitBytes, boolean topOnly) throws IOException {
        switch (this) {
            case OfImage(DiskImage image) -> {
                BlockStatus status = ChainMap.at(image, offsetBytes, limitBytes, topOnly ? 1 : Integer.MAX_VALUE);
                Kind kind = topOnly && !status.present() ? Kind.BELOW : status.zero() ? Kind.ZERO : Kind.DATA;
                return new Run(status.lengthBytes(), kind);
            }
            case OfSnapshot snapshot -> {
                return new Run(Math.min(limitBytes, snapshot.sizeBytes() - offsetBytes), Kind.DATA);
            }
            case Joined(List<OfImage> parts) -> {
                long start = 0;
                for (OfImage part : parts) {
                    long end = start + part.length();
                    if (offsetBytes < end) {
                        return part.run(offsetBytes - start, Math.min(limitBytes, end - offsetBytes), topOnly);
                    }
                    start = end;
                }
                throw new IOException("Nothing to copy at %d: the source ends before".formatted(offsetBytes));
            }
        }
    }

    default void read(long offsetBytes, MemorySegment into) throws IOException {
        switch (this) {
            case OfImage(DiskImage image) -> image.read(offsetBytes, List.of(into));
            case OfSnapshot snapshot -> snapshot.snapshots().read(snapshot.idOrName(), offsetBytes, List.of(into));
            case Joined(List<OfImage> parts) -> {
                long start = 0;
                long done = 0;
                for (OfImage part : parts) {
                    long end = start + part.length();
                    long at = offsetBytes + done;
                    if (at < end && done < into.byteSize()) {
                        long length = Math.min(end - at, into.byteSize() - done);
                        part.read(at - start, into.asSlice(done, length));
                        done += length;
                    }
                    start = end;
                }
            }
        }
    }
}

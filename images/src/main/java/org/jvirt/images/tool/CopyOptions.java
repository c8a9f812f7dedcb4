package org.jvirt.images.tool;

/// How a copy is made.
///
/// @param compress       whether clusters are written compressed
/// @param sparseBytes    runs of zeroes of at least this length become holes; 0 writes everything, holes as well
/// @param targetIsZero   whether the target reads as zeroes now
/// @param topOnly        whether only the source's first layer is copied, because the target has what is below
/// @param threads        how many read, compress and write at once
/// @param outOfOrder     whether they write as soon as they can instead of in the order of the disk
/// @param salvage        whether what cannot be read becomes zeroes instead of ending the copy
/// @param bytesPerSecond 0 for no limit
public record CopyOptions(
        boolean compress,
        long sparseBytes,
        boolean targetIsZero,
        boolean topOnly,
        int threads,
        boolean outOfOrder,
        boolean salvage,
        long bytesPerSecond) {
    /// As `qemu-img convert` does without options.
    public static final long DEFAULT_SPARSE_BYTES = 4096;

    public CopyOptions {
        if (threads < 1 || sparseBytes < 0) {
            throw new IllegalArgumentException(
                    "No copy: %d threads, holes of %d bytes".formatted(threads, sparseBytes));
        }
    }
}

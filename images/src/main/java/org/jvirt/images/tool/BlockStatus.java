package org.jvirt.images.tool;

import java.util.OptionalLong;
import org.jvirt.images.format.DiskImage;
import org.jvirt.images.format.Extent;

/// A run of a disk's bytes that one layer of its chain decides about.
///
/// @param layer   the one that has the bytes, or the last one looked at
/// @param depth   how far below the top it is
/// @param present whether a layer has them, as data or as zeroes; without, they are zeroes because none has
/// @param zero    whether they are known to be zeroes
@SuppressWarnings("ReferenceEquality") // the layer itself
public record BlockStatus(
        long offsetBytes,
        long lengthBytes,
        DiskImage layer,
        int depth,
        boolean present,
        boolean zero,
        boolean compressed,
        OptionalLong hostOffsetBytes) {
    static BlockStatus of(Extent extent, DiskImage layer, int depth) {
        return new BlockStatus(
                extent.offsetBytes(),
                extent.lengthBytes(),
                layer,
                depth,
                extent.state() != Extent.State.ABSENT,
                extent.state() != Extent.State.DATA,
                extent.compressed(),
                extent.hostOffsetBytes());
    }

    /// Whether there are bytes to be read.
    public boolean data() {
        return !zero;
    }

    public long end() {
        return offsetBytes + lengthBytes;
    }

    /// Whether `next`, which follows this, is stored in the same way and place.
    boolean continuesIn(BlockStatus next) {
        return layer == next.layer
                && depth == next.depth
                && present == next.present
                && zero == next.zero
                && compressed == next.compressed
                && hostOffsetBytes.isPresent() == next.hostOffsetBytes.isPresent()
                && (hostOffsetBytes.isEmpty()
                        || hostOffsetBytes.getAsLong() + lengthBytes == next.hostOffsetBytes.getAsLong());
    }

    BlockStatus joined(BlockStatus next) {
        return new BlockStatus(
                offsetBytes, lengthBytes + next.lengthBytes, layer, depth, present, zero, compressed, hostOffsetBytes);
    }
}

package org.jvirt.images.tool;

import java.io.IOException;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Consumer;
import org.jvirt.images.format.DiskImage;
import org.jvirt.images.format.Extent;

/// Tells which layer of a chain has which bytes. Thread-safe.
public final class ChainMap {
    private ChainMap() {}

    /// What is known of the bytes from `offsetBytes` on, for at most `limitBytes`.
    public static BlockStatus at(DiskImage top, long offsetBytes, long limitBytes) throws IOException {
        return at(top, offsetBytes, limitBytes, Integer.MAX_VALUE);
    }

    /// As [#at(DiskImage, long, long)], but looks at the first `layers` layers only.
    public static BlockStatus at(DiskImage top, long offsetBytes, long limitBytes, int layers) throws IOException {
        DiskImage layer = top;
        long limit = Math.min(limitBytes, top.sizeBytes() - offsetBytes);
        for (int depth = 0; ; depth++) {
            Extent extent = layer.extent(offsetBytes, limit);
            Optional<DiskImage> below = layer.backing();
            if (extent.state() != Extent.State.ABSENT || below.isEmpty() || depth + 1 >= layers) {
                return BlockStatus.of(extent, layer, depth);
            }
            limit = extent.lengthBytes();
            if (offsetBytes >= below.get().sizeBytes()) {
                // Behind the end of a shorter layer below there are zeroes, of this layer's making.
                return new BlockStatus(offsetBytes, limit, layer, depth, false, true, false, OptionalLong.empty());
            }
            limit = Math.min(limit, below.get().sizeBytes() - offsetBytes);
            layer = below.get();
        }
    }

    /// All runs of a range, in order, each as long as it can be.
    public static void runs(DiskImage top, long startBytes, long endBytes, Consumer<BlockStatus> each)
            throws IOException {
        long at = startBytes;
        long end = Math.min(endBytes, top.sizeBytes());
        Optional<BlockStatus> open = Optional.empty();
        while (at < end) {
            BlockStatus next = at(top, at, end - at);
            at = next.end();
            if (open.isPresent() && open.get().continuesIn(next)) {
                open = Optional.of(open.get().joined(next));
            } else {
                open.ifPresent(each);
                open = Optional.of(next);
            }
        }
        open.ifPresent(each);
    }
}

package org.jvirt.images.format;

import java.util.OptionalLong;

/// A run of an image's bytes that are stored alike, as one layer of a backing chain sees it.
///
/// @param hostOffsetBytes where the bytes lie unchanged in the layer's own file, if they do
/// @param compressed      whether they are stored compressed
public record Extent(
        long offsetBytes, long lengthBytes, State state, OptionalLong hostOffsetBytes, boolean compressed) {
    /// How a run is stored.
    public enum State {
        /// The layer holds the bytes.
        DATA,
        /// The layer says that they are zeroes, and stores none.
        ZERO,
        /// As [#ZERO], but space in the file is kept for them.
        ZERO_ALLOCATED,
        /// The layer says nothing: the layer below decides, and without one they are zeroes.
        ABSENT
    }

    public Extent {
        if (offsetBytes < 0 || lengthBytes <= 0) {
            throw new IllegalArgumentException("No extent: %d bytes at %d".formatted(lengthBytes, offsetBytes));
        }
    }

    public static Extent of(long offsetBytes, long lengthBytes, State state) {
        return new Extent(offsetBytes, lengthBytes, state, OptionalLong.empty(), false);
    }

    public static Extent data(long offsetBytes, long lengthBytes, long hostOffsetBytes) {
        return new Extent(offsetBytes, lengthBytes, State.DATA, OptionalLong.of(hostOffsetBytes), false);
    }

    public long end() {
        return offsetBytes + lengthBytes;
    }
}

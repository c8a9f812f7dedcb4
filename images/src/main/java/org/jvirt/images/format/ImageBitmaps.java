package org.jvirt.images.format;

import java.io.IOException;
import java.util.List;

/// The dirty bitmaps kept in an image: which parts of the disk have been written since a bitmap began. Thread-safe.
public interface ImageBitmaps {
    /// @param granularityBytes what one bit stands for
    /// @param enabled          whether writes are recorded in it
    /// @param inconsistent     whether it missed writes; such a bitmap can only be removed
    /// @param dirtyBytes       what its bits stand for, in whole granules; 0 if it is inconsistent
    record Bitmap(String name, long granularityBytes, boolean enabled, boolean inconsistent, long dirtyBytes) {}

    List<Bitmap> list();

    /// @param granularityBytes a power of two, 0 for the format's choice
    /// @throws org.jvirt.core.UserErrorException if the name is taken, or a value is out of range
    void add(String name, long granularityBytes, boolean enabled) throws IOException;

    /// @throws org.jvirt.core.UserErrorException if there is none of this name, as with all below
    void remove(String name) throws IOException;

    /// Forgets what was recorded.
    void clear(String name) throws IOException;

    void enable(String name) throws IOException;

    void disable(String name) throws IOException;

    /// Sets in `target` what is set in `source`, a bitmap of this image or another.
    void merge(String target, ImageBitmaps from, String source) throws IOException;

    /// The next run of dirty bytes that ends behind `fromBytes`, in whole granules cut at the end of the disk.
    ///
    /// @return offset and length, or an empty array if nothing follows
    long[] nextDirty(String name, long fromBytes);

    /// Makes a bitmap hold these runs and nothing else, in one step: after a crash it holds what it held before, or
    /// these.
    ///
    /// @param runs offset and length each
    void set(String name, List<long[]> runs) throws IOException;

    /// Records that a range is dirty, whether the bitmap is enabled or not.
    void mark(String name, long offsetBytes, long lengthBytes) throws IOException;
}

package org.jvirt.images.format;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.time.Instant;
import java.util.List;
import java.util.OptionalLong;

/// The internal snapshots of an image. Thread-safe; all but [#list] and the VM state wait for requests under way.
///
/// Where a snapshot is asked for by a text, that is its id or, when no id is like it, its name.
public interface ImageSnapshots {
    /// In the order in which they were made.
    List<ImageInfo.Snapshot> list();

    /// Keeps the disk as it is now, with what was written by [#writeVmState] before.
    ///
    /// @param vmStateBytes how much of the VM state belongs to it, 0 for none
    /// @throws org.jvirt.core.UserErrorException if the name is taken or the image has no room for one
    ImageInfo.Snapshot create(
            String name, Instant date, long vmClockNanos, OptionalLong instructions, long vmStateBytes)
            throws IOException;

    /// Makes the disk what it was; its size too, where the format keeps that.
    ///
    /// @throws org.jvirt.core.UserErrorException if there is no such snapshot
    void apply(String idOrName) throws IOException;

    /// @throws org.jvirt.core.UserErrorException if there is no such snapshot
    void delete(String idOrName) throws IOException;

    /// Writes to the area behind the disk that holds a saved machine.
    void writeVmState(long offsetBytes, List<MemorySegment> from) throws IOException;

    /// Reads the area behind the disk: what was written, or what came with the snapshot applied last.
    void readVmState(long offsetBytes, List<MemorySegment> into) throws IOException;

    /// Reads the disk, or with offsets from its size on the VM state, as the snapshot kept it.
    void read(String idOrName, long offsetBytes, List<MemorySegment> into) throws IOException;
}

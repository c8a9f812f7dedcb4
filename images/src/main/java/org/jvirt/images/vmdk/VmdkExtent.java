package org.jvirt.images.vmdk;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.jvirt.images.file.ImageFile;
import org.jvirt.images.format.Extent;

/// A part of a disk. Thread-safe. Offsets count from the start of the part.
sealed interface VmdkExtent permits StoredExtent, CompressedExtent {
    long lengthBytes();

    void read(long offsetBytes, List<MemorySegment> into) throws IOException;

    void write(long offsetBytes, List<MemorySegment> from) throws IOException;

    void writeZeroes(long offsetBytes, long lengthBytes, boolean mayUnmap) throws IOException;

    Extent extent(long offsetBytes, long limitBytes) throws IOException;

    /// Before the first write.
    void begin() throws IOException;

    void flush() throws IOException;

    /// Its grains, where it has them.
    SparseMap.Findings examine() throws IOException;

    ImageFile file();

    /// How long its grains are; 1 where it has none.
    long grainBytes();

    /// As `qemu-img info` names it.
    String type();
}

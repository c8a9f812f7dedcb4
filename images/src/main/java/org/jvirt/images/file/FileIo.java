package org.jvirt.images.file;

import java.io.IOException;
import java.lang.foreign.MemorySegment;

/// How bytes get from memory of any kind into a file and back. Thread-safe.
sealed interface FileIo permits BufferedIo, DirectIo {
    /// Fills the segment as far as the file reaches.
    ///
    /// @return how many bytes that were
    long read(long offsetBytes, MemorySegment into) throws IOException;

    /// Writes the whole segment; the file grows as needed.
    void write(long offsetBytes, MemorySegment from) throws IOException;
}

package org.jvirt.images.blocks;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.jvirt.images.file.ImageFile;

/// Bytes of metadata that are to be written.
public record Patch(long offsetBytes, byte[] bytes) {
    public static void writeAll(ImageFile file, List<Patch> patches) throws IOException {
        for (Patch patch : patches) {
            file.write(patch.offsetBytes, MemorySegment.ofArray(patch.bytes));
        }
    }
}

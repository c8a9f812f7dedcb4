package org.jvirt.images.qcow2;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.jvirt.images.file.ImageFile;

/// Bytes that are to be written to a place of the file. The array is not to be changed.
record Patch(long offset, byte[] bytes) {
    private static final int MAX_COALESCED_BYTES = 1 << 20;

    /// Writes all, neighbours together.
    static void writeAll(ImageFile file, List<Patch> patches) throws IOException {
        List<Patch> sorted = new ArrayList<>(patches);
        sorted.sort(Comparator.comparingLong(Patch::offset));
        List<MemorySegment> run = new ArrayList<>();
        long start = 0;
        long end = 0;
        for (Patch patch : sorted) {
            if (!run.isEmpty() && (patch.offset != end || end - start > MAX_COALESCED_BYTES)) {
                file.write(start, List.copyOf(run));
                run.clear();
            }
            if (run.isEmpty()) {
                start = patch.offset;
                end = start;
            }
            run.add(MemorySegment.ofArray(patch.bytes));
            end += patch.bytes.length;
        }
        if (!run.isEmpty()) {
            file.write(start, run);
        }
    }

    @Override
    public boolean equals(Object other) {
        return this == other;
    }

    @Override
    public int hashCode() {
        return System.identityHashCode(this);
    }
}

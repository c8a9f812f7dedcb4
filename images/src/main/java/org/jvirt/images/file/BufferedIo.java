package org.jvirt.images.file;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import org.jvirt.linux.PositionalFile;

/// Through the host's page cache.
record BufferedIo(PositionalFile file) implements FileIo {
    @Override
    public long read(long offsetBytes, MemorySegment into) throws IOException {
        if (into.isNative()) {
            return fill(offsetBytes, into);
        }
        MemorySegment bounce = BounceBuffers.take();
        try {
            long done = 0;
            while (done < into.byteSize()) {
                long part = Math.min(into.byteSize() - done, BounceBuffers.BYTES);
                long count = fill(offsetBytes + done, bounce.asSlice(0, part));
                MemorySegment.copy(bounce, 0, into, done, count);
                done += count;
                if (count < part) {
                    break;
                }
            }
            return done;
        } finally {
            BounceBuffers.giveBack(bounce);
        }
    }

    private long fill(long offsetBytes, MemorySegment into) throws IOException {
        long done = file.read(offsetBytes, into);
        while (done < into.byteSize()) {
            long count = file.read(offsetBytes + done, into.asSlice(done));
            if (count == 0) {
                break;
            }
            done += count;
        }
        return done;
    }

    @Override
    public void write(long offsetBytes, MemorySegment from) throws IOException {
        if (from.isNative()) {
            drain(offsetBytes, from);
            return;
        }
        MemorySegment bounce = BounceBuffers.take();
        try {
            long done = 0;
            while (done < from.byteSize()) {
                long part = Math.min(from.byteSize() - done, BounceBuffers.BYTES);
                MemorySegment.copy(from, done, bounce, 0, part);
                drain(offsetBytes + done, bounce.asSlice(0, part));
                done += part;
            }
        } finally {
            BounceBuffers.giveBack(bounce);
        }
    }

    private void drain(long offsetBytes, MemorySegment from) throws IOException {
        long done = file.write(offsetBytes, from);
        while (done < from.byteSize()) {
            done += file.write(offsetBytes + done, from.asSlice(done));
        }
    }
}

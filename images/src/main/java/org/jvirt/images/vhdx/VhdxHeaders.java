package org.jvirt.images.vhdx;

import static org.jvirt.images.blocks.HeaderReader.broken;
import static org.jvirt.images.blocks.HeaderReader.unsupported;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.jvirt.images.blocks.HeaderReader;
import org.jvirt.images.file.ImageFile;

/// The two headers of a file, of which the valid one with the greater number counts. A change goes to the other one
/// first, so that one is always valid. Not thread-safe.
final class VhdxHeaders {
    static final byte[] FILE_SIGNATURE = {'v', 'h', 'd', 'x', 'f', 'i', 'l', 'e'};
    static final long[] OFFSETS = {64 << 10, 128 << 10};
    private static final long LOG_UNIT_BYTES = 1 << 20;

    private final ImageFile file;
    private VhdxHeader current;
    private int currentIndex;

    private VhdxHeaders(ImageFile file, VhdxHeader current, int currentIndex) {
        this.file = file;
        this.current = current;
        this.currentIndex = currentIndex;
    }

    static VhdxHeaders read(ImageFile file) throws IOException {
        if (!Arrays.equals(HeaderReader.readBytes(file, 0, FILE_SIGNATURE.length), FILE_SIGNATURE)) {
            throw broken(file, "it is no VHDX");
        }
        @Nullable VhdxHeader best = null;
        int bestIndex = 0;
        int logVersion = 0;
        for (int i = 0; i < OFFSETS.length; i++) {
            ByteBuffer in = HeaderReader.read(file, OFFSETS[i], VhdxHeader.BYTES, ByteOrder.LITTLE_ENDIAN);
            if (VhdxHeader.matches(in)) {
                VhdxHeader header = VhdxHeader.parse(in);
                if (best == null || Long.compareUnsigned(header.sequenceNumber(), best.sequenceNumber()) > 0) {
                    best = header;
                    bestIndex = i;
                    logVersion = VhdxHeader.logVersion(in);
                }
            }
        }
        if (best == null) {
            throw broken(file, "neither of its headers is valid");
        }
        if (logVersion != 0) {
            throw unsupported(file, "a log of version %d, only 0".formatted(logVersion));
        }
        long size = file.sizeBytes();
        if (best.logLength() == 0
                || best.logLength() % LOG_UNIT_BYTES != 0
                || best.logOffset() % LOG_UNIT_BYTES != 0
                || best.logOffset() < LOG_UNIT_BYTES
                || best.logOffset() > size - best.logLength()) {
            throw broken(
                    file,
                    "a log of %d bytes at %s is not inside of the file"
                            .formatted(best.logLength(), Long.toUnsignedString(best.logOffset())));
        }
        return new VhdxHeaders(file, best, bestIndex);
    }

    VhdxHeader current() {
        return current;
    }

    /// Makes both headers say the same, one after the other.
    void change(VhdxHeader changed) throws IOException {
        for (int i = 0; i < OFFSETS.length; i++) {
            VhdxHeader next = changed.withNumber(current.sequenceNumber() + 1);
            int index = 1 - currentIndex;
            file.write(OFFSETS[index], MemorySegment.ofArray(next.encode()));
            file.flush();
            current = next;
            currentIndex = index;
        }
    }
}

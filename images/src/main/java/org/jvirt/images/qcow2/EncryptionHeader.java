package org.jvirt.images.qcow2;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import org.jvirt.images.file.ImageFile;
import org.jvirt.images.luks.LuksVolume;

/// The clusters that hold a LUKS header, as the header extension says.
///
/// @param offset of the first byte in the file
/// @param length as written; the clusters may hold more
record EncryptionHeader(ImageFile file, long offset, long length) implements LuksVolume.Area {
    static EncryptionHeader of(Qcow2Header header, ImageFile file) throws IOException {
        byte[] pointer = header.extension(HeaderExtension.ENCRYPTION)
                .filter(data -> data.length >= 16)
                .orElseThrow(() -> Qcow2Header.unsound(file.name(), "it is encrypted and names no encryption header"));
        ByteBuffer in = ByteBuffer.wrap(pointer);
        long offset = in.getLong(0);
        long length = in.getLong(8);
        if (header.geometry().inCluster(offset) != 0
                || offset <= 0
                || length <= 0
                || length > file.sizeBytes()
                || offset > file.sizeBytes() - length) {
            throw Qcow2Header.unsound(
                    file.name(), "its encryption header of %d bytes is at 0x%x".formatted(length, offset));
        }
        return new EncryptionHeader(file, offset, length);
    }

    @Override
    public void read(long at, MemorySegment into) throws IOException {
        bound(at, into.byteSize());
        file.read(offset + at, into);
    }

    @Override
    public void write(long at, MemorySegment from) throws IOException {
        bound(at, from.byteSize());
        file.write(offset + at, from);
    }

    @Override
    public void flush() throws IOException {
        file.flush();
    }

    private void bound(long at, long bytes) throws IOException {
        if (at < 0 || at > length - bytes) {
            throw new IOException("The encryption header of %s has %d bytes, and %d at %d are wanted"
                    .formatted(file.name(), length, bytes, at));
        }
    }
}

package org.jvirt.images.blocks;

import java.io.EOFException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.jvirt.core.UserErrorException;
import org.jvirt.images.file.ImageFile;

/// Reads headers, and says what is wrong with an image.
public final class HeaderReader {
    private HeaderReader() {}

    /// @throws UserErrorException if the file ends before
    public static ByteBuffer read(ImageFile file, long offsetBytes, int lengthBytes, ByteOrder order)
            throws IOException {
        return ByteBuffer.wrap(readBytes(file, offsetBytes, lengthBytes)).order(order);
    }

    /// @throws UserErrorException if the file ends before
    public static byte[] readBytes(ImageFile file, long offsetBytes, int lengthBytes) throws IOException {
        byte[] bytes = new byte[lengthBytes];
        try {
            file.read(offsetBytes, MemorySegment.ofArray(bytes));
        } catch (EOFException e) {
            throw new UserErrorException(
                    "%s: the image is truncated: it ends before byte %d"
                            .formatted(file.name(), offsetBytes + lengthBytes),
                    e);
        }
        return bytes;
    }

    /// An image that is not sound.
    public static UserErrorException broken(ImageFile file, String what) {
        return new UserErrorException("%s: the image is broken: %s".formatted(file.name(), what));
    }

    /// An image that needs what is not there.
    public static UserErrorException unsupported(ImageFile file, String what) {
        return new UserErrorException("%s: not supported: %s".formatted(file.name(), what));
    }

    /// Closes what was taken over by an opener that fails.
    public static void closeAfter(AutoCloseable taken, Throwable failure) {
        try {
            taken.close();
        } catch (Exception e) {
            failure.addSuppressed(e);
        }
    }
}

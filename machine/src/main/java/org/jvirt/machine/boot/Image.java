package org.jvirt.machine.boot;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.StandardOpenOption;
import org.jvirt.core.GuestMemory;
import org.jvirt.core.HostFailureException;
import org.jvirt.core.UserErrorException;

/// A kernel file, little-endian, with checked access: leaving the file means it is truncated.
///
/// It stays in the file, which is open as long as this is in use: a machine needs it again only when it is reset,
/// and then gets the same one even if another has taken its name. Not thread-safe.
final class Image {
    private static final int WINDOW_BYTES = 8192;

    private final HostFile file;
    /// Closed by its cleaner, as it is used for as long as anybody has this.
    private final FileChannel channel;

    private final ByteBuffer window = ByteBuffer.allocate(WINDOW_BYTES);
    private long windowAt = -WINDOW_BYTES;

    Image(HostFile file) {
        this.file = file;
        try {
            channel = FileChannel.open(file.path(), StandardOpenOption.READ);
        } catch (IOException e) {
            throw new UserErrorException(
                    "The %s '%s' cannot be read: %s".formatted(file.what(), file.path(), e.getMessage()), e);
        }
    }

    HostFile file() {
        return file;
    }

    long sizeBytes() {
        return file.sizeBytes();
    }

    int u8(long offset) {
        check(offset, 1);
        if (offset < windowAt || offset >= windowAt + WINDOW_BYTES) {
            windowAt = offset & -WINDOW_BYTES;
            read(windowAt, window.clear().limit((int) Math.min(WINDOW_BYTES, sizeBytes() - windowAt)));
        }
        return window.get((int) (offset - windowAt)) & 0xff;
    }

    int u16(long offset) {
        return u8(offset) | u8(offset + 1) << 8;
    }

    int i32(long offset) {
        return u16(offset) | u16(offset + 2) << 16;
    }

    long u32(long offset) {
        return i32(offset) & 0xffff_ffffL;
    }

    long u64(long offset) {
        return u32(offset) | u32(offset + 4) << 32;
    }

    /// A few of its bytes.
    byte[] bytes(long offset, int length) {
        check(offset, length);
        byte[] bytes = new byte[length];
        read(offset, ByteBuffer.wrap(bytes));
        return bytes;
    }

    /// Reads a part into guest memory.
    ///
    /// @throws HostFailureException if that fails or the file has become shorter
    void copyTo(GuestMemory memory, long gpa, long offset, long length) {
        check(offset, length);
        file.copyTo(channel, memory, gpa, offset, length);
    }

    private void read(long at, ByteBuffer into) {
        try {
            file.read(channel, at, into);
        } catch (IOException e) {
            throw file.unreadable(e);
        }
    }

    boolean has(long offset, long length) {
        return offset >= 0 && length >= 0 && offset <= sizeBytes() - length;
    }

    /// Makes sure that the file has a part.
    void check(long offset, long length) {
        if (!has(offset, length)) {
            throw new UserErrorException(
                    "The kernel '%s' is truncated: it has %d bytes but refers to 0x%x–0x%x: fetch it again"
                            .formatted(file.path(), sizeBytes(), offset, offset + length));
        }
    }
}

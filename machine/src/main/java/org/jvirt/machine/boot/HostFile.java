package org.jvirt.machine.boot;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.jvirt.core.GuestMemory;
import org.jvirt.core.HostFailureException;
import org.jvirt.core.UserErrorException;
import org.jvirt.machine.layout.MemoryMap;

/// A file that the user named for booting.
///
/// @param what what it is to the user: `kernel`, `initrd`
record HostFile(String what, Path path, long sizeBytes) {
    private static final int CHUNK_BYTES = 16 << 20;

    static HostFile of(String what, Path path) {
        if (!Files.exists(path)) {
            throw new UserErrorException("There is no %s '%s': check the path".formatted(what, path));
        }
        if (!Files.isRegularFile(path)) {
            throw new UserErrorException("The %s '%s' is not a file".formatted(what, path));
        }
        if (!Files.isReadable(path)) {
            throw new UserErrorException(
                    "The %s '%s' cannot be read by this user: change its permissions or copy it".formatted(what, path));
        }
        try {
            return new HostFile(what, path, Files.size(path));
        } catch (IOException e) {
            throw new UserErrorException("The %s '%s' cannot be read: %s".formatted(what, path, e.getMessage()), e);
        }
    }

    /// Makes sure that it is not too large for what it is.
    HostFile limited(long limitBytes) {
        if (sizeBytes > limitBytes) {
            throw new UserErrorException("The %s '%s' has %s, more than the %s that one can have"
                    .formatted(what, path, MemoryMap.size(sizeBytes), MemoryMap.size(limitBytes)));
        }
        return this;
    }

    /// All of it; for files of bounded size.
    byte[] content(long limitBytes) {
        try {
            return Files.readAllBytes(limited(limitBytes).path);
        } catch (IOException e) {
            throw new UserErrorException("The %s '%s' cannot be read: %s".formatted(what, path, e.getMessage()), e);
        }
    }

    /// Reads the file into guest memory.
    ///
    /// @throws HostFailureException if it cannot be read or has become shorter
    void copyTo(GuestMemory memory, long gpa) {
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
            copyTo(channel, memory, gpa, 0, sizeBytes);
        } catch (IOException e) {
            throw unreadable(e);
        }
    }

    /// Reads a part of the file, which is open, into guest memory.
    void copyTo(FileChannel channel, GuestMemory memory, long gpa, long offset, long lengthBytes) {
        try {
            for (long done = 0; done < lengthBytes; ) {
                int length = (int) Math.min(lengthBytes - done, CHUNK_BYTES);
                read(
                        channel,
                        offset + done,
                        memory.writeSlice(gpa + done, length).asByteBuffer());
                memory.wasFilled(gpa + done, length);
                done += length;
            }
        } catch (IOException e) {
            throw unreadable(e);
        }
    }

    /// Fills a buffer from the file.
    void read(FileChannel channel, long offset, ByteBuffer into) throws IOException {
        long at = offset;
        while (into.hasRemaining()) {
            int read = channel.read(into, at);
            if (read <= 0) {
                throw new HostFailureException(
                        "The %s '%s' has become shorter: %d bytes are left of %d".formatted(what, path, at, sizeBytes));
            }
            at += read;
        }
    }

    HostFailureException unreadable(IOException e) {
        return new HostFailureException("Cannot read the %s '%s': %s".formatted(what, path, e.getMessage()), e);
    }
}

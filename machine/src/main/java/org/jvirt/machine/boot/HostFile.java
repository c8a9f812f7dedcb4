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

    /// All of it; for files of bounded size.
    byte[] content(long limitBytes) {
        if (sizeBytes > limitBytes) {
            throw new UserErrorException("The %s '%s' has %s, more than the %s that one can have"
                    .formatted(what, path, MemoryMap.size(sizeBytes), MemoryMap.size(limitBytes)));
        }
        try {
            return Files.readAllBytes(path);
        } catch (IOException e) {
            throw new UserErrorException("The %s '%s' cannot be read: %s".formatted(what, path, e.getMessage()), e);
        }
    }

    /// Reads the file into guest memory.
    ///
    /// @throws HostFailureException if it cannot be read or has become shorter
    void copyTo(GuestMemory memory, long gpa) {
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
            long done = 0;
            while (done < sizeBytes) {
                long length = Math.min(sizeBytes - done, CHUNK_BYTES);
                ByteBuffer buffer = memory.writeSlice(gpa + done, length).asByteBuffer();
                int read = channel.read(buffer, done);
                if (read <= 0) {
                    throw new HostFailureException("The %s '%s' has become shorter: %d bytes are left of %d"
                            .formatted(what, path, done, sizeBytes));
                }
                memory.wasFilled(gpa + done, read);
                done += read;
            }
        } catch (IOException e) {
            throw new HostFailureException("Cannot read the %s '%s': %s".formatted(what, path, e.getMessage()), e);
        }
    }
}

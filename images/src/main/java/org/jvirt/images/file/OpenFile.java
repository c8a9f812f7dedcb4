package org.jvirt.images.file;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.HashMap;
import java.util.Map;
import org.jvirt.core.UserErrorException;

/// A channel with its lock, once for each file in this process.
///
/// The host's file locks belong to the process and fall when it closes any of its channels to the file. So all
/// readers in one process share one channel, and a second user is turned away before a second channel exists.
/// Thread-safe.
final class OpenFile {
    private static final int FILE_TYPE = 0170000;
    private static final int REGULAR_FILE = 0100000;
    private static final int BLOCK_DEVICE = 0060000;
    private static final Map<Object, OpenFile> OPEN = new HashMap<>(); // guarded by itself

    private final Object key;
    private final FileChannel channel;
    private final boolean readOnly;
    private int users = 1; // guarded by OPEN

    private OpenFile(Object key, FileChannel channel, boolean readOnly) {
        this.key = key;
        this.channel = channel;
        this.readOnly = readOnly;
    }

    /// @throws UserErrorException if it cannot be opened or somebody else uses it
    static OpenFile acquire(Path path, boolean readOnly) {
        Object key = identify(path);
        synchronized (OPEN) {
            OpenFile present = OPEN.get(key);
            if (present != null) {
                if (!readOnly || !present.readOnly) {
                    throw inUse(path, readOnly);
                }
                present.users++;
                return present;
            }
            FileChannel channel = open(path, readOnly);
            try {
                if (channel.tryLock(0, Long.MAX_VALUE, readOnly) == null) {
                    throw inUse(path, readOnly);
                }
            } catch (OverlappingFileLockException | UserErrorException e) {
                closeQuietly(channel, e);
                throw e instanceof UserErrorException known ? known : inUse(path, readOnly);
            } catch (IOException e) {
                closeQuietly(channel, e);
                throw new UserErrorException("Cannot lock disk %s: %s".formatted(path, reason(e)), e);
            }
            var opened = new OpenFile(key, channel, readOnly);
            OPEN.put(key, opened);
            return opened;
        }
    }

    /// What the file is, whatever its name; turns away what is no file.
    private static Object identify(Path path) {
        try {
            if (Files.isDirectory(path)) {
                throw new UserErrorException("Cannot use %s as a disk: it is a directory".formatted(path));
            }
            int type = (Integer) Files.getAttribute(path, "unix:mode") & FILE_TYPE;
            if (type != REGULAR_FILE && type != BLOCK_DEVICE) {
                throw new UserErrorException(
                        "Cannot use %s as a disk: it is neither a file nor a block device".formatted(path));
            }
            Object key = Files.readAttributes(path, BasicFileAttributes.class).fileKey();
            return key == null ? path.toRealPath() : key;
        } catch (NoSuchFileException e) {
            throw new UserErrorException("Cannot open disk %s: there is no such file".formatted(path), e);
        } catch (IOException e) {
            throw new UserErrorException("Cannot look at disk %s: %s".formatted(path, reason(e)), e);
        }
    }

    private static FileChannel open(Path path, boolean readOnly) {
        try {
            return readOnly
                    ? FileChannel.open(path, StandardOpenOption.READ)
                    : FileChannel.open(path, StandardOpenOption.READ, StandardOpenOption.WRITE);
        } catch (AccessDeniedException e) {
            String remedy = readOnly || !Files.isReadable(path)
                    ? "it may not be read; check its permissions"
                    : "it may not be written; open it read-only, or check its permissions";
            throw new UserErrorException("Cannot open disk %s: %s".formatted(path, remedy), e);
        } catch (IOException e) {
            throw new UserErrorException("Cannot open disk %s: %s".formatted(path, reason(e)), e);
        }
    }

    private static UserErrorException inUse(Path path, boolean readOnly) {
        return new UserErrorException(
                "Cannot use %s as a disk: %s; stop that one, or open the disk read-only in both or with -snapshot"
                        .formatted(path, readOnly ? "another VM writes to it" : "another VM uses it"));
    }

    static String reason(IOException e) {
        if (e instanceof FileSystemException named && named.getReason() != null) {
            return named.getReason();
        }
        String message = e.getMessage();
        return message == null ? e.getClass().getSimpleName() : message;
    }

    private static void closeQuietly(FileChannel channel, Exception cause) {
        try {
            channel.close();
        } catch (IOException e) {
            cause.addSuppressed(e);
        }
    }

    FileChannel channel() {
        return channel;
    }

    /// The last user closes the channel, which ends the lock.
    void release() throws IOException {
        synchronized (OPEN) {
            users--;
            if (users == 0) {
                OPEN.remove(key);
                channel.close();
            }
        }
    }
}

package org.jvirt.images.file;

import java.io.IOException;
import org.jvirt.core.UserErrorException;
import org.jvirt.linux.PositionalFile;
import org.jvirt.linux.PositionalFile.LockKind;

/// The locks by which programs keep out of each other's images, the same as QEMU's (its `block/file-posix.c`): what
/// a program does with an image and what it does not bear of others are shared locks on single bytes.
///
/// ```
/// byte 100 + p   I make use of permission p
/// byte 200 + p   nobody else may make use of permission p
///
/// p = 0 reads consistent data    1 writes    3 changes the size
/// ```
///
/// So a writer holds 100, 101, 103 and 201, 203, and a reader 100 and 201, 203. Whoever has taken his locks looks
/// whether somebody else holds one that excludes them. Locks last until the file is closed.
final class ImageLock {
    private static final long USED = 100;
    private static final long EXCLUDED = 200;
    private static final int CONSISTENT_READ = 0;
    private static final int WRITE = 1;
    private static final int RESIZE = 3;

    private static final int[] READER = {CONSISTENT_READ};
    private static final int[] WRITER = {CONSISTENT_READ, WRITE, RESIZE};
    private static final int[] NOT_BORNE = {WRITE, RESIZE};
    private static final int[] ALL_BORNE = {};

    private ImageLock() {}

    /// @throws UserErrorException if somebody else uses the image in a way that excludes this use
    static void take(PositionalFile file, FileAccess access) throws IOException {
        int[] used = access.readOnly() ? READER : WRITER;
        int[] excluded = access.shared() ? ALL_BORNE : NOT_BORNE;
        for (int permission : used) {
            lock(file, access, USED + permission);
        }
        for (int permission : excluded) {
            lock(file, access, EXCLUDED + permission);
        }
        for (int permission : used) {
            if (file.lockedByOther(EXCLUDED + permission, 1, LockKind.EXCLUSIVE)) {
                throw inUse(file, access);
            }
        }
        for (int permission : excluded) {
            if (file.lockedByOther(USED + permission, 1, LockKind.EXCLUSIVE)) {
                throw inUse(file, access);
            }
        }
    }

    private static void lock(PositionalFile file, FileAccess access, long at) throws IOException {
        if (!file.tryLock(at, 1, LockKind.SHARED)) {
            throw inUse(file, access);
        }
    }

    private static UserErrorException inUse(PositionalFile file, FileAccess access) {
        return new UserErrorException(
                "Cannot use %s as a disk: %s; stop that one, or open the disk read-only in both or with -snapshot"
                        .formatted(
                                file.path(),
                                access.readOnly()
                                        ? "another VM or program writes to it"
                                        : "another VM or program uses it"));
    }
}

package org.jvirt.images.live;

import java.io.IOException;
import org.jspecify.annotations.Nullable;
import org.jvirt.core.UserErrorException;
import org.jvirt.linux.Errno;
import org.jvirt.linux.FileCallException;

/// What becomes of requests that the host failed.
///
/// @param reads  never [ErrorAction#ENOSPC]: reading needs no space
/// @param writes flushes, discards and zeroes too
public record ErrorPolicy(ErrorAction reads, ErrorAction writes) {
    /// As QEMU has it.
    public static final ErrorPolicy DEFAULT = new ErrorPolicy(ErrorAction.REPORT, ErrorAction.ENOSPC);

    public ErrorPolicy {
        if (reads == ErrorAction.ENOSPC) {
            throw new UserErrorException("Read errors can be reported, ignored or stop the machine, not enospc");
        }
    }

    /// What to do about a failure: never [ErrorAction#ENOSPC].
    public ErrorAction reaction(boolean write, IOException failure) {
        ErrorAction action = write ? writes : reads;
        if (action != ErrorAction.ENOSPC) {
            return action;
        }
        return outOfSpace(failure) ? ErrorAction.STOP : ErrorAction.REPORT;
    }

    /// Whether something failed for want of space on the host.
    public static boolean outOfSpace(IOException failure) {
        for (@Nullable Throwable each = failure; each != null; each = each.getCause()) {
            if (each instanceof FileCallException call && call.errno() == Errno.ENOSPC) {
                return true;
            }
        }
        return false;
    }
}

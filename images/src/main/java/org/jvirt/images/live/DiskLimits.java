package org.jvirt.images.live;

import org.jvirt.core.UserErrorException;

/// What a disk may do in a second. Of bytes and of requests there is either one limit for all, or one for each
/// direction.
///
/// @param requestBytes a request that moves more counts as several of this size; 0 counts all alike
public record DiskLimits(
        DiskLimit bytes,
        DiskLimit bytesRead,
        DiskLimit bytesWritten,
        DiskLimit requests,
        DiskLimit readRequests,
        DiskLimit writeRequests,
        long requestBytes) {
    public static final DiskLimits NONE = new DiskLimits(
            DiskLimit.NONE, DiskLimit.NONE, DiskLimit.NONE, DiskLimit.NONE, DiskLimit.NONE, DiskLimit.NONE, 0);

    public DiskLimits {
        check("bytes", bytes, bytesRead, bytesWritten);
        check("requests", requests, readRequests, writeRequests);
        if (requestBytes < 0) {
            throw new UserErrorException("A request that counts once has a size, not %d bytes".formatted(requestBytes));
        }
        boolean counts = requests.limits() || readRequests.limits() || writeRequests.limits();
        if (requestBytes > 0 && !counts) {
            throw new UserErrorException("The size of a request that counts once needs a limit on requests");
        }
    }

    private static void check(String what, DiskLimit all, DiskLimit read, DiskLimit written) {
        if (all.limits() && (read.limits() || written.limits())) {
            throw new UserErrorException(
                    "Limit %s of a disk either together or for each direction, not both".formatted(what));
        }
    }

    /// Plain averages, 0 for none: the arguments of QEMU's `block_set_io_throttle`.
    public static DiskLimits averages(
            long bytes, long bytesRead, long bytesWritten, long requests, long readRequests, long writeRequests) {
        return new DiskLimits(
                DiskLimit.of(bytes),
                DiskLimit.of(bytesRead),
                DiskLimit.of(bytesWritten),
                DiskLimit.of(requests),
                DiskLimit.of(readRequests),
                DiskLimit.of(writeRequests),
                0);
    }

    public boolean limits() {
        return bytes.limits()
                || bytesRead.limits()
                || bytesWritten.limits()
                || requests.limits()
                || readRequests.limits()
                || writeRequests.limits();
    }
}

package org.jvirt.images.tool;

import java.io.IOException;

/// How much of a disk is in use.
public final class ImageUse {
    private ImageUse() {}

    /// The bytes in those units of the disk that hold any data.
    public static long dataBytes(CopySource source, long unitBytes) throws IOException {
        long total = source.length();
        long units = 0;
        long counted = 0;
        for (long at = 0; at < total; ) {
            CopySource.Run run = source.run(at, total - at, false);
            long end = at + run.lengthBytes();
            if (run.kind() == CopySource.Kind.DATA) {
                long first = Math.max(counted, at / unitBytes);
                long behind = (end + unitBytes - 1) / unitBytes;
                units += Math.max(0, behind - first);
                counted = Math.max(counted, behind);
            }
            at = end;
        }
        return Math.min(units * unitBytes, (total + unitBytes - 1) / unitBytes * unitBytes);
    }
}

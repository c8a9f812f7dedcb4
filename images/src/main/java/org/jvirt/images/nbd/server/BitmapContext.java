package org.jvirt.images.nbd.server;

import org.jvirt.images.format.ImageBitmaps;

/// `qemu:dirty-bitmap:NAME`: which blocks a bitmap calls dirty (QEMU's `docs/interop/nbd.txt`).
record BitmapContext(ImageBitmaps bitmaps, String bitmap) implements MetaContext {
    static final String PREFIX = "qemu:dirty-bitmap:";
    private static final int DIRTY = 1;

    @Override
    public String name() {
        return PREFIX + bitmap;
    }

    @Override
    public Status at(long offsetBytes, long limitBytes) {
        long[] run = bitmaps.nextDirty(bitmap, offsetBytes);
        if (run.length == 0 || run[0] >= offsetBytes + limitBytes) {
            return new Status(limitBytes, 0);
        }
        return run[0] > offsetBytes
                ? new Status(run[0] - offsetBytes, 0)
                : new Status(Math.min(limitBytes, run[0] + run[1] - offsetBytes), DIRTY);
    }
}

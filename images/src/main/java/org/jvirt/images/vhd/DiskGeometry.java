package org.jvirt.images.vhd;

/// Cylinders, heads and sectors, as a footer notes them.
record DiskGeometry(int cylinders, int heads, int sectorsPerTrack) {
    /// The largest that fits into a footer; it stands for "larger than can be said".
    static final DiskGeometry MAX = new DiskGeometry(65535, 16, 255);

    long sectors() {
        return (long) cylinders * heads * sectorsPerTrack;
    }

    /// The smallest geometry in the specification's scheme that has at least so many sectors; [#MAX] if none has.
    static DiskGeometry atLeast(long sectors) {
        DiskGeometry geometry = of(sectors);
        long wanted = Math.min(sectors, MAX.sectors());
        for (long tried = wanted + 1; geometry.sectors() < wanted; tried++) {
            geometry = of(tried);
        }
        return geometry;
    }

    /// The specification's scheme, appendix "CHS Calculation"; it rounds down.
    private static DiskGeometry of(long sectors) {
        if (sectors > MAX.sectors()) {
            return MAX;
        }
        if (sectors >= 65535L * 16 * 63) {
            return with(sectors, 16, 255);
        }
        long tracks = sectors / 17;
        int heads = (int) Math.max(4, (tracks + 1023) / 1024);
        if (tracks < heads * 1024L && heads <= 16) {
            return with(sectors, heads, 17);
        }
        return sectors / 31 < 16 * 1024L ? with(sectors, 16, 31) : with(sectors, 16, 63);
    }

    private static DiskGeometry with(long sectors, int heads, int sectorsPerTrack) {
        return new DiskGeometry((int) (sectors / sectorsPerTrack / heads), heads, sectorsPerTrack);
    }
}

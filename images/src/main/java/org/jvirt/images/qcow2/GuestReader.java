package org.jvirt.images.qcow2;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.jvirt.images.format.DiskImage;

/// Reads what the guest sees. Thread-safe; callers are inside the gate.
final class GuestReader {
    private static final int SECTOR_BYTES = 512;

    private final Volume volume;
    private final Geometry geometry;
    private final GuestMap map;
    private final ClusterCompression compression;

    GuestReader(Volume volume, GuestMap map, ClusterCompression compression) {
        this.volume = volume;
        this.geometry = volume.geometry;
        this.map = map;
        this.compression = compression;
    }

    void read(long offset, List<MemorySegment> into) throws IOException {
        long total = Segments.size(into);
        var mapping = new Mapping();
        for (long done = 0; done < total; ) {
            long guest = offset + done;
            map.find(guest, total - done, false, mapping);
            switch (mapping.kind) {
                case DATA -> readData(guest, mapping.host, Segments.slice(into, done, mapping.length));
                case ZERO, ZERO_ALLOCATED -> Segments.clear(into, done, mapping.length);
                case ABSENT -> readBelow(guest, into, done, mapping.length);
                case COMPRESSED -> {
                    MemorySegment cluster = MemorySegment.ofArray(compression.read(mapping.entry));
                    Segments.scatter(cluster.asSlice(geometry.inCluster(guest), mapping.length), into, done);
                }
            }
            done += mapping.length;
        }
    }

    /// How many bytes from `offset` on the layer below has, at most `length`.
    long below(long offset, long length) {
        if (volume.backing().isEmpty()) {
            return 0;
        }
        long end = Math.min(volume.backing().get().sizeBytes(), volume.header.size);
        return Math.clamp(end - offset, 0, length);
    }

    private void readBelow(long guest, List<MemorySegment> into, long done, long length) throws IOException {
        long below = below(guest, length);
        if (below > 0) {
            DiskImage backing = volume.backing().orElseThrow();
            backing.read(guest, Segments.slice(into, done, below));
        }
        if (below < length) {
            Segments.clear(into, done + below, length - below);
        }
    }

    private void readData(long guest, long host, List<MemorySegment> into) throws IOException {
        if (!volume.cipher.encrypted()) {
            volume.data.readPadded(host, into);
            return;
        }
        long total = Segments.size(into);
        long lead = host & SECTOR_BYTES - 1;
        long sectors = (lead + total + SECTOR_BYTES - 1) & -SECTOR_BYTES;
        MemorySegment bounce = MemorySegment.ofArray(new byte[Math.toIntExact(sectors)]);
        volume.data.readPadded(host - lead, bounce);
        volume.cipher.decrypt(volume.file.name(), guest - lead, host - lead, bounce);
        Segments.scatter(bounce.asSlice(lead, total), into, 0);
    }
}

package org.jvirt.images.qcow2;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jvirt.core.UserErrorException;
import org.jvirt.images.file.ImageFile;

/// Writes all counters anew, behind everything in use, and makes the header point to them. The caller is alone.
///
/// ```
/// │ … everything referred to … │ blocks │ table │      then the header's refcount fields, in one write
/// ```
///
/// Only regions with something in use get a block. The old table and blocks are not counted any more.
final class RefcountRebuild {
    private final Volume volume;
    private final ImageFile file;
    private final Geometry geometry;

    /// @param geometry with the width that the new counters are to have
    RefcountRebuild(Volume volume, Geometry geometry) {
        this.volume = volume;
        this.file = volume.file;
        this.geometry = geometry;
    }

    /// @param counts of everything but counters
    void rebuild(ReferenceCounts counts) throws IOException {
        // Behind everything in use, and behind the file: nothing that the present header needs is touched.
        long start = geometry.clusters(file.sizeBytes());
        List<Long> regions = regions(counts);
        long blocks;
        long tableClusters;
        long total = regions.size();
        while (true) {
            tableClusters = geometry.clusters(8 * ((start + total >>> geometry.refcountBlockBits()) + 1));
            long end = start + total + tableClusters;
            long ownRegions = (end - 1 >>> geometry.refcountBlockBits()) - (start >>> geometry.refcountBlockBits()) + 1;
            blocks = regions.stream()
                            .filter(r -> r < start >>> geometry.refcountBlockBits())
                            .count()
                    + ownRegions;
            if (blocks <= total) {
                break;
            }
            total = blocks;
        }
        blocks = total;
        if (tableClusters << geometry.clusterBits()
                > Math.max(Qcow2Header.MAX_REFCOUNT_TABLE_BYTES, geometry.clusterBytes())) {
            throw new UserErrorException(
                    "Cannot mend the refcounts of %s: the file is too large for clusters of %d bytes"
                            .formatted(file.name(), geometry.clusterBytes()));
        }
        for (long cluster = start; cluster < start + blocks + tableClusters; cluster++) {
            counts.add(cluster, 1);
        }
        long[] table = new long[(int) (tableClusters << geometry.clusterBits() - 3)];
        write(counts, start, blocks, table);
        long tableOffset = start + blocks << geometry.clusterBits();
        BigEndian.write(file, tableOffset, BigEndian.encode(table, 0, table.length));
        file.flush();
        Qcow2Header header = volume.header;
        header.refcountTableOffset = tableOffset;
        header.refcountTableClusters = (int) tableClusters;
        header.refcountOrder = geometry.refcountOrder();
        volume.writeHeaderFields();
        file.flush();
    }

    private List<Long> regions(ReferenceCounts counts) {
        List<Long> regions = new ArrayList<>();
        for (long cluster = counts.next(0); cluster >= 0; ) {
            long region = cluster >>> geometry.refcountBlockBits();
            regions.add(region);
            cluster = counts.next(region + 1 << geometry.refcountBlockBits());
        }
        return regions;
    }

    private void write(ReferenceCounts counts, long start, long blocks, long[] table) throws IOException {
        long at = start;
        for (long region : regions(counts)) {
            byte[] block = new byte[geometry.clusterBytes()];
            for (int c = 0; c < geometry.refcountBlockEntries(); c++) {
                long count = counts.get((region << geometry.refcountBlockBits()) + c);
                if (count > geometry.maxRefcount()) {
                    throw new UserErrorException("Cannot count in %s with %d bits: a cluster is used %d times"
                            .formatted(file.name(), geometry.refcountBits(), count));
                }
                if (count > 0) {
                    RefcountBlock.set(block, geometry.refcountOrder(), c, count);
                }
            }
            BigEndian.write(file, at << geometry.clusterBits(), block);
            table[(int) region] = at << geometry.clusterBits();
            at++;
        }
        // A block more than needed would be a leak; it lies before the table and is left as zeroes.
        if (at > start + blocks) {
            throw new IllegalStateException("More refcount blocks than planned");
        }
        if (at < start + blocks) {
            file.writeZeroes(at << geometry.clusterBits(), start + blocks - at << geometry.clusterBits(), false);
        }
    }
}

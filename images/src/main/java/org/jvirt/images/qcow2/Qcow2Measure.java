package org.jvirt.images.qcow2;

import org.jvirt.images.format.FormatDriver.Measure;
import org.jvirt.images.luks.LuksOptions;

/// What an image takes: clusters of data, and the tables for as many clusters as there are then.
final class Qcow2Measure {
    private Qcow2Measure() {}

    static Measure measure(long virtualSize, long dataBytes, CreateChoices choices) {
        Geometry geometry = choices.geometry();
        long luks =
                geometry.alignUp(choices.luks().map(LuksOptions::headerBytes).orElse(0L));
        long size = geometry.alignUp(virtualSize);
        if (choices.dataFile().isPresent()) {
            long metadata = tables(size, geometry) + luks;
            return new Measure(metadata, metadata);
        }
        long metadata = tables(size, geometry) + luks;
        long data = switch (choices.preallocation()) {
            case FULL, FALLOC -> size;
            case OFF, METADATA -> Math.min(size, geometry.alignUp(dataBytes));
        };
        return new Measure(metadata + data, metadata + size);
    }

    /// Header, L1 and L2 tables for the whole disk, and counters for all of that and the disk.
    private static long tables(long size, Geometry geometry) {
        long cluster = geometry.clusterBytes();
        long l2Tables = geometry.l1Entries(size);
        long l1 = geometry.alignUp(l2Tables * 8);
        long known = cluster + l2Tables * cluster + l1;
        long counted = known + size >>> geometry.clusterBits();
        long blocks = 0;
        long table = 0;
        long before;
        do {
            before = blocks + table;
            blocks = counted + before + geometry.refcountBlockEntries() - 1 >>> geometry.refcountBlockBits();
            table = geometry.clusters(blocks * 8);
        } while (blocks + table != before);
        return known + (blocks + table << geometry.clusterBits());
    }
}

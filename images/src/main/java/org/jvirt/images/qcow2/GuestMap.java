package org.jvirt.images.qcow2;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/// Looks up how guest bytes are stored. Thread-safe; the volume's lock is held for a look into memory only, and L2
/// tables are read outside of it.
final class GuestMap {
    private static final int MAX_EMPTY_L1_ENTRIES = 4096;
    private static final int OPTIMISTIC_READS = 3;

    private final Volume volume;
    private final Geometry geometry;
    private final ClusterMap map;

    GuestMap(Volume volume) {
        this.volume = volume;
        this.geometry = volume.geometry;
        this.map = volume.map;
    }

    /// The run of bytes that are stored alike from `offset` on, at most `limit` long.
    ///
    /// @param forWriting whether data that may be overwritten is told from other, and held against metadata
    void find(long offset, long limit, boolean forWriting, Mapping into) throws IOException {
        for (int attempt = 0; ; attempt++) {
            long sliceOffset;
            long departures;
            volume.lock.lock();
            try {
                long table = map.tableOf(offset);
                if (table == 0) {
                    into.kind = Mapping.Kind.ABSENT;
                    into.length = emptyRun(offset, limit);
                    return;
                }
                L2Slice slice = attempt < OPTIMISTIC_READS ? map.cachedSlice(table, offset) : map.slice(table, offset);
                if (slice != null) {
                    scan(slice, offset, limit, into);
                    if (forWriting && into.kind == Mapping.Kind.DATA && into.inPlace) {
                        refuseMetadata(into.host, into.length);
                    }
                    return;
                }
                sliceOffset = map.sliceOffset(table, offset);
                departures = map.cache.departures();
            } finally {
                volume.lock.unlock();
            }
            L2Slice loaded = map.readSlice(sliceOffset);
            volume.lock.lock();
            try {
                if (map.cache.departures() == departures && map.cache.find(sliceOffset) == null) {
                    map.cache.insert(loaded);
                }
            } finally {
                volume.lock.unlock();
            }
        }
    }

    void refuseMetadata(long host, long length) throws IOException {
        if (!volume.externalData() && !volume.readOnly) {
            long metadata = volume.metadata.overlap(host, length);
            if (metadata >= 0) {
                throw volume.corrupt("guest data would be written over metadata at 0x%x".formatted(metadata));
            }
        }
    }

    private long emptyRun(long offset, long limit) throws IOException {
        long end = (geometry.l1Index(offset) + 1) << geometry.l1SpanBits();
        for (int i = 0; i < MAX_EMPTY_L1_ENTRIES && end - offset < limit && map.tableOf(end) == 0; i++) {
            end += 1L << geometry.l1SpanBits();
        }
        return Math.min(limit, end - offset);
    }

    private void scan(L2Slice slice, long offset, long limit, Mapping into) throws IOException {
        into.length = 0;
        int at = map.inSlice(offset);
        long guest = offset;
        while (into.length < limit && at < slice.entries.length) {
            long entry = slice.get(at);
            long bitmap = geometry.extendedL2() ? slice.get(at + 8) : 0;
            check(entry, bitmap, guest);
            if (!extend(entry, bitmap, guest, into)) {
                break;
            }
            guest = offset + into.length;
            if (geometry.inCluster(guest) != 0) {
                break;
            }
            at += geometry.l2EntryBytes();
        }
        into.length = Math.min(into.length, limit);
    }

    /// Adds what of a cluster continues the run; the first piece of a run decides its kind.
    ///
    /// @return whether anything was added
    private boolean extend(long entry, long bitmap, long guest, Mapping into) {
        long inCluster = geometry.inCluster(guest);
        boolean external = volume.externalData();
        boolean begins = into.length == 0;
        if (L2Entry.compressed(entry)) {
            if (begins) {
                into.kind = Mapping.Kind.COMPRESSED;
                into.entry = entry;
                into.length = geometry.clusterBytes() - inCluster;
            }
            return false;
        }
        long allocated = L2Entry.allocated(entry, bitmap, geometry.extendedL2(), external);
        long zeroes = L2Entry.zeroes(entry, bitmap, geometry.extendedL2());
        int first = geometry.subclusterIndex(guest);
        boolean data = (allocated >>> first & 1) != 0;
        boolean zero = (zeroes >>> first & 1) != 0;
        boolean hasHost = L2Entry.hasHost(entry, external);
        boolean inPlace = external || L2Entry.copied(entry);
        Mapping.Kind kind = data
                ? Mapping.Kind.DATA
                : zero ? hasHost ? Mapping.Kind.ZERO_ALLOCATED : Mapping.Kind.ZERO : Mapping.Kind.ABSENT;
        long host = L2Entry.host(entry) + inCluster;
        if (begins) {
            into.kind = kind;
            into.host = host;
            into.inPlace = inPlace;
        } else if (into.kind != kind || data && (host != into.host + into.length || inPlace != into.inPlace)) {
            return false;
        }
        // Bits that differ from the first one's kind end the run.
        long different = ~(data ? allocated : zero ? zeroes : ~(allocated | zeroes)) >>> first;
        int alike = Math.min(Long.numberOfTrailingZeros(different), geometry.subclusters() - first);
        into.length += ((long) (first + alike) << geometry.subclusterBits()) - inCluster;
        return true;
    }

    /// Refuses what no sound image has.
    void check(long entry, long bitmap, long guest) throws IOException {
        String wrong = flaw(entry, bitmap, guest);
        if (wrong != null) {
            throw volume.corrupt("the entry 0x%016x for guest offset 0x%x %s".formatted(entry, guest, wrong));
        }
    }

    private @Nullable String flaw(long entry, long bitmap, long guest) {
        if (L2Entry.compressed(entry)) {
            return volume.externalData() ? "is compressed, with an external data file" : null;
        }
        long host = L2Entry.host(entry);
        if (geometry.inCluster(host) != 0) {
            return "points into the middle of a cluster";
        }
        if (geometry.extendedL2()) {
            if ((bitmap & bitmap >>> 32 & 0xffff_ffffL) != 0) {
                return "says of subclusters that they are data and zeroes";
            }
            if ((bitmap & 0xffff_ffffL) != 0 && !L2Entry.hasHost(entry, volume.externalData())) {
                return "has data and no cluster";
            }
        } else if (volume.header.version == 2 && (entry & L2Entry.ZERO) != 0) {
            return "says zeroes, which version 2 cannot";
        }
        if (volume.externalData() && L2Entry.hasHost(entry, true) && host != geometry.alignDown(guest)) {
            return "does not match its place in the external data file";
        }
        return null;
    }
}

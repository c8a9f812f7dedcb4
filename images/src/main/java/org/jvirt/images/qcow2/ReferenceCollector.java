package org.jvirt.images.qcow2;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jvirt.core.UserErrorException;
import org.jvirt.images.file.ImageFile;

/// Counts what the metadata refers to. Not thread-safe; the caller is alone, and everything is in the file.
///
/// Each table is read once, however many others refer to it, and what it refers to counts as often. So the work is
/// bounded by the file, whatever the tables say; and what lies in a hole of the file is not read at all.
final class ReferenceCollector {
    private final Volume volume;
    private final ImageFile file;
    private final Geometry geometry;
    private final CheckFindings findings;
    private final ReferenceCounts counts = new ReferenceCounts();
    private final long fileBytes;

    ReferenceCollector(Volume volume, CheckFindings findings) throws IOException {
        this.volume = volume;
        this.file = volume.file;
        this.geometry = volume.geometry;
        this.findings = findings;
        fileBytes = file.sizeBytes();
    }

    /// @param refcountBlocks whether the refcount table and its blocks count, too
    ReferenceCounts collect(boolean refcountBlocks) throws IOException {
        refer("the header", 0, geometry.clusterBytes(), 1);
        Map<Long, Long> tables = new TreeMap<>();
        referTable("the active L1 table", volume.header.l1Offset, Math.max(1, volume.header.l1Size * 8L));
        long[] active = BigEndian.readTable(file, volume.header.l1Offset, volume.header.l1Size);
        collectL1(active, 1, "active", tables);
        collectSnapshots(tables);
        collectL2s(tables, activeTables(active));
        collectEncryption();
        collectBitmaps();
        if (refcountBlocks) {
            collectRefcountBlocks();
        }
        return counts;
    }

    private static Map<Long, Boolean> activeTables(long[] l1) {
        Map<Long, Boolean> active = new HashMap<>();
        for (long entry : l1) {
            if ((entry & Qcow2Header.OFFSET_MASK) != 0) {
                active.put(entry & Qcow2Header.OFFSET_MASK, true);
            }
        }
        return active;
    }

    private boolean refer(String what, long offset, long bytes, long times) {
        if (bytes <= 0) {
            return true;
        }
        if (offset < 0
                || offset > geometry.alignUp(fileBytes) - 1
                || bytes > geometry.alignUp(fileBytes) + geometry.clusterBytes() - offset) {
            findings.corrupt("%s: %d bytes at 0x%x lie behind the end of the file".formatted(what, bytes, offset));
            return false;
        }
        long last = offset + bytes - 1 >>> geometry.clusterBits();
        for (long cluster = offset >>> geometry.clusterBits(); cluster <= last; cluster++) {
            counts.add(cluster, times);
        }
        return true;
    }

    private boolean referTable(String what, long offset, long bytes) {
        if (geometry.inCluster(offset) != 0) {
            findings.corrupt("%s at 0x%x does not begin with a cluster".formatted(what, offset));
            return false;
        }
        return refer(what, offset, bytes, 1);
    }

    private void collectL1(long[] l1, long times, String whose, Map<Long, Long> tables) {
        for (int i = 0; i < l1.length; i++) {
            long entry = l1[i];
            long table = entry & Qcow2Header.OFFSET_MASK;
            if ((entry & ~(Qcow2Header.OFFSET_MASK | L2Entry.COPIED)) != 0) {
                findings.corrupt("entry %d of the %s L1 table has reserved bits: 0x%016x".formatted(i, whose, entry));
                continue;
            }
            if (table == 0) {
                continue;
            }
            if (geometry.inCluster(table) != 0) {
                findings.corrupt("entry %d of the %s L1 table: 0x%x is not the beginning of a cluster"
                        .formatted(i, whose, table));
                continue;
            }
            if (refer("L2 table", table, geometry.clusterBytes(), times)) {
                tables.merge(table, times, Long::sum);
            }
        }
    }

    private void collectSnapshots(Map<Long, Long> tables) throws IOException {
        Qcow2Header header = volume.header;
        if (header.snapshotCount == 0) {
            return;
        }
        List<SnapshotEntry> entries;
        try {
            entries = SnapshotEntry.readTable(file, header.snapshotsOffset, header.snapshotCount);
        } catch (UserErrorException e) {
            findings.corrupt(String.valueOf(e.getMessage()));
            return;
        }
        referTable(
                "the snapshot table",
                header.snapshotsOffset,
                entries.stream().mapToLong(SnapshotEntry::storedBytes).sum());
        // Snapshots never share an L1 table; one that a hostile image names again and again is read once.
        Map<Long, Boolean> seen = new HashMap<>();
        long budget = Math.max(fileBytes, Qcow2Header.MAX_L1_BYTES);
        for (SnapshotEntry entry : entries) {
            String what = "the L1 table of snapshot " + entry.idText();
            long bytes = entry.l1Size() * 8L;
            budget -= Math.max(0, bytes);
            if (bytes < 0 || bytes > Qcow2Header.MAX_L1_BYTES || entry.l1Offset() > fileBytes - bytes || budget < 0) {
                findings.corrupt("%s: %d bytes at 0x%x".formatted(what, bytes, entry.l1Offset()));
                continue;
            }
            if (referTable(what, entry.l1Offset(), Math.max(1, bytes)) && seen.put(entry.l1Offset(), true) == null) {
                collectL1(BigEndian.readTable(file, entry.l1Offset(), entry.l1Size()), 1, "snapshot's", tables);
            }
        }
    }

    private void collectL2s(Map<Long, Long> tables, Map<Long, Boolean> active) throws IOException {
        byte[] entries = new byte[geometry.clusterBytes()];
        for (Map.Entry<Long, Long> table : tables.entrySet()) {
            long offset = table.getKey();
            if (offset < fileBytes && file.nextData(offset) >= offset + entries.length) {
                continue;
            }
            file.readPadded(offset, java.lang.foreign.MemorySegment.ofArray(entries));
            collectL2(offset, entries, table.getValue(), active.containsKey(offset));
        }
    }

    private void collectL2(long table, byte[] entries, long times, boolean active) {
        long contiguous = 0;
        int bits = geometry.clusterBits();
        for (int at = 0; at < entries.length; at += geometry.l2EntryBytes()) {
            long entry = BigEndian.get(entries, at);
            if (entry == 0 && !geometry.extendedL2()) {
                continue;
            }
            if (L2Entry.compressed(entry)) {
                if (volume.externalData() || L2Entry.copied(entry)) {
                    findings.corrupt(
                            "entry 0x%016x of the L2 table at 0x%x cannot be compressed".formatted(entry, table));
                    continue;
                }
                refer(
                        "compressed data",
                        L2Entry.compressedOffset(entry, bits),
                        L2Entry.compressedBytes(entry, bits),
                        times);
                if (active) {
                    findings.allocated++;
                    findings.compressed++;
                    findings.fragmented++;
                }
                continue;
            }
            long bitmap = geometry.extendedL2() ? BigEndian.get(entries, at + 8) : 0;
            if (!sound(table, entry, bitmap) || !L2Entry.hasHost(entry, volume.externalData())) {
                continue;
            }
            long host = L2Entry.host(entry);
            if (active) {
                findings.allocated++;
                findings.fragmented += contiguous != 0 && contiguous != host ? 1 : 0;
                contiguous = host + geometry.clusterBytes();
            }
            if (!volume.externalData()) {
                refer("data", host, geometry.clusterBytes(), times);
            }
        }
    }

    private boolean sound(long table, long entry, long bitmap) {
        boolean extended = geometry.extendedL2();
        long reserved = entry & ~(L2Entry.OFFSET_MASK | L2Entry.COPIED | L2Entry.ZERO);
        String wrong = null;
        if (reserved != 0 || extended && (entry & L2Entry.ZERO) != 0) {
            wrong = "has reserved bits";
        } else if (geometry.inCluster(L2Entry.host(entry)) != 0) {
            wrong = "is not the beginning of a cluster";
        } else if ((bitmap & bitmap >>> 32 & 0xffff_ffffL) != 0) {
            wrong = "has subclusters that are data and zeroes";
        } else if ((bitmap & 0xffff_ffffL) != 0 && !L2Entry.hasHost(entry, volume.externalData())) {
            wrong = "has data and no cluster";
        } else if (volume.header.version == 2 && (entry & L2Entry.ZERO) != 0) {
            wrong = "says zeroes, which version 2 cannot";
        }
        if (wrong != null) {
            findings.corrupt("entry 0x%016x of the L2 table at 0x%x %s".formatted(entry, table, wrong));
        }
        return wrong == null;
    }

    private void collectEncryption() {
        volume.header
                .extension(HeaderExtension.ENCRYPTION)
                .filter(data -> data.length >= 16)
                .ifPresent(data -> {
                    ByteBuffer in = ByteBuffer.wrap(data);
                    referTable("the encryption header", in.getLong(0), in.getLong(8));
                });
    }

    private void collectBitmaps() throws IOException {
        var store = new BitmapStore(volume);
        try {
            List<BitmapEntry> entries = store.readDirectory();
            if (entries.isEmpty()) {
                return;
            }
            byte[] extension = volume.header.extension(HeaderExtension.BITMAPS).orElseThrow();
            ByteBuffer in = ByteBuffer.wrap(extension);
            referTable("the bitmap directory", in.getLong(16), in.getLong(8));
            long budget = Math.max(fileBytes, geometry.clusterBytes());
            for (BitmapEntry entry : entries) {
                budget -= entry.tableSize() * 8L;
                if (budget < 0) {
                    findings.corrupt("the bitmap tables take more than the file has");
                    return;
                }
                collectBitmap(store, entry);
            }
        } catch (UserErrorException e) {
            findings.corrupt(String.valueOf(e.getMessage()));
        }
    }

    private void collectBitmap(BitmapStore store, BitmapEntry entry) throws IOException {
        referTable("a bitmap table", entry.tableOffset(), Math.max(1, entry.tableSize() * 8L));
        for (long data : store.readTable(entry)) {
            long offset = data & Qcow2Header.OFFSET_MASK;
            if ((data & ~(Qcow2Header.OFFSET_MASK | 1)) != 0 || offset != 0 && (data & 1) != 0) {
                findings.corrupt(
                        "entry 0x%016x of the table of bitmap '%s' has reserved bits".formatted(data, entry.name()));
            } else if (offset != 0) {
                referTable("bitmap data", offset, geometry.clusterBytes());
            }
        }
    }

    private void collectRefcountBlocks() throws IOException {
        Qcow2Header header = volume.header;
        long bytes = (long) header.refcountTableClusters << geometry.clusterBits();
        if (!referTable("the refcount table", header.refcountTableOffset, bytes) || bytes == 0) {
            findings.refcountsBroken = true;
        }
        long[] table = volume.refcounts.table();
        for (int i = 0; i < table.length; i++) {
            long offset = table[i];
            if (offset == 0) {
                continue;
            }
            if (offset < 0 || geometry.inCluster(offset) != 0) {
                findings.corrupt("refcount block %d at 0x%x does not begin with a cluster".formatted(i, offset));
                findings.refcountsBroken = true;
            } else if (!refer("refcount block " + i, offset, geometry.clusterBytes(), 1)) {
                findings.refcountsBroken = true;
            } else if (counts.get(offset >>> geometry.clusterBits()) != 1) {
                findings.corrupt("refcount block %d at 0x%x lies in a cluster that is used for something else"
                        .formatted(i, offset));
                findings.refcountsBroken = true;
            }
        }
    }
}

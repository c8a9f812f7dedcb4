package org.jvirt.images.qcow2;

import java.io.IOException;
import java.util.Arrays;
import org.jvirt.images.format.CheckReport;
import org.jvirt.images.format.Repair;

/// Holds the counters against what the metadata refers to, and mends. The caller is alone.
///
/// ```
/// collect references ─> compare with the refcount blocks ─> compare COPIED flags of the active tables
///                            │ repair                            │ repair
///                            counters in place, or all blocks    flags in place
///                            anew where the blocks are broken
/// ```
///
/// A counter that is too high is a leak; one that is too low, or a COPIED flag that does not say whether it is one,
/// a corruption, as in QEMU's check. Entries that point nowhere sensible are reported and left alone: what they
/// should be nobody knows.
final class Qcow2Check {
    private final Volume volume;
    private final Geometry geometry;
    private final CheckFindings findings = new CheckFindings();

    Qcow2Check(Volume volume) {
        this.volume = volume;
        this.geometry = volume.geometry;
    }

    CheckReport check(Repair repair) throws IOException {
        var collector = new ReferenceCollector(volume, findings);
        ReferenceCounts counts = collector.collect(true);
        compare(counts, repair);
        boolean rebuild = repair == Repair.ALL && (findings.refcountsBroken || missingBlocks > 0);
        if (rebuild) {
            var fresh = new CheckFindings();
            counts = new ReferenceCollector(volume, fresh).collect(false);
            new RefcountRebuild(volume, geometry).rebuild(counts);
            volume.file.flush();
        } else if (repair == Repair.ALL || repair == Repair.LEAKS && findings.leaksFixed > 0) {
            volume.file.flush();
        }
        checkFlags(counts, repair == Repair.ALL, rebuild);
        if (repair != Repair.NONE && (findings.leaksFixed + findings.corruptionsFixed > 0 || rebuild)) {
            return second(repair);
        }
        settleMarks(repair);
        return findings.report(geometry.clusters(volume.header.size));
    }

    /// After repairs: what is left, and what was mended.
    private CheckReport second(Repair repair) throws IOException {
        volume.file.flush();
        Qcow2Header header = Qcow2Header.read(volume.file);
        int tableEntries = header.refcountTableClusters << header.clusterBits - 3;
        var tables = new Volume.Tables(
                BigEndian.readTable(volume.file, header.refcountTableOffset, tableEntries),
                BigEndian.readTable(volume.file, header.l1Offset, header.l1Size),
                L2Cache.DEFAULT_BYTES,
                java.util.Optional.empty());
        var mended = new Volume(
                volume.file,
                volume.data,
                volume.readOnly,
                header,
                tables,
                volume.cipher,
                volume.backing(),
                volume.gate);
        var again = new Qcow2Check(mended);
        again.compare(new ReferenceCollector(mended, again.findings).collect(true), Repair.NONE);
        again.checkFlags(new ReferenceCollector(mended, new CheckFindings()).collect(true), false, false);
        CheckFindings left = again.findings;
        left.leaksFixed = Math.max(0, findings.leaks + findings.leaksFixed - left.leaks);
        left.corruptionsFixed = Math.max(0, findings.corruptions + findings.corruptionsFixed - left.corruptions);
        left.messages().addAll(0, findings.messages());
        again.settleMarks(repair);
        return left.report(geometry.clusters(header.size));
    }

    /// A sound image is neither dirty nor corrupt.
    private void settleMarks(Repair repair) throws IOException {
        if (repair == Repair.ALL && findings.corruptions == 0 && findings.checkErrors == 0) {
            long marks = Feature.DIRTY.mask() | Feature.CORRUPT.mask();
            if (volume.header.version == 3 && (volume.header.incompatible & marks) != 0) {
                volume.header.incompatible &= ~marks;
                volume.writeHeaderFields();
                volume.file.flush();
            }
        }
    }

    private long missingBlocks;

    private void compare(ReferenceCounts counts, Repair repair) throws IOException {
        long[] table = volume.refcounts.table();
        int entries = geometry.refcountBlockEntries();
        long end = 0;
        for (int i = 0; i < table.length; i++) {
            long offset = table[i];
            if (offset <= 0 || geometry.inCluster(offset) != 0 || offset > volume.file.sizeBytes()) {
                continue;
            }
            byte[] block = BigEndian.read(volume.file, offset, geometry.clusterBytes());
            boolean changed = false;
            for (int c = 0; c < entries; c++) {
                long cluster = ((long) i << geometry.refcountBlockBits()) + c;
                long counted = RefcountBlock.get(block, geometry.refcountOrder(), c);
                int referred = counts.get(cluster);
                if (counted != 0 || referred != 0) {
                    end = cluster + 1;
                }
                if (counted == referred) {
                    continue;
                }
                changed |= compareOne(cluster, counted, referred, block, c, repair);
            }
            if (changed) {
                BigEndian.write(volume.file, offset, block);
            }
        }
        missing(counts, table);
        findings.endOffset = Math.max(end, lastReferred(counts, table)) << geometry.clusterBits();
    }

    private long lastReferred(ReferenceCounts counts, long[] table) {
        long beyond = (long) table.length << geometry.refcountBlockBits();
        long last = 0;
        for (long c = counts.next(beyond); c >= 0; c = counts.next(c + 1)) {
            last = c + 1;
        }
        return last;
    }

    /// @return whether the counter was mended
    private boolean compareOne(long cluster, long counted, int referred, byte[] block, int c, Repair repair) {
        boolean leak = Long.compareUnsigned(counted, referred) > 0;
        boolean mend = repair == Repair.ALL || leak && repair == Repair.LEAKS;
        boolean fits = referred <= geometry.maxRefcount();
        String what =
                "cluster %d: refcount %s, references %d".formatted(cluster, Long.toUnsignedString(counted), referred);
        if (leak) {
            findings.say((mend ? "Repaired leaked " : "Leaked ") + what);
        } else {
            findings.say((mend && fits ? "Repaired " : "ERROR ") + what);
        }
        if (mend && fits) {
            RefcountBlock.set(block, geometry.refcountOrder(), c, referred);
            findings.leaksFixed += leak ? 1 : 0;
            findings.corruptionsFixed += leak ? 0 : 1;
            return true;
        }
        findings.leaks += leak ? 1 : 0;
        findings.corruptions += leak ? 0 : 1;
        return false;
    }

    /// Clusters that are referred to where no block counts.
    private void missing(ReferenceCounts counts, long[] table) {
        for (long cluster = counts.next(0); cluster >= 0; ) {
            long index = cluster >>> geometry.refcountBlockBits();
            if (index < table.length && table[(int) index] != 0) {
                cluster = counts.next(index + 1 << geometry.refcountBlockBits());
                continue;
            }
            missingBlocks++;
            findings.corrupt("cluster %d: no refcount, references %d".formatted(cluster, counts.get(cluster)));
            cluster = counts.next(cluster + 1);
        }
    }

    /// COPIED says that a counter is one. After a repair counters are what the references are; before it, what the
    /// blocks say.
    private void checkFlags(ReferenceCounts counts, boolean repair, boolean rebuilt) throws IOException {
        long[] l1 = BigEndian.readTable(volume.file, volume.header.l1Offset, volume.header.l1Size);
        boolean l1Changed = false;
        var seen = new java.util.HashSet<Long>();
        long fileBytes = volume.file.sizeBytes();
        for (int i = 0; i < l1.length; i++) {
            long table = l1[i] & Qcow2Header.OFFSET_MASK;
            if (table == 0 || geometry.inCluster(table) != 0 || table >= fileBytes) {
                continue;
            }
            if (wrongFlag(table, l1[i], counts, repair || rebuilt)) {
                l1[i] ^= L2Entry.COPIED;
                l1Changed |= flagFound("L1 entry %d: 0x%016x".formatted(i, l1[i] ^ L2Entry.COPIED), repair);
            }
            // A table that a hostile image names again and again is looked at once.
            if (seen.add(table) && volume.file.nextData(table) < table + geometry.clusterBytes()) {
                checkTableFlags(table, counts, repair, rebuilt);
            }
        }
        if (l1Changed) {
            BigEndian.write(volume.file, volume.header.l1Offset, BigEndian.encode(l1, 0, l1.length));
        }
    }

    private void checkTableFlags(long table, ReferenceCounts counts, boolean repair, boolean rebuilt)
            throws IOException {
        byte[] entries = BigEndian.read(volume.file, table, geometry.clusterBytes());
        int from = Integer.MAX_VALUE;
        int to = 0;
        for (int at = 0; at < entries.length; at += geometry.l2EntryBytes()) {
            long entry = BigEndian.get(entries, at);
            long host = L2Entry.host(entry);
            if (L2Entry.compressed(entry) || host == 0 || geometry.inCluster(host) != 0 || volume.externalData()) {
                continue;
            }
            if (wrongFlag(host, entry, counts, repair || rebuilt)
                    && flagFound(
                            "L2 entry %d of the table at 0x%x: 0x%016x"
                                    .formatted(at / geometry.l2EntryBytes(), table, entry),
                            repair)) {
                BigEndian.put(entries, at, entry ^ L2Entry.COPIED);
                from = Math.min(from, at & ~511);
                to = Math.min(entries.length, (at | 511) + 1);
            }
        }
        if (to > 0) {
            BigEndian.write(volume.file, table + from, Arrays.copyOfRange(entries, from, to));
        }
    }

    private boolean wrongFlag(long offset, long entry, ReferenceCounts counts, boolean asReferred) throws IOException {
        long cluster = offset >>> geometry.clusterBits();
        long counter = asReferred ? counts.get(cluster) : counted(cluster);
        return (counter == 1) != L2Entry.copied(entry);
    }

    private long counted(long cluster) throws IOException {
        volume.lock.lock();
        try {
            return volume.refcounts.get(cluster);
        } catch (IOException e) {
            findings.checkErrors++;
            return 0;
        } finally {
            volume.lock.unlock();
        }
    }

    private boolean flagFound(String where, boolean repair) {
        if (repair) {
            findings.corruptionsFixed++;
            findings.say("Repaired the COPIED flag of " + where);
        } else {
            findings.corrupt("wrong COPIED flag: " + where);
        }
        return repair;
    }
}

package org.jvirt.images.qcow2;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.jvirt.core.UserErrorException;

/// Writes what the guest wants. Thread-safe; callers are inside the gate.
///
/// ```
/// find ─┬─ data of its own ──────────────────────> write in place
///       └─ else: plan (lock) → write (no lock) → link (lock)
///                allocate      fill │ data │ fill    L2 entries, old clusters given back
/// ```
///
/// What a new cluster holds besides the guest's data is written with it in one go, or not at all where the place
/// has never been written and zeroes are wanted.
final class GuestWriter {
    private static final byte[] ZEROES = new byte[64 << 10];

    private final Volume volume;
    private final Geometry geometry;
    private final GuestMap map;
    private final GuestReader reader;
    private final ClusterCompression compression;
    final BusyClusters busy;

    GuestWriter(Volume volume, GuestMap map, GuestReader reader, ClusterCompression compression) {
        this.volume = volume;
        this.geometry = volume.geometry;
        this.map = map;
        this.reader = reader;
        this.compression = compression;
        busy = new BusyClusters(volume);
    }

    void write(long offset, List<MemorySegment> from) throws IOException {
        long total = Segments.size(from);
        var mapping = new Mapping();
        for (long done = 0; done < total; ) {
            volume.relieve();
            long guest = offset + done;
            map.find(guest, total - done, true, mapping);
            if (mapping.kind == Mapping.Kind.DATA && mapping.inPlace) {
                writeData(guest, mapping.host, Segments.slice(from, done, mapping.length));
                done += mapping.length;
            } else {
                Plan plan = plan(guest, total - done);
                if (plan != null) {
                    carryOut(plan, Segments.slice(from, done, plan.to - plan.from), mapping);
                    done += plan.to - plan.from;
                }
            }
        }
    }

    /// What is to be done for the guest bytes from `from` up to `to`.
    ///
    /// @param host     for the first of these clusters
    /// @param fillFrom where the bytes begin that must be written, `from` among them
    /// @param run      newly allotted clusters, if there are
    /// @param fresh    whether the host clusters are known to be zeroes
    private record Plan(
            long from,
            long to,
            long host,
            long fillFrom,
            long fillTo,
            ClusterAllocator.@Nullable Run run,
            boolean fresh,
            BusyClusters.Run busy) {}

    /// @return null if somebody else has made the clusters ready in the meantime
    private @Nullable Plan plan(long from, long limit) throws IOException {
        long first = geometry.alignDown(from);
        volume.lock.lock();
        try {
            busy.await(first, first + geometry.clusterBytes());
            long table = volume.map.tableOf(from);
            L2Slice slice = table == 0 ? null : volume.map.slice(table, from);
            int at = volume.map.inSlice(from);
            long entry = entry(slice, at);
            long bitmap = bitmap(slice, at);
            map.check(entry, bitmap, from);
            boolean external = volume.externalData();
            boolean ownHost = hasOwnHost(entry);
            long until = Math.min(from + limit, first + geometry.clusterBytes());
            if (ownHost) {
                long allocated = L2Entry.allocated(entry, bitmap, geometry.extendedL2(), external);
                if ((allocated >>> geometry.subclusterIndex(from) & 1) != 0) {
                    return null;
                }
                // Only what is not data yet: data may be written in place by others at this moment.
                long next = allocated >>> geometry.subclusterIndex(from);
                long behind = (from >>> geometry.subclusterBits()) + Long.numberOfTrailingZeros(next);
                until = next == 0 ? until : Math.min(until, behind << geometry.subclusterBits());
                long host = external ? first : L2Entry.host(entry);
                map.refuseMetadata(host, geometry.clusterBytes());
                return new Plan(
                        from,
                        until,
                        host,
                        from & -geometry.subclusterBytes(),
                        until + geometry.subclusterBytes() - 1 & -geometry.subclusterBytes(),
                        null,
                        false,
                        busy.begin(first, first + geometry.clusterBytes()));
            }
            // All clusters up to the end of the slice that need a new place, too.
            long end = geometry.alignUp(from + limit);
            long sliceEnd = first
                    + ((volume.map.cache.sliceBytes() - at) / geometry.l2EntryBytes() * (long) geometry.clusterBytes());
            end = busy.freeUntil(first, Math.min(end, sliceEnd));
            long next = first + geometry.clusterBytes();
            while (next < end && !hasOwnHost(entry(slice, volume.map.inSlice(next)))) {
                next += geometry.clusterBytes();
            }
            long clusters = next - first >>> geometry.clusterBits();
            ClusterAllocator.@Nullable Run run = external ? null : volume.allocator.allocate(clusters);
            long got = run == null ? clusters : run.clusters();
            long covered = first + (got << geometry.clusterBits());
            long to = Math.min(from + limit, covered);
            int lastAt = at + (int) (got - 1) * geometry.l2EntryBytes();
            return new Plan(
                    from,
                    to,
                    run == null ? first : run.offset(),
                    fillFrom(from, entry, bitmap),
                    fillTo(to, entry(slice, lastAt), bitmap(slice, lastAt)),
                    run,
                    run != null && run.fresh(),
                    busy.begin(first, covered));
        } finally {
            volume.lock.unlock();
        }
    }

    private static long entry(@Nullable L2Slice slice, int at) {
        return slice == null ? 0 : slice.get(at);
    }

    private long bitmap(@Nullable L2Slice slice, int at) {
        return slice == null || !geometry.extendedL2() ? 0 : slice.get(at + 8);
    }

    private boolean hasOwnHost(long entry) {
        boolean external = volume.externalData();
        return L2Entry.hasHost(entry, external) && (external || L2Entry.copied(entry));
    }

    /// A new cluster takes over all that the old one holds.
    private long fillFrom(long from, long entry, long bitmap) {
        long start = geometry.alignDown(from);
        if (L2Entry.compressed(entry)) {
            return start;
        }
        int first = geometry.subclusterIndex(from);
        long allocated = L2Entry.allocated(entry, bitmap, geometry.extendedL2(), volume.externalData());
        return start + ((long) Math.min(first, Long.numberOfTrailingZeros(allocated)) << geometry.subclusterBits());
    }

    private long fillTo(long to, long entry, long bitmap) {
        long start = geometry.alignDown(to - 1);
        if (L2Entry.compressed(entry)) {
            return start + geometry.clusterBytes();
        }
        int last = geometry.subclusterIndex(to - 1);
        long allocated = L2Entry.allocated(entry, bitmap, geometry.extendedL2(), volume.externalData());
        int lastAllocated = 63 - Long.numberOfLeadingZeros(allocated);
        return start + ((long) Math.max(last, lastAllocated) + 1 << geometry.subclusterBits());
    }

    private void carryOut(Plan plan, List<MemorySegment> from, Mapping scratch) throws IOException {
        boolean linked = false;
        try {
            long first = geometry.alignDown(plan.from);
            List<MemorySegment> all = new ArrayList<>(from.size() + 2);
            boolean skipping = plan.fresh && !volume.cipher.encrypted();
            long start = plan.from;
            if (plan.fillFrom < plan.from && fill(plan.fillFrom, plan.from, skipping, all, scratch)) {
                start = plan.fillFrom;
            }
            all.addAll(from);
            if (plan.to < plan.fillTo) {
                fill(plan.to, plan.fillTo, skipping, all, scratch);
            }
            writeData(start, plan.host + (start - first), all);
            volume.lock.lock();
            try {
                link(plan);
                linked = true;
            } finally {
                volume.lock.unlock();
            }
        } finally {
            volume.lock.lock();
            try {
                if (!linked && plan.run != null) {
                    volume.allocator.freeLater(plan.run.offset(), plan.run.clusters(), false);
                }
                busy.end(plan.busy);
            } finally {
                volume.lock.unlock();
            }
        }
    }

    /// Adds what the guest sees in a range.
    ///
    /// @param skipping whether zeroes need not be written
    /// @return whether anything was added
    private boolean fill(long from, long to, boolean skipping, List<MemorySegment> all, Mapping scratch)
            throws IOException {
        map.find(from, to - from, false, scratch);
        boolean zero = switch (scratch.kind) {
            case ZERO, ZERO_ALLOCATED -> scratch.length == to - from;
            case ABSENT -> scratch.length == to - from && reader.below(from, to - from) == 0;
            case DATA, COMPRESSED -> false;
        };
        if (!zero) {
            MemorySegment content = MemorySegment.ofArray(new byte[(int) (to - from)]);
            reader.read(from, List.of(content));
            all.add(content);
        } else if (!skipping) {
            for (long at = from; at < to; at += ZEROES.length) {
                all.add(MemorySegment.ofArray(ZEROES).asReadOnly().asSlice(0, Math.min(to - at, ZEROES.length)));
            }
        }
        return !zero || !skipping;
    }

    private void link(Plan plan) throws IOException {
        long host = plan.host;
        for (long cluster = geometry.alignDown(plan.from); cluster < plan.to; cluster += geometry.clusterBytes()) {
            L2Slice slice = volume.map.writableSlice(cluster);
            int at = volume.map.inSlice(cluster);
            long old = slice.get(at);
            long written = geometry.subclusterMask(
                    Math.max(plan.from - cluster, 0), Math.min(plan.to - cluster, geometry.clusterBytes()));
            if (geometry.extendedL2()) {
                long bitmap = slice.get(at + 8);
                long allocated = L2Entry.compressed(old) ? geometry.subclusterMask() : bitmap & 0xffff_ffffL;
                long zeroes = L2Entry.compressed(old) ? 0 : bitmap >>> 32;
                slice.set(at + 8, allocated | written | (zeroes & ~written) << 32);
            }
            slice.set(at, host | L2Entry.COPIED);
            if (plan.run != null) {
                volume.allocator.release(old, false);
            }
            host += geometry.clusterBytes();
        }
    }

    private void writeData(long guest, long host, List<MemorySegment> from) throws IOException {
        if (!volume.cipher.encrypted()) {
            volume.data.write(host, from);
            return;
        }
        MemorySegment bounce = MemorySegment.ofArray(new byte[Math.toIntExact(Segments.size(from))]);
        Segments.gather(from, bounce);
        volume.cipher.encrypt(volume.file.name(), guest, host, bounce);
        volume.data.write(host, bounce);
    }

    /// Zeroes as data, where nothing better will do.
    void writeZeroes(long offset, long length, boolean mayUnmap) throws IOException {
        var mapping = new Mapping();
        for (long done = 0; done < length; ) {
            map.find(offset + done, length - done, true, mapping);
            long part = mapping.length;
            if (mapping.kind == Mapping.Kind.DATA && mapping.inPlace && !volume.cipher.encrypted()) {
                volume.data.writeZeroes(mapping.host, part, mayUnmap);
            } else {
                part = Math.min(length - done, 1 << 20);
                MemorySegment zeroes = MemorySegment.ofArray(ZEROES).asReadOnly();
                List<MemorySegment> all = new ArrayList<>();
                for (long at = 0; at < part; at += ZEROES.length) {
                    all.add(zeroes.asSlice(0, Math.min(part - at, ZEROES.length)));
                }
                write(offset + done, all);
            }
            done += part;
        }
    }

    /// One whole cluster, compressed if that makes it smaller.
    void writeCompressed(long offset, MemorySegment content) throws IOException {
        refuseCompression();
        volume.relieve();
        ClusterCompressor compressor = compression.take();
        try {
            MemorySegment stored = compressor.compress(content);
            if (stored.byteSize() == 0) {
                write(offset, List.of(content));
            } else {
                store(offset, stored);
            }
        } finally {
            compression.giveBack(compressor);
        }
    }

    private void store(long offset, MemorySegment stored) throws IOException {
        int length = (int) stored.byteSize();
        long place;
        BusyClusters.Run held;
        volume.lock.lock();
        try {
            busy.await(offset, offset + geometry.clusterBytes());
            place = volume.allocator.allocateBytes(length);
            held = busy.begin(offset, offset + geometry.clusterBytes());
        } finally {
            volume.lock.unlock();
        }
        long entry = L2Entry.compressedEntry(place, length, geometry.clusterBits());
        boolean linked = false;
        try {
            if (place + length > L2Entry.maxCompressedOffset(geometry.clusterBits())) {
                throw new IOException(
                        "Cannot write compressed to %s: with its cluster size, compressed data ends at %d bytes"
                                .formatted(volume.file.name(), L2Entry.maxCompressedOffset(geometry.clusterBits())));
            }
            volume.file.write(place, stored);
            volume.lock.lock();
            try {
                L2Slice slice = volume.map.writableSlice(offset);
                int at = volume.map.inSlice(offset);
                long old = slice.get(at);
                if (geometry.extendedL2()) {
                    slice.set(at + 8, 0);
                }
                slice.set(at, entry);
                linked = true;
                volume.allocator.release(old, false);
            } finally {
                volume.lock.unlock();
            }
        } finally {
            volume.lock.lock();
            try {
                if (!linked) {
                    volume.allocator.release(entry, false);
                }
                busy.end(held);
            } finally {
                volume.lock.unlock();
            }
        }
    }

    private void refuseCompression() {
        if (volume.externalData()) {
            throw new UserErrorException(
                    "Cannot write compressed to %s: its data is in an external file".formatted(volume.file.name()));
        }
        if (volume.cipher.encrypted()) {
            throw new UserErrorException(
                    "Cannot write compressed to %s: it is encrypted".formatted(volume.file.name()));
        }
    }
}

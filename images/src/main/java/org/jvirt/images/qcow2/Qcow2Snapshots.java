package org.jvirt.images.qcow2;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;
import org.jvirt.core.UserErrorException;
import org.jvirt.images.format.ImageInfo;
import org.jvirt.images.format.ImageSnapshots;
import org.jvirt.images.format.Repair;

/// Internal snapshots: each keeps an L1 table of its own, and everything below is counted once more.
///
/// ```
/// create   count up all that is reachable · clear COPIED · copy of L1 · snapshot table · header
/// apply    count up the snapshot's · header gets a copy of its L1 · count down the former · set COPIED
/// delete   header gets a table without it · count down its own · set COPIED
/// ```
///
/// The dirty bit is set around each of them. Thread-safe: changes are made alone.
@SuppressWarnings("ReferenceEquality") // the entry and the file themselves
final class Qcow2Snapshots implements ImageSnapshots {
    private final Qcow2Image image;

    Qcow2Snapshots(Qcow2Image image) {
        this.image = image;
    }

    /// A step that is made alone.
    private interface Change<T> {
        T make(Volume volume) throws IOException;
    }

    private <T> T change(Change<T> change) throws IOException {
        return image.alone(volume -> {
            if (volume.externalData()) {
                throw new UserErrorException(
                        "Cannot keep snapshots in %s: its data is in an external file".formatted(volume.file.name()));
            }
            volume.markDirty();
            try {
                T result = change.make(volume);
                volume.settle();
                volume.markClean();
                return result;
            } catch (IOException | RuntimeException e) {
                mend(e);
                throw e;
            }
        });
    }

    /// What was begun is undone: nothing refers to it.
    private void mend(Exception cause) {
        try {
            image.check(Repair.ALL);
        } catch (IOException | RuntimeException e) {
            cause.addSuppressed(e);
        }
    }

    @Override
    public List<ImageInfo.Snapshot> list() {
        long bytes = image.sizeBytes();
        return image.snapshotEntries().stream().map(entry -> entry.info(bytes)).toList();
    }

    @Override
    public ImageInfo.Snapshot create(
            String name, Instant date, long vmClockNanos, OptionalLong instructions, long vmStateBytes)
            throws IOException {
        if (name.getBytes(java.nio.charset.StandardCharsets.UTF_8).length > 0xffff) {
            throw new UserErrorException(
                    "Cannot name a snapshot of %s with more than 65535 bytes".formatted(image.name()));
        }
        return change(volume -> {
            List<SnapshotEntry> before = image.snapshotEntries();
            if (before.size() >= Qcow2Header.MAX_SNAPSHOTS) {
                throw new UserErrorException(
                        "Cannot keep more than 65536 snapshots in %s; delete some".formatted(image.name()));
            }
            var tables = new TableStore(volume);
            long[] l1 = volume.map.l1();
            new TableWalk(volume).count(l1, 0, 1);
            volume.committer.commitAll();
            long[] shared = l1.clone();
            new TableWalk(volume).flag(shared);
            if (shared.length > 0) {
                BigEndian.write(volume.file, volume.header.l1Offset, BigEndian.encode(shared, 0, shared.length));
            }
            volume.map.replaceL1(shared);
            long copy = tables.write(BigEndian.encode(shared, 0, shared.length));
            volume.metadata.addRange(copy, shared.length * 8L);
            SnapshotEntry entry = SnapshotEntry.of(
                    copy,
                    shared.length,
                    freeId(before),
                    name,
                    date,
                    vmClockNanos,
                    instructions,
                    vmStateBytes,
                    volume.header.size);
            List<SnapshotEntry> now = new ArrayList<>(before);
            now.add(entry);
            tables.switchSnapshots(before, now);
            image.snapshotEntries(now);
            dropVmState(volume);
            return entry.info(volume.header.size);
        });
    }

    private static String freeId(List<SnapshotEntry> entries) {
        long highest = 0;
        for (SnapshotEntry entry : entries) {
            String id = entry.idText();
            if (id.matches("[0-9]{1,18}")) {
                highest = Math.max(highest, Long.parseLong(id));
            }
        }
        return Long.toString(highest + 1);
    }

    /// The VM state belongs to the snapshot now, and no longer to the disk.
    private static void dropVmState(Volume volume) throws IOException {
        long from = volume.geometry.l1Entries(volume.header.size);
        volume.map.dropTables((int) Math.min(from, volume.map.l1().length));
        volume.settle();
    }

    @Override
    public void apply(String idOrName) throws IOException {
        change(volume -> {
            SnapshotEntry entry = find(idOrName);
            long diskBytes = entry.diskBytes(volume.header.size);
            long[] l1 = readL1(volume, entry);
            long entries = Math.max(volume.geometry.l1Entries(diskBytes), l1.length);
            if (diskBytes < 0 || entries > CreateChoices.MAX_L1_ENTRIES) {
                throw volume.corrupt("snapshot %s has a disk of %d bytes".formatted(entry.idText(), diskBytes));
            }
            long[] now = Arrays.copyOf(l1, (int) entries);
            long[] before = volume.map.l1();
            var walk = new TableWalk(volume);
            walk.count(now, 0, 1);
            new TableStore(volume).switchL1(now, diskBytes);
            walk.count(before, 0, -1);
            volume.settle();
            reflag(volume);
            image.resized();
            return entry;
        });
    }

    /// Brings COPIED flags up to date, in tables and in memory.
    private static void reflag(Volume volume) throws IOException {
        long[] l1 = volume.map.l1().clone();
        new TableWalk(volume).flag(l1);
        if (l1.length > 0) {
            BigEndian.write(volume.file, volume.header.l1Offset, BigEndian.encode(l1, 0, l1.length));
        }
        volume.map.replaceL1(l1);
    }

    @Override
    public void delete(String idOrName) throws IOException {
        change(volume -> {
            SnapshotEntry entry = find(idOrName);
            long[] l1 = readL1(volume, entry);
            List<SnapshotEntry> before = image.snapshotEntries();
            List<SnapshotEntry> now = new ArrayList<>(before);
            now.removeIf(each -> each == entry);
            var tables = new TableStore(volume);
            tables.switchSnapshots(before, now);
            image.snapshotEntries(now);
            volume.metadata.removeRange(entry.l1Offset());
            new TableWalk(volume).count(l1, 0, -1);
            tables.free(entry.l1Offset(), Math.max(1, l1.length * 8L));
            volume.settle();
            reflag(volume);
            return entry;
        });
    }

    private SnapshotEntry find(String idOrName) {
        return image.snapshotEntries().stream()
                .filter(entry -> entry.idText().equals(idOrName))
                .findFirst()
                .or(() -> image.snapshotEntries().stream()
                        .filter(entry -> entry.nameText().equals(idOrName))
                        .findFirst())
                .orElseThrow(() -> new UserErrorException(
                        "%s has no snapshot '%s'; snapshot -l lists them".formatted(image.name(), idOrName)));
    }

    static long[] readL1(Volume volume, SnapshotEntry entry) throws IOException {
        long bytes = entry.l1Size() * 8L;
        if (entry.l1Size() < 0
                || bytes > Qcow2Header.MAX_L1_BYTES
                || entry.l1Offset() < 0
                || volume.geometry.inCluster(entry.l1Offset()) != 0
                || entry.l1Offset() > volume.file.sizeBytes() - bytes) {
            throw new UserErrorException("The L1 table of snapshot %s in %s is damaged; check tells more"
                    .formatted(entry.idText(), volume.file.name()));
        }
        return BigEndian.readTable(volume.file, entry.l1Offset(), entry.l1Size());
    }

    private static long vmStateStart(Volume volume) {
        return volume.geometry.l1Entries(volume.header.size) << volume.geometry.l1SpanBits();
    }

    @Override
    public void writeVmState(long offsetBytes, List<MemorySegment> from) throws IOException {
        long total = Segments.size(from);
        if (offsetBytes < 0 || total > Long.MAX_VALUE / 2 - offsetBytes) {
            throw new IOException("Cannot write the VM state of %s at %d".formatted(image.name(), offsetBytes));
        }
        if (total == 0) {
            return;
        }
        if (image.vmStateNeedsRoom(offsetBytes + total)) {
            image.alone(volume -> {
                // Room for a while, since every growth moves the table.
                long end = vmStateStart(volume) + offsetBytes + total;
                long wanted = volume.geometry.l1Entries(end);
                long generous = Math.min(wanted + wanted / 4 + 16, CreateChoices.MAX_L1_ENTRIES);
                new TableStore(volume).growL1(Math.max(wanted, generous));
                return null;
            });
        }
        image.request(parts -> parts.writer().write(vmStateStart(parts.volume()) + offsetBytes, from));
    }

    @Override
    public void readVmState(long offsetBytes, List<MemorySegment> into) throws IOException {
        if (offsetBytes < 0) {
            throw new IOException("Cannot read the VM state of %s at %d".formatted(image.name(), offsetBytes));
        }
        image.request(parts -> parts.reader().read(vmStateStart(parts.volume()) + offsetBytes, into));
    }

    /// How the disk was, read-only: a second map over the same file.
    private @Nullable View view;

    private record View(SnapshotEntry entry, Volume volume, GuestReader reader) {}

    @Override
    public void read(String idOrName, long offsetBytes, List<MemorySegment> into) throws IOException {
        image.request(parts -> {
            View then = view(parts.volume(), find(idOrName));
            long disk = then.volume.header.size;
            if (offsetBytes < 0 || offsetBytes < disk && Segments.size(into) > disk - offsetBytes) {
                throw new IOException("Cannot read %d bytes at %d of snapshot %s of %s: its disk has %d bytes"
                        .formatted(Segments.size(into), offsetBytes, idOrName, image.name(), disk));
            }
            long at = offsetBytes < disk ? offsetBytes : vmStateStart(then.volume) + offsetBytes - disk;
            then.reader.read(at, into);
        });
    }

    private synchronized View view(Volume volume, SnapshotEntry entry) throws IOException {
        View present = view;
        if (present != null && present.entry == entry && present.volume.file == volume.file) {
            return present;
        }
        Qcow2Header header = volume.header.copy();
        header.size = entry.diskBytes(header.size);
        header.l1Offset = entry.l1Offset();
        header.l1Size = entry.l1Size();
        var tables = new Volume.Tables(
                new long[0], readL1(volume, entry), L2Cache.DEFAULT_BYTES / 8, java.util.Optional.empty());
        var then = new Volume(
                volume.file, volume.data, true, header, tables, volume.cipher, volume.backing(), volume.gate);
        var map = new GuestMap(then);
        View made = new View(entry, then, new GuestReader(then, map, new ClusterCompression(then)));
        view = made;
        return made;
    }
}

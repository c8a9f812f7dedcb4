package org.jvirt.images.qcow2;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.jvirt.core.UserErrorException;
import org.jvirt.images.blocks.DirtyBits;
import org.jvirt.images.format.ImageBitmaps;

/// The persistent bitmaps of an open image. Thread-safe.
///
/// Enabled bitmaps are loaded when the disk is first written, and marked as in use in the file; they are stored
/// when the image is closed, or by any change to the set of bitmaps. After a crash they are marked still, and so
/// known to
/// miss writes.
final class Qcow2Bitmaps implements ImageBitmaps {
    private static final int MIN_DEFAULT_GRANULARITY_BITS = 12;
    private static final int DEFAULT_GRANULARITY_BITS = 16;
    private static final long MAX_STORED_BYTES = 512L << 20;

    private final Qcow2Image image;
    /// As the file has them; guarded by this.
    private List<BitmapEntry> entries;
    /// Those in memory, by name; guarded by this.
    private final Map<String, DirtyBits> loaded = new LinkedHashMap<>();
    /// Whether writes must be recorded, and are not yet.
    private volatile boolean dormant;
    /// Whether writes are recorded: the file says in use.
    private volatile boolean recording;

    Qcow2Bitmaps(Qcow2Image image, List<BitmapEntry> entries) {
        this.image = image;
        this.entries = new ArrayList<>(entries);
        dormant = anyEnabled();
    }

    private synchronized boolean anyEnabled() {
        return entries.stream().anyMatch(entry -> entry.auto() && !entry.inUse() && !entry.unusable());
    }

    /// To be called before a range is changed. Inside the gate.
    void changing(Volume volume, long offset, long length) throws IOException {
        if (dormant) {
            wake(volume);
        }
        if (recording) {
            record(offset, length);
        }
    }

    private synchronized void record(long offset, long length) {
        for (BitmapEntry entry : entries) {
            DirtyBits bits = loaded.get(entry.name());
            if (entry.auto() && bits != null) {
                bits.mark(offset, length);
            }
        }
    }

    private synchronized void wake(Volume volume) throws IOException {
        if (!dormant) {
            return;
        }
        var store = new BitmapStore(volume);
        List<BitmapEntry> used = new ArrayList<>();
        for (BitmapEntry entry : entries) {
            if (entry.auto() && !entry.inUse() && !entry.unusable()) {
                bits(store, entry);
                used.add(entry);
            }
        }
        store.markInUse(entries, used);
        recording = true;
        dormant = false;
    }

    private DirtyBits bits(BitmapStore store, BitmapEntry entry) throws IOException {
        DirtyBits bits = loaded.get(entry.name());
        if (bits == null) {
            bits = store.load(entry);
            loaded.put(entry.name(), bits);
        }
        return bits;
    }

    /// Brings what was recorded to the file. Alone.
    void close(Volume volume) throws IOException {
        if (recording) {
            rewrite(volume, names());
        }
    }

    private synchronized List<String> names() {
        return new ArrayList<>(loaded.keySet());
    }

    /// A change to the set of bitmaps.
    private interface Change {
        /// @return the names of the bitmaps whose bits have changed
        List<String> make(BitmapStore store) throws IOException;
    }

    private void change(Change change) throws IOException {
        image.alone(volume -> {
            if (volume.header.version == 2) {
                throw new UserErrorException(
                        "Cannot keep bitmaps in %s: version 2 has none; amend it to compat=v3".formatted(image.name()));
            }
            List<String> changed = new ArrayList<>(recording ? names() : List.of());
            changed.addAll(change.make(new BitmapStore(volume)));
            rewrite(volume, changed);
            return null;
        });
    }

    /// Stores bitmaps anew, and with them the directory.
    private synchronized void rewrite(Volume volume, List<String> changed) throws IOException {
        var store = new BitmapStore(volume);
        List<BitmapEntry> before = store.readDirectory();
        List<BitmapEntry> now = new ArrayList<>();
        for (BitmapEntry entry : entries) {
            DirtyBits bits = changed.contains(entry.name()) ? loaded.get(entry.name()) : null;
            now.add(bits == null ? entry : store.store(entry, bits));
        }
        store.replace(before, now);
        entries = now;
        recording = false;
        loaded.clear();
        dormant = anyEnabled();
    }

    /// The disk is to have another size: what was recorded stays, and new bytes are dirty. Alone.
    void resize(Volume volume, long oldBytes, long newBytes) throws IOException {
        if (entries().isEmpty()) {
            return;
        }
        var store = new BitmapStore(volume);
        List<String> changed = new ArrayList<>();
        synchronized (this) {
            for (BitmapEntry entry : entries) {
                if (entry.inUse() || entry.unusable()) {
                    throw new UserErrorException("Cannot resize %s: bitmap '%s' is inconsistent; remove it first"
                            .formatted(image.name(), entry.name()));
                }
                DirtyBits old = bits(store, entry);
                DirtyBits now = new DirtyBits(newBytes, entry.granularityBits());
                copy(old, now, Math.min(oldBytes, newBytes));
                if (entry.auto()) {
                    now.mark(oldBytes, Math.max(0, newBytes - oldBytes));
                }
                loaded.put(entry.name(), now);
                changed.add(entry.name());
            }
        }
        rewrite(volume, changed);
    }

    private static void copy(DirtyBits from, DirtyBits into, long diskBytes) {
        for (long[] run = from.nextDirty(0, diskBytes);
                run.length > 0;
                run = from.nextDirty(run[0] + run[1], diskBytes)) {
            into.mark(run[0], run[1]);
        }
    }

    synchronized List<BitmapEntry> entries() {
        return List.copyOf(entries);
    }

    @Override
    public List<Bitmap> list() {
        return reading(store -> {
            List<Bitmap> list = new ArrayList<>();
            for (BitmapEntry entry : entries) {
                boolean lost = entry.inUse() || entry.unusable();
                long dirty = lost ? 0 : bits(store, entry).dirtyGranules() << entry.granularityBits();
                list.add(new Bitmap(entry.name(), 1L << entry.granularityBits(), entry.auto(), entry.inUse(), dirty));
            }
            return list;
        });
    }

    /// Something that only reads.
    private interface Reading<T> {
        T read(BitmapStore store) throws IOException;
    }

    /// The gate comes before this object's lock, everywhere.
    private <T> T reading(Reading<T> reading) {
        try {
            return image.inside(volume -> {
                synchronized (this) {
                    return reading.read(new BitmapStore(volume));
                }
            });
        } catch (IOException e) {
            throw new org.jvirt.core.HostFailureException(
                    "Cannot read the bitmaps of %s: %s".formatted(image.name(), e.getMessage()), e);
        }
    }

    private synchronized @Nullable BitmapEntry present(String name) {
        return entries.stream()
                .filter(entry -> entry.name().equals(name))
                .findFirst()
                .orElse(null);
    }

    private BitmapEntry find(String name) {
        BitmapEntry entry = present(name);
        if (entry == null) {
            throw new UserErrorException("%s has no bitmap '%s'; info lists them".formatted(image.name(), name));
        }
        return entry;
    }

    private BitmapEntry usable(String name) {
        BitmapEntry entry = find(name);
        if (entry.inUse() || entry.unusable()) {
            throw new UserErrorException(
                    "Bitmap '%s' of %s is inconsistent and can only be removed".formatted(name, image.name()));
        }
        return entry;
    }

    @Override
    public void add(String name, long granularityBytes, boolean enabled) throws IOException {
        change(store -> {
            byte[] nameBytes = name.getBytes(StandardCharsets.UTF_8);
            if (present(name) != null || entries().size() >= BitmapEntry.MAX_BITMAPS) {
                throw new UserErrorException(
                        "Cannot add bitmap '%s' to %s: there is one already".formatted(name, image.name()));
            }
            if (nameBytes.length == 0 || nameBytes.length > BitmapEntry.MAX_NAME_BYTES) {
                throw new UserErrorException("The name of a bitmap has 1 to 1023 bytes, not " + nameBytes.length);
            }
            int bits = granularityBytes == 0
                    ? Math.clamp(
                            Long.numberOfTrailingZeros(image.clusterBytes()),
                            MIN_DEFAULT_GRANULARITY_BITS,
                            DEFAULT_GRANULARITY_BITS)
                    : Long.numberOfTrailingZeros(granularityBytes);
            if (granularityBytes != 0 && Long.bitCount(granularityBytes) != 1
                    || bits < BitmapEntry.MIN_GRANULARITY_BITS
                    || bits > BitmapEntry.MAX_GRANULARITY_BITS) {
                throw new UserErrorException(
                        "The granularity of a bitmap is a power of two from 512 bytes to 2 GiB, not "
                                + granularityBytes);
            }
            var fresh = new DirtyBits(image.sizeBytes(), bits);
            if (fresh.storedBytes() > MAX_STORED_BYTES) {
                throw new UserErrorException(
                        "Bitmap '%s' would take more than 512 MiB; use a larger granularity".formatted(name));
            }
            synchronized (this) {
                entries.add(new BitmapEntry(0, 0, enabled ? BitmapEntry.AUTO : 0, bits, new byte[0], nameBytes));
                loaded.put(name, fresh);
            }
            return List.of(name);
        });
    }

    @Override
    public void remove(String name) throws IOException {
        change(store -> {
            BitmapEntry entry = find(name);
            synchronized (this) {
                entries.remove(entry);
                loaded.remove(name);
            }
            return List.of();
        });
    }

    @Override
    public void clear(String name) throws IOException {
        change(store -> {
            synchronized (this) {
                bits(store, usable(name)).clear();
            }
            return List.of(name);
        });
    }

    @Override
    public void enable(String name) throws IOException {
        flag(name, true);
    }

    @Override
    public void disable(String name) throws IOException {
        flag(name, false);
    }

    private void flag(String name, boolean enabled) throws IOException {
        change(store -> {
            BitmapEntry entry = usable(name);
            int flags = enabled ? entry.flags() | BitmapEntry.AUTO : entry.flags() & ~BitmapEntry.AUTO;
            synchronized (this) {
                entries.set(entries.indexOf(entry), entry.withFlags(flags));
            }
            return List.of();
        });
    }

    @Override
    public void merge(String target, ImageBitmaps from, String source) throws IOException {
        List<long[]> runs = new ArrayList<>();
        for (long[] run = from.nextDirty(source, 0); run.length > 0; run = from.nextDirty(source, run[0] + run[1])) {
            runs.add(run);
            if (runs.size() == 1 << 16) {
                markAll(target, runs);
                runs.clear();
            }
        }
        markAll(target, runs);
    }

    private void markAll(String name, List<long[]> runs) throws IOException {
        change(store -> {
            synchronized (this) {
                DirtyBits bits = bits(store, usable(name));
                runs.forEach(run -> bits.mark(run[0], Math.min(run[1], Math.max(0, image.sizeBytes() - run[0]))));
            }
            return List.of(name);
        });
    }

    @Override
    public void set(String name, List<long[]> runs) throws IOException {
        change(store -> {
            synchronized (this) {
                DirtyBits bits = bits(store, usable(name));
                bits.clear();
                runs.forEach(run -> bits.mark(run[0], run[1]));
            }
            return List.of(name);
        });
    }

    @Override
    public long[] nextDirty(String name, long fromBytes) {
        return reading(store -> bits(store, usable(name)).nextDirty(fromBytes, image.sizeBytes()));
    }

    @Override
    public void mark(String name, long offsetBytes, long lengthBytes) throws IOException {
        markAll(name, List.of(new long[] {offsetBytes, lengthBytes}));
    }
}

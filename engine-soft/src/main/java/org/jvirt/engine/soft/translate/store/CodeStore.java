package org.jvirt.engine.soft.translate.store;

import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/// The translations that all processors of this process share, and the file that keeps them for later processes.
///
/// A block is found by the bytes of the guest that it depends on, which are compared one by one: nothing needs to
/// be forgotten when guests change code. Whatever goes wrong with the file costs time only, and is logged once.
/// Thread-safe.
public final class CodeStore {
    private static final System.Logger LOG = System.getLogger(CodeStore.class.getName());
    private static final Map<String, CodeStore> STORES = new HashMap<>();
    private static final int PAGE = 4096;
    private static final int MOST_OF_ONE_KEY = 32;
    private static final long MOST_MADE_BYTES = 8L << 20;

    /// A translation that is kept.
    ///
    /// @param position where [#read] finds it again; 0 if it does not
    public record Kept(StoredBlock block, int position) {}

    /// Null without a file.
    private final @Nullable StoreFile file;
    /// Where records are in the file: those that were there when it was opened, and those of this process.
    private final RecordIndex kept = new RecordIndex();

    private volatile boolean ready;
    /// What has been made without a file, or since the file has been replaced.
    private final ConcurrentHashMap<Long, StoredBlock[]> made = new ConcurrentHashMap<>();

    private final AtomicLong madeBytes = new AtomicLong();
    private final AtomicLong damaged = new AtomicLong();
    private final Thread reader;

    private CodeStore(@Nullable StoreFile file) {
        this.file = file;
        reader = Thread.ofPlatform().daemon().name("jvirt-code-store").unstarted(this::index);
        reader.start();
    }

    /// The store for translations of a version, which says all that the translator's code depends on beside the
    /// guest's; the same one for all of this process.
    ///
    /// @param directory where the file is; empty to keep nothing
    public static CodeStore of(Optional<Path> directory, String version) {
        String name = directory.map(Path::toString).orElse("") + "\n" + version;
        synchronized (STORES) {
            return STORES.computeIfAbsent(name, key -> open(directory, version, StoreFile.MOST_BYTES));
        }
    }

    /// As [#of], but one of its own, with a file of at most so many bytes.
    static CodeStore open(Optional<Path> directory, String version, long mostBytes) {
        StoreFile file = null;
        if (directory.isPresent()) {
            try {
                file = new StoreFile(directory.get(), version, mostBytes);
            } catch (IOException e) {
                LOG.log(Level.WARNING, "No translations are kept in {0}: {1}", directory.get(), e.toString());
            }
        }
        return new CodeStore(file);
    }

    private void index() {
        if (file != null) {
            try {
                file.list(kept::add);
            } catch (IOException e) {
                LOG.log(Level.WARNING, "Kept translations cannot be read: {0}", e.toString());
            }
        }
        ready = true;
    }

    /// Whether everything that was kept can be found; until then only what this process has made.
    public boolean isReady() {
        return ready;
    }

    /// Waits until everything that was kept can be found.
    public void await() throws InterruptedException {
        reader.join();
    }

    /// How many records were found damaged.
    public long damaged() {
        return damaged.get();
    }

    /// A translation for the guest's code at linear address `rip`.
    ///
    /// @param bytes     its page, and what follows it if `crosses`
    /// @param available how many bytes there are
    public Optional<Kept> find(int context, long rip, boolean crosses, byte[] bytes, int available) {
        int start = (int) (rip & PAGE - 1);
        int rest = available - start;
        long whole = StoredBlock.key(context, start, bytes, start, rest, crosses);
        Optional<Kept> found = find(whole, context, rip, crosses, bytes, available);
        if (found.isPresent() || rest <= 1) {
            return found;
        }
        long one = StoredBlock.key(context, start, bytes, start, 1, crosses);
        return one == whole ? found : find(one, context, rip, crosses, bytes, available);
    }

    private Optional<Kept> find(long key, int context, long rip, boolean crosses, byte[] bytes, int available) {
        if (!made.isEmpty()) {
            for (StoredBlock block : made.getOrDefault(key, NONE)) {
                if (block.fits(context, rip, crosses, bytes, available)) {
                    return Optional.of(new Kept(block, 0));
                }
            }
        }
        return ready && file != null ? read(file, key, context, rip, crosses, bytes, available) : Optional.empty();
    }

    private Optional<Kept> read(
            StoreFile source, long key, int context, long rip, boolean crosses, byte[] bytes, int available) {
        long[] table = kept.table();
        for (int slot = RecordIndex.first(table, key); slot >= 0; slot = RecordIndex.next(table, key, slot)) {
            int position = RecordIndex.position(table[slot]);
            Optional<StoredBlock> block = source.with(
                    position,
                    (encoded, checksum) -> StoredBlock.fits(encoded, context, rip, crosses, bytes, available)
                            ? decode(encoded, checksum)
                            : Optional.empty());
            if (block.isPresent()) {
                return Optional.of(new Kept(block.get(), position));
            }
        }
        return Optional.empty();
    }

    private Optional<StoredBlock> decode(ByteBuffer encoded, int checksum) {
        Optional<StoredBlock> block = StoreFile.decode(encoded, checksum);
        if (block.isEmpty()) {
            damaged.incrementAndGet();
        }
        return block;
    }

    /// The translation at the position that [Kept] tells; empty if it cannot be read any more.
    public Optional<StoredBlock> read(int position) {
        return file == null || position == 0 ? Optional.empty() : file.with(position, this::decode);
    }

    private static final StoredBlock[] NONE = {};

    /// Takes new translations, and keeps them if there is a file. May wait for other processes. Answers for each
    /// where [#read] finds it, or 0.
    public int[] add(List<StoredBlock> blocks) {
        int[] positions = new int[blocks.size()];
        if (file != null && !blocks.isEmpty()) {
            try {
                positions = file.append(blocks);
            } catch (IOException e) {
                LOG.log(Level.WARNING, "Translations cannot be kept: {0}", e.toString());
            }
        }
        for (int i = 0; i < positions.length; i++) {
            StoredBlock block = blocks.get(i);
            if (positions[i] == 0) {
                make(block);
            } else {
                kept.add(block.key(), positions[i]);
            }
        }
        return positions;
    }

    /// Whether there are so many that begin alike that another one is not worth its place.
    public boolean hasEnough(StoredBlock like) {
        long[] table = kept.table();
        int count = 0;
        int slot = RecordIndex.first(table, like.key());
        while (slot >= 0 && count < MOST_OF_ONE_KEY) {
            slot = RecordIndex.next(table, like.key(), slot);
            count++;
        }
        return count == MOST_OF_ONE_KEY;
    }

    /// Keeps a translation in memory, as long as there are few.
    private void make(StoredBlock block) {
        StoredBlock[] others = made.getOrDefault(block.key(), NONE);
        if (others.length < MOST_OF_ONE_KEY && madeBytes.addAndGet(block.encodedBytes()) <= MOST_MADE_BYTES) {
            StoredBlock[] all = Arrays.copyOf(others, others.length + 1);
            all[others.length] = block;
            made.put(block.key(), all);
        }
    }

    /// Closes the file; for stores of one's own.
    void close() throws IOException {
        if (file != null) {
            file.close();
        }
    }
}

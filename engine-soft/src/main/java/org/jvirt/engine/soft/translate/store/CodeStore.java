package org.jvirt.engine.soft.translate.store;

import java.io.IOException;
import java.lang.System.Logger.Level;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/// The translations that all processors of this process share, and the file that keeps them for later processes.
///
/// A [StoreReader] finds a block by the bytes of the guest that it depends on, which are compared one by one:
/// nothing needs to be forgotten when guests change code. Whatever goes wrong with the file costs time only, and is
/// logged once.
/// Thread-safe.
public final class CodeStore {
    private static final System.Logger LOG = System.getLogger(CodeStore.class.getName());
    private static final Map<String, CodeStore> STORES = new HashMap<>();
    private static final int MOST_OF_ONE_KEY = 32;
    private static final long MOST_MADE_BYTES = 8L << 20;

    /// A translation that is kept.
    ///
    /// @param position where [StoreReader#read] finds it again; 0 if it does not
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
    private final AtomicInteger growth = new AtomicInteger();
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
        growth.incrementAndGet();
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

    /// How often something has come that may be found from then on.
    public int growth() {
        return growth.get();
    }

    /// Something of what is in memory only, or null.
    @Nullable
    StoredBlock made(long key, int context, long rip, boolean crosses, byte[] bytes, int available) {
        for (StoredBlock block : made.getOrDefault(key, NONE)) {
            if (block.fits(context, rip, crosses, bytes, available)) {
                return block;
            }
        }
        return null;
    }

    /// Whether [#made] may find something.
    boolean hasMade() {
        return !made.isEmpty();
    }

    /// Where records are in the file; null while that is not known.
    RecordIndex.@Nullable Table records() {
        return ready && file != null ? kept.table() : null;
    }

    /// As [StoreFile#read]; 0 without a file.
    long read(long position, MemorySegment into) throws IOException {
        return file == null ? 0 : file.read(position, into);
    }

    /// Notes that a record was found damaged.
    void foundDamage() {
        damaged.incrementAndGet();
    }

    private static final StoredBlock[] NONE = {};

    /// Takes new translations, and keeps them if there is a file. May wait for other processes. Answers for each
    /// where [StoreReader#read] finds it, or 0.
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
                kept.add(block.key(), Opening.shape(block), Opening.hash(block), positions[i]);
            }
        }
        if (positions.length > 0) {
            growth.incrementAndGet();
        }
        return positions;
    }

    /// Whether there are so many that begin alike that another one is not worth its place.
    public boolean hasEnough(StoredBlock like) {
        RecordIndex.Table table = kept.table();
        int count = 0;
        int slot = table.first(like.key());
        while (slot >= 0 && count < MOST_OF_ONE_KEY) {
            slot = table.next(like.key(), slot);
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

    /// Closes the file; for stores of one's own that nobody reads any more.
    void close() throws IOException {
        if (file != null) {
            file.close();
        }
    }
}

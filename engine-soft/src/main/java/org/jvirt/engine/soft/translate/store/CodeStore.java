package org.jvirt.engine.soft.translate.store;

import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.file.Path;
import java.util.ArrayList;
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
    private static final int MOST_OF_ONE_KEY = 16;

    /// Null without a file.
    private final @Nullable StoreFile file;
    /// Where records are in the file. Filled once, by the thread that opens the store.
    private final RecordIndex kept = new RecordIndex();

    private volatile boolean ready;
    private final ConcurrentHashMap<Long, StoredBlock[]> made = new ConcurrentHashMap<>();
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
                StoreFile source = file;
                source.refresh(position -> kept.add(source.key(position), position));
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
    public Optional<StoredBlock> find(int context, long rip, boolean crosses, byte[] bytes, int available) {
        int start = (int) (rip & PAGE - 1);
        int rest = available - start;
        long whole = StoredBlock.key(context, start, bytes, start, rest, crosses);
        Optional<StoredBlock> found = find(whole, context, rip, crosses, bytes, available);
        if (found.isPresent() || rest <= 1) {
            return found;
        }
        long one = StoredBlock.key(context, start, bytes, start, 1, crosses);
        return one == whole ? found : find(one, context, rip, crosses, bytes, available);
    }

    private Optional<StoredBlock> find(long key, int context, long rip, boolean crosses, byte[] bytes, int available) {
        for (StoredBlock block : made.getOrDefault(key, NONE)) {
            if (block.fits(context, rip, crosses, bytes, available)) {
                return Optional.of(block);
            }
        }
        return ready && file != null ? read(file, key, context, rip, crosses, bytes, available) : Optional.empty();
    }

    private Optional<StoredBlock> read(
            StoreFile source, long key, int context, long rip, boolean crosses, byte[] bytes, int available) {
        for (int slot = kept.first(key); slot >= 0; slot = kept.next(key, slot)) {
            long position = kept.position(slot);
            if (StoredBlock.fits(source.encoded(position), context, rip, crosses, bytes, available)) {
                Optional<StoredBlock> block = source.read(position);
                if (block.isEmpty()) {
                    damaged.incrementAndGet();
                } else {
                    return block;
                }
            }
        }
        return Optional.empty();
    }

    private static final StoredBlock[] NONE = {};

    /// Takes new translations, and keeps them if there is a file. May wait for other processes.
    public void add(List<StoredBlock> blocks) {
        List<StoredBlock> fresh = new ArrayList<>();
        for (StoredBlock block : blocks) {
            StoredBlock[] others = made.getOrDefault(block.key(), NONE);
            if (others.length < MOST_OF_ONE_KEY) {
                var all = new ArrayList<>(List.of(others));
                all.add(block);
                made.put(block.key(), all.toArray(StoredBlock[]::new));
                fresh.add(block);
            }
        }
        if (file != null && !fresh.isEmpty()) {
            try {
                file.append(fresh);
            } catch (IOException e) {
                LOG.log(Level.WARNING, "Translations cannot be kept: {0}", e.toString());
            }
        }
    }
}

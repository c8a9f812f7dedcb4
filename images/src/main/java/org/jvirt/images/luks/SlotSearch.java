package org.jvirt.images.luks;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;

/// Looks for the key slot that a passphrase opens, in all slots at once as far as there are processors: most of the
/// time goes into those that it does not open.
final class SlotSearch {
    private final LuksVolume.Area area;
    private final LuksHeader header;
    private final byte[] passphrase;
    private volatile byte[] found = {};

    /// @param header whose work is bounded ([LuksHeader#checkWork])
    SlotSearch(LuksVolume.Area area, LuksHeader header, byte[] passphrase) {
        this.area = area;
        this.header = header;
        this.passphrase = passphrase;
    }

    /// @return nothing if no slot opens
    byte[] masterKey() throws IOException {
        List<Integer> slots = IntStream.range(0, LuksHeader.SLOTS)
                .filter(slot -> header.slots().get(slot).active())
                .boxed()
                .toList();
        if (slots.size() <= 1) {
            return slots.isEmpty() ? new byte[0] : unlock(slots.getFirst());
        }
        int threads = Math.min(slots.size(), Runtime.getRuntime().availableProcessors());
        try (ExecutorService workers = Executors.newFixedThreadPool(
                threads, Thread.ofPlatform().name("luks-", 0).daemon().factory())) {
            List<Future<byte[]>> tries = new ArrayList<>();
            for (int slot : slots) {
                tries.add(workers.submit(() -> unlock(slot)));
            }
            for (Future<byte[]> each : tries) {
                each.get();
            }
            return found;
        } catch (ExecutionException e) {
            throw e.getCause() instanceof IOException failure ? failure : new IOException(e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("Interrupted while looking for the key slot", e);
        }
    }

    private boolean pointless() {
        return found.length > 0;
    }

    /// @return the master key; nothing if the slot is not active or the passphrase is another, or a key is there
    ///     already
    byte[] unlock(int index) throws IOException {
        LuksKeySlot slot = header.slots().get(index);
        if (!slot.active() || pointless()) {
            return new byte[0];
        }
        LuksHash hash = header.hash();
        int keyBytes = header.cipher().keyBytes();
        byte[] slotKey = hash.pbkdf2(passphrase, slot.salt(), slot.iterations(), keyBytes, this::pointless);
        byte[] material = new byte[(int) LuksKeySlot.materialBytes(keyBytes)];
        MemorySegment segment = MemorySegment.ofArray(material);
        area.read(slot.materialOffset(), segment);
        SectorCipher.of(header.cipher(), slotKey).decrypt(0, segment, segment);
        byte[] candidate = AntiForensic.merge(material, keyBytes, LuksHeader.STRIPES, hash);
        byte[] digest = hash.pbkdf2(
                candidate, header.digestSalt(), header.digestIterations(), LuksHeader.DIGEST_BYTES, this::pointless);
        if (!pointless() && MessageDigest.isEqual(digest, header.digest())) {
            found = candidate;
            return candidate;
        }
        return new byte[0];
    }
}

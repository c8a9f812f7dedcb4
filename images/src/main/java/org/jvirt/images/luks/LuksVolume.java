package org.jvirt.images.luks;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import java.util.UUID;
import org.jvirt.core.UserErrorException;

/// A header and the passphrases that open it: finds the master key, and makes, adds and erases key slots.
///
/// An unlocked volume decrypts through [#cipher], which is thread-safe; the rest is not.
public final class LuksVolume {
    static final long SLOTS_OFFSET = 4096;
    private static final int SALT_BYTES = LuksKeySlot.SALT_BYTES;
    private static final int FEWEST_ITERATIONS = 1000;

    /// Where a header lives: the start of a file, or some clusters of another format. Offsets count from its start.
    public interface Area {
        void read(long offsetBytes, MemorySegment into) throws IOException;

        void write(long offsetBytes, MemorySegment from) throws IOException;

        /// Makes what was written durable.
        void flush() throws IOException;
    }

    private final String name;
    private final Area area;
    private final SecureRandom random = new SecureRandom();
    private final byte[] masterKey;
    private final SectorCipher cipher;
    private LuksHeader header;

    private LuksVolume(String name, Area area, LuksHeader header, byte[] masterKey) {
        this.name = name;
        this.area = area;
        this.header = header;
        this.masterKey = masterKey;
        cipher = SectorCipher.of(header.cipher(), masterKey);
    }

    /// Reads and checks the header; needs no passphrase.
    ///
    /// @param name of the image, for messages
    /// @throws UserErrorException if it is not sound or not supported
    public static LuksHeader inspect(String name, Area area) throws IOException {
        byte[] bytes = new byte[LuksHeader.BYTES];
        area.read(0, MemorySegment.ofArray(bytes));
        return LuksHeader.parse(bytes, name);
    }

    /// Unlocks a volume.
    ///
    /// @throws UserErrorException if it is not sound or not supported, or no key slot opens with the passphrase
    public static LuksVolume open(String name, Area area, byte[] passphrase) throws IOException {
        LuksHeader header = inspect(name, area);
        byte[] key = new SlotSearch(area, header, passphrase).masterKey();
        if (key.length > 0) {
            return new LuksVolume(name, area, header, key);
        }
        throw new UserErrorException("%s: no key slot opens with this passphrase".formatted(name));
    }

    /// Writes a new header with one key slot in use. Takes about twice the time that the options ask for.
    public static LuksVolume create(String name, Area area, LuksOptions options, byte[] passphrase) throws IOException {
        var random = new SecureRandom();
        int keyBytes = options.cipher().keyBytes();
        byte[] masterKey = bytes(random, keyBytes);
        byte[] digestSalt = bytes(random, SALT_BYTES);
        int digestIterations = iterations(options.hash(), options.iterationMillis() / 8, LuksHeader.DIGEST_BYTES);
        List<LuksKeySlot> slots = new ArrayList<>();
        for (int i = 0; i < LuksHeader.SLOTS; i++) {
            long sector = (SLOTS_OFFSET + i * slotStride(keyBytes)) / SectorCipher.SECTOR_BYTES;
            slots.add(new LuksKeySlot(false, 0, new byte[SALT_BYTES], sector, LuksHeader.STRIPES));
        }
        byte[] digest = options.hash().pbkdf2(masterKey, digestSalt, digestIterations, LuksHeader.DIGEST_BYTES);
        var header = new LuksHeader(
                options.cipher(),
                options.hash(),
                options.headerBytes() / SectorCipher.SECTOR_BYTES,
                digest,
                digestSalt,
                digestIterations,
                UUID.randomUUID().toString(),
                slots);
        var volume = new LuksVolume(name, area, header, masterKey);
        volume.setKey(0, passphrase, options.iterationMillis());
        return volume;
    }

    /// Of the image, for messages.
    public String name() {
        return name;
    }

    public LuksHeader header() {
        return header;
    }

    /// For the content; sectors count from wherever the owner says: in a LUKS file, from the start of the content.
    public SectorCipher cipher() {
        return cipher;
    }

    /// How long the place of one slot is in new volumes: whole pages.
    static long slotStride(int keyBytes) {
        return (LuksKeySlot.materialBytes(keyBytes) + SLOTS_OFFSET - 1) / SLOTS_OFFSET * SLOTS_OFFSET;
    }

    /// The first slot without a key.
    OptionalInt freeSlot() {
        for (int i = 0; i < LuksHeader.SLOTS; i++) {
            if (!header.slots().get(i).active()) {
                return OptionalInt.of(i);
            }
        }
        return OptionalInt.empty();
    }

    boolean opens(int slot, byte[] passphrase) throws IOException {
        return new SlotSearch(area, header, passphrase).unlock(slot).length > 0;
    }

    /// Puts the master key under a passphrase into a slot.
    void setKey(int index, byte[] passphrase, long iterationMillis) throws IOException {
        int keyBytes = masterKey.length;
        LuksHash hash = header.hash();
        byte[] salt = bytes(random, SALT_BYTES);
        int iterations = iterations(hash, iterationMillis, keyBytes);
        LuksKeySlot old = header.slots().get(index);
        LuksHeader changed = header.withSlot(
                index, new LuksKeySlot(true, iterations, salt, old.materialSector(), LuksHeader.STRIPES));
        changed.checkWork(name);
        byte[] slotKey = hash.pbkdf2(passphrase, salt, iterations, keyBytes);
        byte[] split = AntiForensic.split(masterKey, LuksHeader.STRIPES, hash, random);
        byte[] material = Arrays.copyOf(split, (int) LuksKeySlot.materialBytes(keyBytes));
        MemorySegment segment = MemorySegment.ofArray(material);
        SectorCipher.of(header.cipher(), slotKey).encrypt(0, segment, segment);
        // The slot says "active" only when its material is there.
        area.write(old.materialOffset(), segment);
        area.flush();
        writeHeader(changed);
        Arrays.fill(slotKey, (byte) 0);
        Arrays.fill(split, (byte) 0);
    }

    /// Forgets a slot's key for good: its material is overwritten.
    void eraseKey(int index) throws IOException {
        LuksKeySlot old = header.slots().get(index);
        writeHeader(header.withSlot(
                index, new LuksKeySlot(false, 0, new byte[SALT_BYTES], old.materialSector(), LuksHeader.STRIPES)));
        int bytes = (int) LuksKeySlot.materialBytes(masterKey.length);
        area.write(old.materialOffset(), MemorySegment.ofArray(bytes(random, bytes)));
        area.flush();
    }

    private void writeHeader(LuksHeader changed) throws IOException {
        area.write(0, MemorySegment.ofArray(changed.encode()));
        area.flush();
        header = changed;
    }

    /// How many rounds take about so long here.
    private static int iterations(LuksHash hash, long millis, int lengthBytes) {
        byte[] sample = new byte[SALT_BYTES];
        int rounds = 1 << 12;
        long nanos;
        do {
            rounds *= 2;
            long start = System.nanoTime();
            var _ = hash.pbkdf2(sample, sample, rounds, lengthBytes);
            nanos = Math.max(1, System.nanoTime() - start);
        } while (nanos < Math.min(millis, 200) * 500_000 && rounds < LuksHeader.MOST_ITERATIONS / 2);
        double perMilli = rounds * 1e6 / nanos;
        return (int) Math.clamp(perMilli * millis, FEWEST_ITERATIONS, LuksHeader.MOST_ITERATIONS / 2.0);
    }

    private static byte[] bytes(SecureRandom random, int count) {
        byte[] bytes = new byte[count];
        random.nextBytes(bytes);
        return bytes;
    }
}

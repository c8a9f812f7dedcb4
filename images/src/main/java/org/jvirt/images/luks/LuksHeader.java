package org.jvirt.images.luks;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jvirt.core.UserErrorException;

/// The first 592 bytes of a volume, big-endian: LUKS1 specification, figures 1 and 2.
///
/// ```
///   0 magic  6 version  8 cipher  40 mode  72 hash  104 payload sector  108 key bytes
/// 112 digest (20)  132 its salt (32)  164 its iterations  168 UUID (40)  208 eight slots of 48:
///     0 state  4 iterations  8 salt (32)  40 material sector  44 stripes
/// ```
///
/// @param payloadSector where the content begins; 0 in a header kept apart from its content
/// @param digest        of the master key
public record LuksHeader(
        CipherSpec cipher,
        LuksHash hash,
        long payloadSector,
        byte[] digest,
        byte[] digestSalt,
        int digestIterations,
        String uuid,
        List<LuksKeySlot> slots) {
    /// How many bytes from the start [#parse] wants.
    public static final int BYTES = 592;

    /// Into how many stripes every key is split; nobody writes another number.
    public static final int STRIPES = 4000;

    /// A guess of a passphrase must not take for ever: about ten times what cryptsetup chooses by itself.
    static final int MOST_ITERATIONS = 1 << 27;

    /// Of the hash, for all slots together: some ten seconds to a minute, about eight times what eight slots take
    /// that cryptsetup has made.
    static final long MOST_ROUNDS = 1 << 27;

    static final int SLOTS = 8;
    static final int DIGEST_BYTES = 20;
    static final byte[] MAGIC = {'L', 'U', 'K', 'S', (byte) 0xba, (byte) 0xbe};
    private static final int ACTIVE = 0x00ac_71f3;
    private static final int INACTIVE = 0x0000_dead;

    public LuksHeader {
        slots = List.copyOf(slots);
    }

    /// Whether a file begins like a LUKS volume of any version.
    public static boolean matches(byte[] head) {
        return head.length >= MAGIC.length && Arrays.equals(head, 0, MAGIC.length, MAGIC, 0, MAGIC.length);
    }

    /// Where the content begins.
    public long payloadOffset() {
        return payloadSector * SectorCipher.SECTOR_BYTES;
    }

    /// @param where the image, for messages
    /// @throws UserErrorException if it is not sound, or asks for what is not supported
    static LuksHeader parse(byte[] bytes, String where) {
        if (!matches(bytes)) {
            throw new UserErrorException("%s: not a LUKS volume".formatted(where));
        }
        ByteBuffer in = ByteBuffer.wrap(bytes);
        int version = in.getShort(6);
        if (version != 1) {
            throw new UserErrorException(
                    "%s: LUKS version %d is not supported, only version 1; cryptsetup convert --type luks1 may help"
                            .formatted(where, version));
        }
        String cipherName = text(bytes, 8, 32, "cipher name", where);
        String mode = text(bytes, 40, 32, "cipher mode", where);
        LuksHash hash = LuksHash.require(text(bytes, 72, 32, "hash", where), where);
        int keyBytes = in.getInt(108);
        CipherSpec cipher = CipherSpec.fromHeader(cipherName, mode, keyBytes, where);
        List<LuksKeySlot> slots = new ArrayList<>();
        for (int i = 0; i < SLOTS; i++) {
            slots.add(slot(in, 208 + i * 48, i, where));
        }
        var header = new LuksHeader(
                cipher,
                hash,
                Integer.toUnsignedLong(in.getInt(104)),
                Arrays.copyOfRange(bytes, 112, 112 + DIGEST_BYTES),
                Arrays.copyOfRange(bytes, 132, 132 + LuksKeySlot.SALT_BYTES),
                iterations(in.getInt(164), "the master key's digest", where),
                text(bytes, 168, 40, "UUID", where),
                slots);
        header.checkPlaces(where);
        header.checkWork(where);
        return header;
    }

    /// How often a passphrase that opens no slot makes the hash go round.
    private long rounds() {
        long each = Math.ceilDiv(cipher.keyBytes(), hash.digestBytes());
        long ofDigest = (long) digestIterations * Math.ceilDiv(DIGEST_BYTES, hash.digestBytes());
        long sum = 0;
        for (LuksKeySlot slot : slots) {
            sum += slot.active() ? slot.iterations() * each + ofDigest : 0;
        }
        return sum;
    }

    /// @throws UserErrorException if a wrong passphrase would take too long to be found wrong
    void checkWork(String where) {
        if (rounds() > MOST_ROUNDS) {
            throw new UserErrorException(
                    "%s: trying its key slots would take %d rounds of %s, more than %d; drop slots with cryptsetup luksKillSlot"
                            .formatted(where, rounds(), hash.hashName(), MOST_ROUNDS));
        }
    }

    private static LuksKeySlot slot(ByteBuffer in, int at, int index, String where) {
        int state = in.getInt(at);
        if (state != ACTIVE && state != INACTIVE) {
            throw new UserErrorException(
                    "%s: key slot %d is neither active nor inactive but 0x%08x".formatted(where, index, state));
        }
        byte[] salt = new byte[LuksKeySlot.SALT_BYTES];
        in.get(at + 8, salt);
        int stripes = in.getInt(at + 44);
        if (stripes != STRIPES) {
            throw new UserErrorException("%s: key slot %d is corrupted: %d stripes, not %d"
                    .formatted(where, index, Integer.toUnsignedLong(stripes), STRIPES));
        }
        boolean active = state == ACTIVE;
        int iterations = active ? iterations(in.getInt(at + 4), "key slot " + index, where) : 0;
        return new LuksKeySlot(active, iterations, salt, Integer.toUnsignedLong(in.getInt(at + 40)), stripes);
    }

    private static int iterations(int value, String of, String where) {
        if (value <= 0 || value > MOST_ITERATIONS) {
            throw new UserErrorException("%s: %s asks for %d iterations; 1 to %d are accepted"
                    .formatted(where, of, Integer.toUnsignedLong(value), MOST_ITERATIONS));
        }
        return value;
    }

    private static String text(byte[] bytes, int at, int length, String what, String where) {
        int end = at;
        while (end < at + length && bytes[end] != 0) {
            if (bytes[end] < ' ' || bytes[end] > '~') {
                throw new UserErrorException("%s: its %s is no text".formatted(where, what));
            }
            end++;
        }
        if (end == at + length) {
            throw new UserErrorException("%s: its %s does not end".formatted(where, what));
        }
        return new String(bytes, at, end - at, StandardCharsets.US_ASCII);
    }

    /// Key material must lie between header and content, and no two slots may share it.
    private void checkPlaces(String where) {
        long sectors = LuksKeySlot.materialBytes(cipher.keyBytes()) / SectorCipher.SECTOR_BYTES;
        long first = (BYTES + SectorCipher.SECTOR_BYTES - 1) / SectorCipher.SECTOR_BYTES;
        for (int i = 0; i < SLOTS; i++) {
            long start = slots.get(i).materialSector();
            if (start < first || payloadSector != 0 && start + sectors > payloadSector) {
                throw new UserErrorException(
                        "%s: key slot %d lies at sector %d, outside of the space between header and content at %d"
                                .formatted(where, i, start, payloadSector));
            }
            for (int k = 0; k < i; k++) {
                if (Math.abs(start - slots.get(k).materialSector()) < sectors) {
                    throw new UserErrorException("%s: key slots %d and %d overlap".formatted(where, k, i));
                }
            }
        }
    }

    byte[] encode() {
        ByteBuffer out = ByteBuffer.allocate(BYTES);
        out.put(0, MAGIC).putShort(6, (short) 1);
        out.put(8, ascii("aes")).put(40, ascii(cipher.modeSpec())).put(72, ascii(hash.hashName()));
        out.putInt(104, (int) payloadSector).putInt(108, cipher.keyBytes());
        out.put(112, digest).put(132, digestSalt).putInt(164, digestIterations).put(168, ascii(uuid));
        for (int i = 0; i < SLOTS; i++) {
            LuksKeySlot slot = slots.get(i);
            int at = 208 + i * 48;
            out.putInt(at, slot.active() ? ACTIVE : INACTIVE).putInt(at + 4, slot.iterations());
            out.put(at + 8, slot.salt())
                    .putInt(at + 40, (int) slot.materialSector())
                    .putInt(at + 44, slot.stripes());
        }
        return out.array();
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    LuksHeader withSlot(int index, LuksKeySlot slot) {
        List<LuksKeySlot> changed = new ArrayList<>(slots);
        changed.set(index, slot);
        return new LuksHeader(cipher, hash, payloadSector, digest, digestSalt, digestIterations, uuid, changed);
    }

    /// What `qemu-img info` shows of it, under its names and in its order.
    public Map<String, Object> describe() {
        Map<String, Object> facts = new LinkedHashMap<>();
        facts.put("ivgen-alg", cipher.iv().label);
        cipher.ivHash().ifPresent(ivHash -> facts.put("ivgen-hash-alg", ivHash.hashName()));
        facts.put("hash-alg", hash.hashName());
        facts.put("cipher-alg", cipher.algorithm());
        facts.put("uuid", uuid);
        facts.put("cipher-mode", cipher.mode().label);
        List<Map<String, Object>> described = new ArrayList<>();
        for (LuksKeySlot slot : slots) {
            Map<String, Object> one = new LinkedHashMap<>();
            one.put("active", slot.active());
            if (slot.active()) {
                one.put("iters", slot.iterations());
            }
            one.put("key-offset", slot.materialOffset());
            if (slot.active()) {
                one.put("stripes", slot.stripes());
            }
            described.add(one);
        }
        facts.put("slots", described);
        facts.put("payload-offset", payloadOffset());
        facts.put("master-key-iters", digestIterations);
        return facts;
    }
}

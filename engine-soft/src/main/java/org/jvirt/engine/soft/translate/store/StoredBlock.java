package org.jvirt.engine.soft.translate.store;

import java.nio.ByteBuffer;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// A translation apart from where it runs: what guest code it is for, host code, and what in it depends on places.
///
/// Offsets in the page are the guest's, all others count from the start of the host code.
///
/// @param context    the set of rights
/// @param start      offset in the page of the first instruction
/// @param first      offset in the page of the first byte of [#guest]
/// @param crosses    it is one instruction that goes on on a second page
/// @param guest      all bytes of the guest that the translation depends on
/// @param fields     where in `guest` words of 4 bytes are that move [#with] the code or [#against] it: they
///     differ by as much as `rip` when the guest has loaded its kernel at another address
/// @param rip        the linear address that the code was made for
/// @param origin     the place in a code cache that it was made for
/// @param layout     what else a translated block knows of itself, by number
/// @param code       the host code
/// @param relocation what changes with `rip` and `origin`, as [Relocation] writes it
public record StoredBlock(
        int context,
        int start,
        int first,
        boolean crosses,
        byte[] guest,
        int[] fields,
        long rip,
        int origin,
        int[] layout,
        byte[] code,
        int[] relocation) {
    private static final int MAX = 1 << 18;
    /// No more, for fields that move by multiples of 64 KiB not to be part of it.
    private static final int KEY_BYTES = 3;
    private static final int PAGE = 4096;
    // what is at the start of an encoded block
    private static final int CONTEXT = 8;
    private static final int START = 12;
    private static final int FIRST = 16;
    private static final int CROSSES = 20;
    private static final int ORIGIN = 24;
    private static final int GUEST_BYTES = 28;
    private static final int FIELD_WORDS = 32;
    private static final int LAYOUT_WORDS = 36;
    private static final int CODE_BYTES = 40;
    private static final int RELOCATION_WORDS = 44;
    private static final int HEADER = 48;
    /// An encoded block has so many bytes at least.
    static final int LEAST_BYTES = HEADER;

    /// What a store finds it by.
    public long key() {
        int at = start - first;
        return key(context, start, guest, at, guest.length - at, crosses);
    }

    /// The key of code with these rights that begins with the bytes at `at`, of which `available` are there.
    static long key(int context, int start, byte[] bytes, int at, int available, boolean crosses) {
        long word = 0;
        int count = Math.min(Math.min(KEY_BYTES, PAGE - start), available);
        // a short block is found by its first byte alone: what follows it is no part of it
        for (int i = 0; i < (count < KEY_BYTES ? 1 : count); i++) {
            word = word << 8 | bytes[at + i] & 0xFF;
        }
        return mix(word
                ^ (long) (context << 12 | start | (crosses ? 1 << 20 : 0) | (count < KEY_BYTES ? 1 << 21 : 0)) << 40);
    }

    private static long mix(long value) {
        long h = value * 0x9E37_79B9_7F4A_7C15L;
        return (h ^ h >>> 32) * 0xD6E8_FEB8_6659_FD93L;
    }

    int encodedBytes() {
        return HEADER + guest.length + 4 * fields.length + 4 * layout.length + code.length + 4 * relocation.length;
    }

    /// Writes it to a buffer whose numbers have their lowest byte first.
    void encode(ByteBuffer to) {
        to.putLong(rip);
        to.putInt(context).putInt(start).putInt(first).putInt(crosses ? 1 : 0).putInt(origin);
        to.putInt(guest.length)
                .putInt(fields.length)
                .putInt(layout.length)
                .putInt(code.length)
                .putInt(relocation.length);
        to.put(guest);
        put(to, fields);
        put(to, layout);
        to.put(code);
        put(to, relocation);
    }

    private static void put(ByteBuffer to, int[] values) {
        for (int value : values) {
            to.putInt(value);
        }
    }

    /// Reads the `length` bytes at `at` that [#encode] wrote; null if it cannot have.
    static @Nullable StoredBlock decode(byte[] from, int at, int length) {
        if (length < HEADER) {
            return null;
        }
        int guestBytes = word(from, at + GUEST_BYTES);
        int fieldWords = word(from, at + FIELD_WORDS);
        int layoutWords = word(from, at + LAYOUT_WORDS);
        int codeBytes = word(from, at + CODE_BYTES);
        int relocationWords = word(from, at + RELOCATION_WORDS);
        if (isOdd(guestBytes)
                || isOdd(fieldWords)
                || isOdd(layoutWords)
                || isOdd(codeBytes)
                || isOdd(relocationWords)
                || length != HEADER + guestBytes + 4 * (fieldWords + layoutWords) + codeBytes + 4 * relocationWords) {
            return null;
        }
        int fieldsAt = at + HEADER + guestBytes;
        int layoutAt = fieldsAt + 4 * fieldWords;
        int codeAt = layoutAt + 4 * layoutWords;
        int relocationAt = codeAt + codeBytes;
        return new StoredBlock(
                word(from, at + CONTEXT),
                word(from, at + START),
                word(from, at + FIRST),
                word(from, at + CROSSES) != 0,
                Arrays.copyOfRange(from, at + HEADER, fieldsAt),
                words(from, fieldsAt, fieldWords),
                rip(from, at),
                word(from, at + ORIGIN),
                words(from, layoutAt, layoutWords),
                Arrays.copyOfRange(from, codeAt, relocationAt),
                words(from, relocationAt, relocationWords));
    }

    private static boolean isOdd(int count) {
        return count < 0 || count > MAX;
    }

    private static int[] words(byte[] from, int at, int count) {
        int[] values = new int[count];
        for (int i = 0; i < count; i++) {
            values[i] = word(from, at + 4 * i);
        }
        return values;
    }

    /// Of an encoded block at `at`: what it was made for, not checked.
    static long rip(byte[] encoded, int at) {
        return word(encoded, at) & 0xFFFF_FFFFL | (long) word(encoded, at + 4) << 32;
    }

    /// Of an encoded block: whether it is for code that lies on one page, with these rights.
    static boolean isPlain(byte[] encoded, int at, int wantedContext) {
        return word(encoded, at + CONTEXT) == wantedContext && word(encoded, at + CROSSES) == 0;
    }

    /// Of an encoded block: the offset in the page of its first instruction, not checked.
    static int start(byte[] encoded, int at) {
        return word(encoded, at + START);
    }

    /// Whether an encoded block of `encodedLength` bytes at `from` fits, as [#fits]; without making it, and without
    /// looking whether it is damaged.
    static boolean fits(
            byte[] encoded,
            int from,
            int encodedLength,
            int wantedContext,
            long wantedRip,
            boolean crosses,
            byte[] bytes,
            int available) {
        if (encodedLength < HEADER) {
            return false;
        }
        int first = word(encoded, from + FIRST);
        int length = word(encoded, from + GUEST_BYTES);
        int fieldCount = word(encoded, from + FIELD_WORDS);
        if (word(encoded, from + CONTEXT) != wantedContext
                || start(encoded, from) != (int) (wantedRip & PAGE - 1)
                || word(encoded, from + CROSSES) != 0 != crosses
                || first < 0
                || length < 0
                || (long) first + length > available
                || fieldCount < 0
                || HEADER + length + 4L * fieldCount > encodedLength) {
            return false;
        }
        int step = (int) (wantedRip - rip(encoded, from));
        int guestAt = from + HEADER;
        int at = 0;
        for (int i = 0; i < fieldCount; i++) {
            int field = word(encoded, guestAt + length + 4 * i);
            int end = place(field);
            if (end < at
                    || end > length - 4
                    || !Arrays.equals(encoded, guestAt + at, guestAt + end, bytes, first + at, first + end)
                    || word(bytes, first + end) != word(encoded, guestAt + end) + step(field, step)) {
                return false;
            }
            at = end + 4;
        }
        return Arrays.equals(encoded, guestAt + at, guestAt + length, bytes, first + at, first + length);
    }

    /// The field at a place that differs by as much as the code's address.
    public static int with(int place) {
        return place << 1;
    }

    /// The field at a place that differs by the negative of that.
    public static int against(int place) {
        return place << 1 | 1;
    }

    /// Where a field is.
    public static int place(int field) {
        return field >> 1;
    }

    /// The same field so many bytes further on.
    public static int moved(int field, int bytes) {
        return field + 2 * bytes;
    }

    /// By how much a field differs in code that is `step` further on.
    public static int step(int field, int step) {
        return (field & 1) == 0 ? step : -step;
    }

    /// Whether it is for code with these rights at a linear address whose page, and what follows it, holds `bytes`.
    boolean fits(int wantedContext, long wantedRip, boolean wantedCrosses, byte[] bytes, int available) {
        return context == wantedContext
                && start == (int) (wantedRip & PAGE - 1)
                && crosses == wantedCrosses
                && first + guest.length <= available
                && holds(bytes, (int) (wantedRip - rip));
    }

    private boolean holds(byte[] bytes, int step) {
        int at = 0;
        for (int field : fields) {
            int end = place(field);
            if (!Arrays.equals(guest, at, end, bytes, first + at, first + end)
                    || word(bytes, first + end) != word(guest, end) + step(field, step)) {
                return false;
            }
            at = end + 4;
        }
        return Arrays.equals(guest, at, guest.length, bytes, first + at, first + guest.length);
    }

    static int word(byte[] bytes, int at) {
        return bytes[at] & 0xFF | (bytes[at + 1] & 0xFF) << 8 | (bytes[at + 2] & 0xFF) << 16 | bytes[at + 3] << 24;
    }
}

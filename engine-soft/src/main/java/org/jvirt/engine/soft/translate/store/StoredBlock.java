package org.jvirt.engine.soft.translate.store;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Optional;

/// A translation apart from where it runs: what guest code it is for, host code, and what in it depends on places.
///
/// Offsets in the page are the guest's, all others count from the start of the host code.
///
/// @param context    the set of rights
/// @param start      offset in the page of the first instruction
/// @param first      offset in the page of the first byte of [#guest]
/// @param crosses    it is one instruction that goes on on a second page
/// @param guest      all bytes of the guest that the translation depends on
/// @param fields     where in `guest` words of 4 bytes are that move with the code: they differ by as much as `rip`
///     when the guest has loaded its kernel at another address
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
    private static final VarHandle LONGS = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.BIG_ENDIAN);
    private static final int MAX = 1 << 18;
    /// No more, for fields that move by multiples of 64 KiB not to be part of it.
    private static final int KEY_BYTES = 3;
    private static final int PAGE = 4096;
    private static final int HEADER = 2 * 8 + 10 * 4;

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

    void encode(ByteBuffer to) {
        to.putLong(key()).putLong(rip);
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

    /// Reads what [#encode] wrote; empty if it cannot have.
    static Optional<StoredBlock> decode(ByteBuffer from) {
        if (from.remaining() < HEADER) {
            return Optional.empty();
        }
        from.getLong();
        long rip = from.getLong();
        int context = from.getInt();
        int start = from.getInt();
        int first = from.getInt();
        boolean crosses = from.getInt() != 0;
        int origin = from.getInt();
        int guestBytes = from.getInt();
        int fieldWords = from.getInt();
        int layoutWords = from.getInt();
        int codeBytes = from.getInt();
        int relocationWords = from.getInt();
        if (isOdd(guestBytes)
                || isOdd(fieldWords)
                || isOdd(layoutWords)
                || isOdd(codeBytes)
                || isOdd(relocationWords)) {
            return Optional.empty();
        }
        if (from.remaining() != guestBytes + 4 * (fieldWords + layoutWords) + codeBytes + 4 * relocationWords) {
            return Optional.empty();
        }
        byte[] guest = new byte[guestBytes];
        from.get(guest);
        int[] fields = ints(from, fieldWords);
        int[] layout = ints(from, layoutWords);
        byte[] code = new byte[codeBytes];
        from.get(code);
        int[] relocation = ints(from, relocationWords);
        return Optional.of(
                new StoredBlock(context, start, first, crosses, guest, fields, rip, origin, layout, code, relocation));
    }

    private static boolean isOdd(int count) {
        return count < 0 || count > MAX;
    }

    private static int[] ints(ByteBuffer from, int count) {
        int[] values = new int[count];
        for (int i = 0; i < count; i++) {
            values[i] = from.getInt();
        }
        return values;
    }

    /// Whether an encoded block fits, as [#fits]; without making it, and without looking whether it is damaged.
    static boolean fits(
            ByteBuffer encoded, int wantedContext, long wantedRip, boolean crosses, byte[] bytes, int available) {
        if (encoded.limit() < HEADER) {
            return false;
        }
        long rip = encoded.getLong(8);
        int first = encoded.getInt(24);
        int length = encoded.getInt(36);
        int fieldCount = encoded.getInt(40);
        if (encoded.getInt(16) != wantedContext
                || encoded.getInt(20) != (int) (wantedRip & PAGE - 1)
                || encoded.getInt(28) != 0 != crosses
                || first < 0
                || length < 0
                || (long) first + length > available
                || fieldCount < 0
                || HEADER + length + 4L * fieldCount > encoded.limit()) {
            return false;
        }
        int step = (int) (wantedRip - rip);
        int at = 0;
        for (int i = 0; i <= fieldCount; i++) {
            int end = i == fieldCount ? length : encoded.getInt(HEADER + length + 4 * i);
            if (end < at || end > length || !same(encoded, HEADER + at, bytes, first + at, end - at)) {
                return false;
            }
            if (i < fieldCount) {
                if (end + 4 > length
                        || word(bytes, first + end) != Integer.reverseBytes(encoded.getInt(HEADER + end)) + step) {
                    return false;
                }
                at = end + 4;
            }
        }
        return true;
    }

    /// Whether `count` bytes are the same. Views of both would say so, too, but are objects, and this is asked
    /// often.
    private static boolean same(ByteBuffer encoded, int from, byte[] bytes, int at, int count) {
        int i = 0;
        for (; i + Long.BYTES <= count; i += Long.BYTES) {
            if (encoded.getLong(from + i) != (long) LONGS.get(bytes, at + i)) {
                return false;
            }
        }
        for (; i < count; i++) {
            if (encoded.get(from + i) != bytes[at + i]) {
                return false;
            }
        }
        return true;
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
            if (!Arrays.equals(guest, at, field, bytes, first + at, first + field)
                    || word(bytes, first + field) != word(guest, field) + step) {
                return false;
            }
            at = field + 4;
        }
        return Arrays.equals(guest, at, guest.length, bytes, first + at, first + guest.length);
    }

    private static int word(byte[] bytes, int at) {
        return bytes[at] & 0xFF | (bytes[at + 1] & 0xFF) << 8 | (bytes[at + 2] & 0xFF) << 16 | bytes[at + 3] << 24;
    }
}

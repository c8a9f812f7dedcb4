package org.jvirt.engine.soft.translate.store;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// What in host code depends on where it stands and on the guest's address, found by comparing two translations of
/// the same guest code, and its adjustment.
///
/// A relocation is an offset in the code and a [Kind]. Code is kept only if every difference is one of these, so
/// that no part of the translator needs to say what it emits.
public final class Relocation {
    /// How far apart the two translations are: in the code cache, and as the guest's addresses. No sum or
    /// multiple of one is the other, and both show in the lowest byte that can change.
    public static final int ORIGIN_STEP = 0x10_0040;

    /// Whole pages.
    public static final long RIP_STEP = 0x34_5000;

    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final int KIND_BITS = 3;
    private static final int JUMP_MASK = 0xFFFF;
    private static final int JUMP_SHIFT = 3;

    /// What a field holds.
    enum Kind {
        /// A distance to something that stays where it is.
        DISTANCE(4),
        /// A place in the code cache.
        PLACE(4),
        /// A linear address of the guest's, in 32 bits that are sign-extended or that nothing is lost of.
        ADDRESS4(4),
        ADDRESS8(8),
        /// The negative of one.
        NEGATIVE4(4),
        NEGATIVE8(8),
        /// The place in a table of what the low 16 bits of a linear address number.
        ENTRY(4);

        private final int bytes;

        Kind(int bytes) {
            this.bytes = bytes;
        }
    }

    private static final Kind[] KINDS = Kind.values();

    private Relocation() {}

    /// Compares code with that of the same guest code [#ORIGIN_STEP] and [#RIP_STEP] further on; empty if they
    /// differ in another way.
    ///
    /// @param wide where fields of 8 bytes begin
    public static Optional<int[]> find(byte[] code, byte[] other, int length, BitSet wide) {
        int[] found = new int[16];
        int count = 0;
        int at = 0;
        while (at < length) {
            if (code[at] == other[at]) {
                at++;
                continue;
            }
            int field = field(code, other, at, length, wide);
            if (field < 0) {
                return Optional.empty();
            }
            if (count == found.length) {
                found = Arrays.copyOf(found, 2 * count);
            }
            found[count++] = field;
            at = (field >>> KIND_BITS) + kind(field).bytes;
        }
        return Optional.of(Arrays.copyOf(found, count));
    }

    private static Kind kind(int relocation) {
        return KINDS[relocation & (1 << KIND_BITS) - 1];
    }

    /// The relocation that explains a difference at `at`, or -1. The lowest byte of a field may be the same.
    private static int field(byte[] code, byte[] other, int at, int length, BitSet wide) {
        for (int start = at; start >= Math.max(0, at - 1); start--) {
            Kind kind = null;
            if (wide.get(start)) {
                long difference = word8(other, start) - word8(code, start);
                kind = difference == RIP_STEP ? Kind.ADDRESS8 : difference == -RIP_STEP ? Kind.NEGATIVE8 : null;
            } else if (start + 4 <= length) {
                kind = kind4(word4(code, start), word4(other, start));
            }
            if (kind != null) {
                return start << KIND_BITS | kind.ordinal();
            }
        }
        return -1;
    }

    private static @Nullable Kind kind4(int one, int other) {
        int difference = other - one;
        if (difference == -ORIGIN_STEP) {
            return Kind.DISTANCE;
        }
        if (difference == ORIGIN_STEP) {
            return Kind.PLACE;
        }
        if (difference == (int) RIP_STEP && (one ^ other) >= 0) {
            return Kind.ADDRESS4;
        }
        if (difference == -(int) RIP_STEP && (one ^ other) >= 0) {
            return Kind.NEGATIVE4;
        }
        int step = (int) RIP_STEP & JUMP_MASK;
        boolean entry = difference == step << JUMP_SHIFT || difference == step - JUMP_MASK - 1 << JUMP_SHIFT;
        return entry ? Kind.ENTRY : null;
    }

    /// Those relocations that depend on the guest's address.
    public static int[] ofAddress(int[] relocation) {
        int[] found = new int[relocation.length];
        int count = 0;
        for (int each : relocation) {
            if (kind(each) != Kind.DISTANCE && kind(each) != Kind.PLACE) {
                found[count++] = each;
            }
        }
        return Arrays.copyOf(found, count);
    }

    /// Adjusts code in place to another origin and address. False if a field cannot hold what it should: the code
    /// is then of no use.
    ///
    /// @param start where in the segment the code begins
    /// @param table where the tables of [Kind#ENTRY] begin, as a field shows it
    public static boolean apply(
            MemorySegment code, long start, int[] relocation, int originStep, long ripStep, int table) {
        for (int each : relocation) {
            long at = start + (each >>> KIND_BITS);
            switch (kind(each)) {
                case DISTANCE -> code.set(INT, at, code.get(INT, at) - originStep);
                case PLACE -> code.set(INT, at, code.get(INT, at) + originStep);
                case ADDRESS4 -> {
                    if (!add4(code, at, ripStep)) {
                        return false;
                    }
                }
                case NEGATIVE4 -> {
                    if (!add4(code, at, -ripStep)) {
                        return false;
                    }
                }
                case ADDRESS8 -> code.set(LONG, at, code.get(LONG, at) + ripStep);
                case NEGATIVE8 -> code.set(LONG, at, code.get(LONG, at) - ripStep);
                case ENTRY -> {
                    // one table follows the other: which it is stays
                    int number = code.get(INT, at) - table >> JUMP_SHIFT;
                    int moved = number & ~JUMP_MASK | number + (int) ripStep & JUMP_MASK;
                    code.set(INT, at, table + (moved << JUMP_SHIFT));
                }
            }
        }
        return true;
    }

    private static boolean add4(MemorySegment code, long at, long step) {
        int old = code.get(INT, at);
        int now = old + (int) step;
        // the upper half, whatever it is taken for, stays the same
        if (step != (int) step || (old ^ now) < 0 || step != (long) now - old) {
            return false;
        }
        code.set(INT, at, now);
        return true;
    }

    private static int word4(byte[] code, int at) {
        return code[at] & 0xFF | (code[at + 1] & 0xFF) << 8 | (code[at + 2] & 0xFF) << 16 | code[at + 3] << 24;
    }

    private static long word8(byte[] code, int at) {
        return word4(code, at) & 0xFFFF_FFFFL | (long) word4(code, at + 4) << 32;
    }
}

package org.jvirt.engine.soft.integer;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.jvirt.engine.soft.cpu.Flags;

/// Shifts and rotates against the same done one place at a time.
class ShiftsTest {
    /// All that the manual defines for any count but OF, and OF by the formula for a count of one.
    private static final int SHIFT_FLAGS = Flags.CF | Flags.PF | Flags.ZF | Flags.SF | Flags.OF;

    private final Flags flags = new Flags();

    private record Outcome(long value, boolean carry, boolean overflow) {}

    /// Performs `count` steps of one place each.
    private static Outcome stepwise(ShiftKind kind, long start, int count, int width, boolean carryIn) {
        long value = cut(start, width);
        boolean carry = carryIn;
        for (int i = 0; i < count; i++) {
            boolean top = bit(value, width - 1);
            boolean bottom = bit(value, 0);
            boolean in = switch (kind) {
                case SHL, SHR -> false;
                case SAR, ROL -> top;
                case ROR -> bottom;
                case RCL, RCR -> carry;
            };
            switch (kind) {
                case SHL, ROL, RCL -> {
                    carry = top;
                    value = cut(value << 1 | (in ? 1 : 0), width);
                }
                case SHR, SAR, ROR, RCR -> {
                    carry = bottom;
                    value = value >>> 1 | (in ? 1L << width - 1 : 0);
                }
            }
        }
        boolean top = bit(value, width - 1);
        boolean overflow = switch (kind) {
            case SHL, ROL, RCL -> top != carry;
            case SHR, SAR, ROR, RCR -> top != bit(value, width - 2);
        };
        return new Outcome(value, carry, kind != ShiftKind.SAR && overflow);
    }

    private static long cut(long value, int width) {
        return width == 64 ? value : value & (1L << width) - 1;
    }

    private static boolean bit(long value, int index) {
        return (value >>> index & 1) != 0;
    }

    private void check(ShiftKind kind, long value, int count, int width, int before) {
        flags.unpack(before);
        long result = cut(kind.apply(flags, value, count, width / 8), width);
        int masked = count & (width == 64 ? 63 : 31);
        Outcome expected = stepwise(kind, value, masked, width, (before & Flags.CF) != 0);
        int packed = flags.pack();
        int expectedFlags;
        int mask = SHIFT_FLAGS;
        if (masked == 0) {
            expectedFlags = before;
            mask = Flags.MASK;
        } else {
            boolean rotate = kind.ordinal() <= ShiftKind.RCR.ordinal();
            int rest = before & ~(Flags.CF | Flags.OF);
            if (rotate) {
                mask = Flags.MASK;
            } else {
                rest = (expected.value == 0 ? Flags.ZF : 0)
                        | (bit(expected.value, width - 1) ? Flags.SF : 0)
                        | (Long.bitCount(expected.value & 0xFF) % 2 == 0 ? Flags.PF : 0);
            }
            expectedFlags = rest | (expected.carry ? Flags.CF : 0) | (expected.overflow ? Flags.OF : 0);
        }
        if (result != expected.value || (packed & mask) != (expectedFlags & mask)) {
            assertThat(result)
                    .as("%s of 0x%x by %d, %d bits", kind, value, count, width)
                    .isEqualTo(expected.value);
            assertThat(packed & mask)
                    .as("flags of %s of 0x%x by %d, %d bits", kind, value, count, width)
                    .isEqualTo(expectedFlags & mask);
        }
    }

    @Test
    void allBytesByAllCountsAgreeWithSingleSteps() {
        for (ShiftKind kind : ShiftKind.values()) {
            for (int value = 0; value < 256; value++) {
                for (int count = 0; count < 64; count++) {
                    check(kind, value, count, 8, 0);
                    check(kind, value, count, 8, Flags.MASK);
                }
            }
        }
    }

    @Test
    void widerValuesByAllCountsAgreeWithSingleSteps() {
        var random = new SplittableRandom(42);
        for (ShiftKind kind : ShiftKind.values()) {
            for (int width : new int[] {16, 32, 64}) {
                for (int count = 0; count < 256; count++) {
                    for (int i = 0; i < 20; i++) {
                        check(kind, random.nextLong(), count, width, random.nextInt() & Flags.MASK);
                    }
                }
            }
        }
    }

    @Test
    void doubleShiftsTakeTheirBitsFromTheSecondOperand() {
        var random = new SplittableRandom(43);
        for (int width : new int[] {16, 32, 64}) {
            for (int count = 1; count < Math.min(width, 64); count++) {
                for (int i = 0; i < 200; i++) {
                    long value = random.nextLong();
                    long fill = random.nextLong();
                    long left = 0;
                    long right = 0;
                    for (int k = 0; k < width; k++) {
                        // bit k of the result comes from `count` places below, or above
                        boolean fromLeft = k >= count ? bit(value, k - count) : bit(fill, width - count + k);
                        boolean fromRight = k + count < width ? bit(value, k + count) : bit(fill, k + count - width);
                        left |= fromLeft ? 1L << k : 0;
                        right |= fromRight ? 1L << k : 0;
                    }
                    assertThat(Rotates.shld(flags, value, fill, count, width)).isEqualTo(left);
                    assertThat(flags.cf()).isEqualTo(bit(value, width - count));
                    assertThat(flags.zf()).isEqualTo(left == 0);
                    assertThat(flags.sf()).isEqualTo(bit(left, width - 1));
                    if (count == 1) {
                        assertThat(flags.of()).isEqualTo(bit(left, width - 1) != bit(value, width - 1));
                    }
                    assertThat(Rotates.shrd(flags, value, fill, count, width)).isEqualTo(right);
                    assertThat(flags.cf()).isEqualTo(bit(value, count - 1));
                    if (count == 1) {
                        assertThat(flags.of()).isEqualTo(bit(right, width - 1) != bit(value, width - 1));
                    }
                }
            }
        }
    }

    /// As an AMD EPYC answered.
    @Test
    void sixteenBitDoubleShiftsBeyondTheirWidthTakeTheSecondOperandAgain() {
        int[] left = {0xABCD, 0x579B, 0xAF36, 0x5E6D, 0xBCDA, 0x79B5, 0xF36A, 0xE6D5, 0xCDAB};
        int[] right = {0xABCD, 0xD5E6, 0x6AF3, 0xB579, 0xDABC, 0x6D5E, 0x36AF, 0x9B57, 0xCDAB};
        for (int i = 0; i < left.length; i++) {
            assertThat(Rotates.shld(flags, 0x1234, 0xABCD, 16 + i, 16)).isEqualTo(left[i]);
            assertThat(Rotates.shrd(flags, 0x1234, 0xABCD, 16 + i, 16)).isEqualTo(right[i]);
            assertThat(flags.cf()).isFalse();
        }
    }

    @Test
    void aDoubleShiftByZeroChangesNoFlag() {
        flags.unpack(Flags.MASK);
        assertThat(Rotates.shld(flags, 0x1234, 0xFFFF, 32, 16)).isEqualTo(0x1234);
        assertThat(Rotates.shrd(flags, 0x1234, 0xFFFF, 64, 64)).isEqualTo(0x1234);
        assertThat(flags.pack()).isEqualTo(Flags.MASK);
    }
}

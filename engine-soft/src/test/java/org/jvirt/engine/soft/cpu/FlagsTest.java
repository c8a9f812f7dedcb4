package org.jvirt.engine.soft.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/// [Flags] against definitions that work bit by bit, as a ripple-carry adder does.
class FlagsTest {
    private static final int[] WIDTHS = {8, 16, 32, 64};

    private final Flags flags = new Flags();

    /// A sum of three, and the flags of the addition.
    private record Sum(long value, int packed) {}

    private static Sum rippleAdd(long a, long b, boolean carryIn, int width) {
        boolean carry = carryIn;
        boolean intoTop = false;
        boolean afterNibble = false;
        long value = 0;
        for (int i = 0; i < width; i++) {
            boolean x = (a >>> i & 1) != 0;
            boolean y = (b >>> i & 1) != 0;
            if (i == width - 1) {
                intoTop = carry;
            }
            if (x ^ y ^ carry) {
                value |= 1L << i;
            }
            carry = x && y || carry && (x || y);
            if (i == 3) {
                afterNibble = carry;
            }
        }
        int packed = resultFlags(value, width)
                | (carry ? Flags.CF : 0)
                | (carry != intoTop ? Flags.OF : 0)
                | (afterNibble ? Flags.AF : 0);
        return new Sum(value, packed);
    }

    /// Subtraction is the addition of the complement, with all carries inverted.
    private static Sum rippleSubtract(long a, long b, boolean borrowIn, int width) {
        Sum sum = rippleAdd(a, ~b, !borrowIn, width);
        return new Sum(sum.value, sum.packed ^ (Flags.CF | Flags.AF));
    }

    private static int resultFlags(long value, int width) {
        int ones = 0;
        boolean zero = true;
        for (int i = 0; i < width; i++) {
            if ((value >>> i & 1) != 0) {
                zero = false;
                ones += i < 8 ? 1 : 0;
            }
        }
        return (zero ? Flags.ZF : 0) | ((value >>> width - 1 & 1) != 0 ? Flags.SF : 0) | (ones % 2 == 0 ? Flags.PF : 0);
    }

    private static long cut(long value, int width) {
        return width == 64 ? value : value & (1L << width) - 1;
    }

    private long add(long a, long b, int width) {
        return switch (width) {
            case 8 -> flags.add8((int) a, (int) b);
            case 16 -> flags.add16((int) a, (int) b);
            case 32 -> flags.add32((int) a, (int) b);
            default -> flags.add64(a, b);
        };
    }

    private long adc(long a, long b, int width) {
        return switch (width) {
            case 8 -> flags.adc8((int) a, (int) b);
            case 16 -> flags.adc16((int) a, (int) b);
            case 32 -> flags.adc32((int) a, (int) b);
            default -> flags.adc64(a, b);
        };
    }

    private long sub(long a, long b, int width) {
        return switch (width) {
            case 8 -> flags.sub8((int) a, (int) b);
            case 16 -> flags.sub16((int) a, (int) b);
            case 32 -> flags.sub32((int) a, (int) b);
            default -> flags.sub64(a, b);
        };
    }

    private long sbb(long a, long b, int width) {
        return switch (width) {
            case 8 -> flags.sbb8((int) a, (int) b);
            case 16 -> flags.sbb16((int) a, (int) b);
            case 32 -> flags.sbb32((int) a, (int) b);
            default -> flags.sbb64(a, b);
        };
    }

    private long inc(long a, int width) {
        return switch (width) {
            case 8 -> flags.inc8((int) a);
            case 16 -> flags.inc16((int) a);
            case 32 -> flags.inc32((int) a);
            default -> flags.inc64(a);
        };
    }

    private long dec(long a, int width) {
        return switch (width) {
            case 8 -> flags.dec8((int) a);
            case 16 -> flags.dec16((int) a);
            case 32 -> flags.dec32((int) a);
            default -> flags.dec64(a);
        };
    }

    private long neg(long a, int width) {
        return switch (width) {
            case 8 -> flags.neg8((int) a);
            case 16 -> flags.neg16((int) a);
            case 32 -> flags.neg32((int) a);
            default -> flags.neg64(a);
        };
    }

    private long logic(long r, int width) {
        return switch (width) {
            case 8 -> flags.logic8((int) r);
            case 16 -> flags.logic16((int) r);
            case 32 -> flags.logic32((int) r);
            default -> flags.logic64(r);
        };
    }

    private void check(long actual, Sum expected, int width) {
        if (cut(actual, width) != expected.value || flags.pack() != expected.packed) {
            assertThat(cut(actual, width)).isEqualTo(expected.value);
            assertThat(flags.pack()).isEqualTo(expected.packed);
        }
    }

    private void checkPair(long a, long b, boolean carry, int width) {
        check(add(a, b, width), rippleAdd(a, b, false, width), width);
        check(sub(a, b, width), rippleSubtract(a, b, false, width), width);
        flags.setCf(carry);
        check(adc(a, b, width), rippleAdd(a, b, carry, width), width);
        flags.setCf(carry);
        check(sbb(a, b, width), rippleSubtract(a, b, carry, width), width);
    }

    private void checkOne(long a, int before, int width) {
        int carry = before & Flags.CF;
        flags.unpack(before);
        Sum more = rippleAdd(a, 1, false, width);
        check(inc(a, width), new Sum(more.value, more.packed & ~Flags.CF | carry), width);
        flags.unpack(before);
        Sum less = rippleSubtract(a, 1, false, width);
        check(dec(a, width), new Sum(less.value, less.packed & ~Flags.CF | carry), width);
        check(neg(a, width), rippleSubtract(0, a, false, width), width);
        check(logic(a, width), new Sum(cut(a, width), resultFlags(a, width)), width);
    }

    @Test
    void additionAndSubtractionOfAllBytesAgreeWithTheRippleCarryAdder() {
        for (int a = 0; a < 256; a++) {
            for (int b = 0; b < 256; b++) {
                checkPair(a, b, false, 8);
                checkPair(a, b, true, 8);
            }
        }
    }

    @Test
    void incrementDecrementNegationAndLogicOfAllBytesAgreeForEachCarryAndOverflow() {
        for (int a = 0; a < 256; a++) {
            for (int before : new int[] {0, Flags.CF, Flags.OF, Flags.CF | Flags.OF, Flags.MASK}) {
                checkOne(a, before, 8);
            }
        }
    }

    @Test
    void widerOperandsAgreeAtEdgesAndAtRandom() {
        var random = new SplittableRandom(20250101);
        for (int width : WIDTHS) {
            for (int i = 0; i < 20_000; i++) {
                long a = interesting(random, width);
                long b = interesting(random, width);
                checkPair(a, b, random.nextBoolean(), width);
                checkOne(a, random.nextInt() & Flags.MASK, width);
            }
        }
    }

    /// Values near the ends of the range, with few bits, or of any kind; above the width anything.
    private static long interesting(SplittableRandom random, int width) {
        long value = switch (random.nextInt(4)) {
            case 0 -> random.nextInt(-3, 4);
            case 1 -> (1L << width - 1) + random.nextInt(-3, 4);
            case 2 -> 1L << random.nextInt(width);
            default -> random.nextLong();
        };
        return width < 64 ? cut(value, width) | (long) random.nextInt(4) << width : value;
    }

    @Test
    void everyCombinationOfFlagsSurvivesUnpackingAndPacking() {
        for (int bits = 0; bits <= 0xFFF; bits++) {
            flags.unpack(bits);
            assertThat(flags.pack()).isEqualTo(bits & Flags.MASK);
        }
    }

    @Test
    void settingOneFlagLeavesTheOthers() {
        for (int bits = 0; bits <= 0xFFF; bits++) {
            int before = bits & Flags.MASK;
            for (boolean value : new boolean[] {false, true}) {
                flags.unpack(before);
                flags.setCf(value);
                assertThat(flags.pack()).isEqualTo(before & ~Flags.CF | (value ? Flags.CF : 0));
                flags.unpack(before);
                flags.setOf(value);
                assertThat(flags.pack()).isEqualTo(before & ~Flags.OF | (value ? Flags.OF : 0));
                flags.unpack(before);
                flags.setZf(value);
                assertThat(flags.pack()).isEqualTo(before & ~Flags.ZF | (value ? Flags.ZF : 0));
            }
        }
    }

    @Test
    void conditionsFollowTheirDefinitionsForEveryCombinationOfFlags() {
        for (int bits = 0; bits <= 0xFFF; bits++) {
            flags.unpack(bits);
            boolean c = (bits & Flags.CF) != 0;
            boolean p = (bits & Flags.PF) != 0;
            boolean z = (bits & Flags.ZF) != 0;
            boolean s = (bits & Flags.SF) != 0;
            boolean o = (bits & Flags.OF) != 0;
            boolean[] even = {o, c, z, c || z, s, p, s != o, z || s != o};
            for (int code = 0; code < 16; code++) {
                assertThat(flags.condition(code)).isEqualTo(even[code / 2] == (code % 2 == 0));
            }
            assertThat(flags.carry()).isEqualTo(c ? 1 : 0);
            assertThat(flags.af()).isEqualTo((bits & Flags.AF) != 0);
        }
    }

    @Test
    void conditionsAfterAComparisonOrderTheOperands() {
        var random = new SplittableRandom(7);
        for (int i = 0; i < 50_000; i++) {
            long a = interesting(random, 64);
            long b = random.nextInt(8) == 0 ? a : interesting(random, 64);
            flags.sub64(a, b);
            assertThat(flags.zf()).isEqualTo(a == b);
            assertThat(flags.less()).isEqualTo(a < b);
            assertThat(flags.lessOrEqual()).isEqualTo(a <= b);
            assertThat(flags.cf()).isEqualTo(Long.compareUnsigned(a, b) < 0);
            assertThat(flags.belowOrEqual()).isEqualTo(Long.compareUnsigned(a, b) <= 0);
        }
    }
}

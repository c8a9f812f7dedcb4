package org.jvirt.engine.soft.simd;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.EnumMap;
import java.util.Map;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.function.LongBinaryOperator;
import java.util.function.LongUnaryOperator;
import org.junit.jupiter.api.Test;
import org.jvirt.engine.soft.simd.PackedIntegers.Binary;
import org.jvirt.x86.Mnemonic;

class PackedIntegersTest {
    private static final int ROUNDS = 20_000;

    /// What an instruction does to one pair of elements.
    private record Definition(int bits, boolean signed, LongBinaryOperator element) {}

    private final Map<Mnemonic, Definition> definitions = new EnumMap<>(Mnemonic.class);

    PackedIntegersTest() {
        define(Mnemonic.PADDB, 8, true, (a, b) -> a + b);
        define(Mnemonic.PADDW, 16, true, (a, b) -> a + b);
        define(Mnemonic.PADDD, 32, true, (a, b) -> a + b);
        define(Mnemonic.PADDQ, 64, true, (a, b) -> a + b);
        define(Mnemonic.PSUBB, 8, true, (a, b) -> a - b);
        define(Mnemonic.PSUBW, 16, true, (a, b) -> a - b);
        define(Mnemonic.PSUBD, 32, true, (a, b) -> a - b);
        define(Mnemonic.PSUBQ, 64, true, (a, b) -> a - b);
        define(Mnemonic.PAND, 8, false, (a, b) -> a & b);
        define(Mnemonic.PANDN, 8, false, (a, b) -> ~a & b);
        define(Mnemonic.POR, 8, false, (a, b) -> a | b);
        define(Mnemonic.PXOR, 8, false, (a, b) -> a ^ b);
        define(Mnemonic.PCMPEQB, 8, true, (a, b) -> a == b ? -1 : 0);
        define(Mnemonic.PCMPEQW, 16, true, (a, b) -> a == b ? -1 : 0);
        define(Mnemonic.PCMPEQD, 32, true, (a, b) -> a == b ? -1 : 0);
        define(Mnemonic.PCMPEQQ, 64, true, (a, b) -> a == b ? -1 : 0);
        define(Mnemonic.PCMPGTB, 8, true, (a, b) -> a > b ? -1 : 0);
        define(Mnemonic.PCMPGTW, 16, true, (a, b) -> a > b ? -1 : 0);
        define(Mnemonic.PCMPGTD, 32, true, (a, b) -> a > b ? -1 : 0);
        define(Mnemonic.PCMPGTQ, 64, true, (a, b) -> a > b ? -1 : 0);
        define(Mnemonic.PMINUB, 8, false, Math::min);
        define(Mnemonic.PMAXUB, 8, false, Math::max);
        define(Mnemonic.PMINSB, 8, true, Math::min);
        define(Mnemonic.PMAXSB, 8, true, Math::max);
        define(Mnemonic.PMINUW, 16, false, Math::min);
        define(Mnemonic.PMAXUW, 16, false, Math::max);
        define(Mnemonic.PMINSW, 16, true, Math::min);
        define(Mnemonic.PMAXSW, 16, true, Math::max);
        define(Mnemonic.PMINUD, 32, false, Math::min);
        define(Mnemonic.PMAXUD, 32, false, Math::max);
        define(Mnemonic.PMINSD, 32, true, Math::min);
        define(Mnemonic.PMAXSD, 32, true, Math::max);
        define(Mnemonic.PADDSB, 8, true, (a, b) -> Math.clamp(a + b, -128L, 127L));
        define(Mnemonic.PADDSW, 16, true, (a, b) -> Math.clamp(a + b, -32768L, 32767L));
        define(Mnemonic.PADDUSB, 8, false, (a, b) -> Math.min(a + b, 255));
        define(Mnemonic.PADDUSW, 16, false, (a, b) -> Math.min(a + b, 65535));
        define(Mnemonic.PSUBSB, 8, true, (a, b) -> Math.clamp(a - b, -128L, 127L));
        define(Mnemonic.PSUBSW, 16, true, (a, b) -> Math.clamp(a - b, -32768L, 32767L));
        define(Mnemonic.PSUBUSB, 8, false, (a, b) -> Math.max(a - b, 0));
        define(Mnemonic.PSUBUSW, 16, false, (a, b) -> Math.max(a - b, 0));
        define(Mnemonic.PAVGB, 8, false, (a, b) -> (a + b + 1) / 2);
        define(Mnemonic.PAVGW, 16, false, (a, b) -> (a + b + 1) / 2);
        define(Mnemonic.PMULLW, 16, true, (a, b) -> a * b);
        define(Mnemonic.PMULHW, 16, true, (a, b) -> Math.floorDiv(a * b, 65536));
        define(Mnemonic.PMULHUW, 16, false, (a, b) -> a * b / 65536);
        define(Mnemonic.PMULHRSW, 16, true, (a, b) -> Math.floorDiv(a * b + 16384, 32768));
        define(Mnemonic.PMULLD, 32, true, (a, b) -> a * b);
        define(
                Mnemonic.PMULUDQ,
                64,
                false,
                (a, b) -> Integer.toUnsignedLong((int) a) * Integer.toUnsignedLong((int) b));
        define(Mnemonic.PMULDQ, 64, true, (a, b) -> (long) (int) a * (int) b);
        define(Mnemonic.PABSB, 8, true, (a, b) -> Math.abs(b));
        define(Mnemonic.PABSW, 16, true, (a, b) -> Math.abs(b));
        define(Mnemonic.PABSD, 32, true, (a, b) -> Math.abs(b));
        define(Mnemonic.PSIGNB, 8, true, (a, b) -> a * Long.signum(b));
        define(Mnemonic.PSIGNW, 16, true, (a, b) -> a * Long.signum(b));
        define(Mnemonic.PSIGND, 32, true, (a, b) -> a * Long.signum(b));
        define(Mnemonic.VPSLLVD, 32, false, (a, b) -> b > 31 ? 0 : a << b);
        define(Mnemonic.VPSRLVD, 32, false, (a, b) -> b > 31 ? 0 : a >>> b);
        define(Mnemonic.VPSRAVD, 32, true, (a, b) -> b < 0 || b > 31 ? a >> 31 : a >> b);
        define(Mnemonic.VPSLLVQ, 64, false, (a, b) -> b < 0 || b > 63 ? 0 : a << b);
        define(Mnemonic.VPSRLVQ, 64, false, (a, b) -> b < 0 || b > 63 ? 0 : a >>> b);
    }

    private void define(Mnemonic mnemonic, int bits, boolean signed, LongBinaryOperator element) {
        definitions.put(mnemonic, new Definition(bits, signed, element));
    }

    @Test
    void everyFunctionIsItsDefinitionOnEachElement() {
        var random = new SplittableRandom(1);
        definitions.forEach((mnemonic, definition) -> {
            Binary function = Objects.requireNonNull(WordOps.function(mnemonic), mnemonic::name);
            for (int round = 0; round < ROUNDS; round++) {
                long a = Lanes.value(random);
                long b = random.nextInt(8) == 0 ? a : shortened(Lanes.value(random), mnemonic, random);
                long[] as = Lanes.split(definition.bits(), definition.signed(), a);
                long[] bs = Lanes.split(definition.bits(), definition.signed(), b);
                long[] expected = new long[as.length];
                for (int i = 0; i < as.length; i++) {
                    expected[i] = definition.element().applyAsLong(as[i], bs[i]);
                }
                assertThat(function.apply(a, b))
                        .as("%s %016x %016x", mnemonic, a, b)
                        .isEqualTo(Lanes.join(definition.bits(), expected)[0]);
            }
        });
    }

    /// Shift counts that are not all too large.
    private static long shortened(long value, Mnemonic mnemonic, SplittableRandom random) {
        boolean shift = mnemonic.name().startsWith("VPS");
        return shift && random.nextBoolean() ? value & 0x0000_003F_0000_003FL : value;
    }

    @Test
    void multiplyAddPairsTheProductsOfNeighbours() {
        var random = new SplittableRandom(2);
        for (int round = 0; round < ROUNDS; round++) {
            long a = Lanes.value(random);
            long b = Lanes.value(random);
            long[] words = Lanes.split(16, true, a);
            long[] factors = Lanes.split(16, true, b);
            long[] unsigned = Lanes.split(8, false, a);
            long[] signed = Lanes.split(8, true, b);
            long[] wide = new long[2];
            long[] saturated = new long[4];
            for (int i = 0; i < 2; i++) {
                wide[i] = words[2 * i] * factors[2 * i] + words[2 * i + 1] * factors[2 * i + 1];
            }
            for (int i = 0; i < 4; i++) {
                saturated[i] = Math.clamp(
                        unsigned[2 * i] * signed[2 * i] + unsigned[2 * i + 1] * signed[2 * i + 1], -32768L, 32767L);
            }
            assertThat(PackedIntegers.pmaddwd(a, b)).isEqualTo(Lanes.join(32, wide)[0]);
            assertThat(PackedIntegers.pmaddubsw(a, b)).isEqualTo(Lanes.join(16, saturated)[0]);
        }
    }

    @Test
    void theSumOfAbsoluteDifferencesIsOverEightBytes() {
        var random = new SplittableRandom(3);
        for (int round = 0; round < ROUNDS; round++) {
            long a = Lanes.value(random);
            long b = Lanes.value(random);
            long[] as = Lanes.split(8, false, a);
            long[] bs = Lanes.split(8, false, b);
            long sum = 0;
            for (int i = 0; i < 8; i++) {
                sum += Math.abs(as[i] - bs[i]);
            }
            assertThat(PackedIntegers.psadbw(a, b)).isEqualTo(sum);
        }
    }

    @Test
    void shiftsMoveEachElementAndEmptyItWhenTheCountIsTooLarge() {
        var random = new SplittableRandom(4);
        Mnemonic[] left = {Mnemonic.PSLLW, Mnemonic.PSLLD, Mnemonic.PSLLQ};
        Mnemonic[] right = {Mnemonic.PSRLW, Mnemonic.PSRLD, Mnemonic.PSRLQ};
        Mnemonic[] arithmetic = {Mnemonic.PSRAW, Mnemonic.PSRAD};
        for (int round = 0; round < 2_000; round++) {
            long a = Lanes.value(random);
            for (int count = 0; count <= PackedShifts.ALL; count++) {
                for (int size = 0; size < 3; size++) {
                    int bits = 16 << size;
                    int n = count;
                    assertThat(shift(left[size], a, n)).isEqualTo(each(bits, false, a, x -> n >= bits ? 0 : x << n));
                    assertThat(shift(right[size], a, n)).isEqualTo(each(bits, false, a, x -> n >= bits ? 0 : x >>> n));
                    if (size < 2) {
                        assertThat(shift(arithmetic[size], a, n))
                                .isEqualTo(each(bits, true, a, x -> x >> Math.min(n, bits - 1)));
                    }
                }
            }
        }
    }

    private static long shift(Mnemonic mnemonic, long a, int count) {
        return Objects.requireNonNull(ShiftOps.function(mnemonic)).apply(a, count);
    }

    private static long each(int bits, boolean signed, long a, LongUnaryOperator function) {
        long[] elements = Lanes.split(bits, signed, a);
        for (int i = 0; i < elements.length; i++) {
            elements[i] = function.applyAsLong(elements[i]);
        }
        return Lanes.join(bits, elements)[0];
    }

    @Test
    void anOperandAsShiftCountIsUnsigned() {
        assertThat(PackedShifts.count(-1)).isEqualTo(PackedShifts.ALL);
        assertThat(PackedShifts.count(1L << 32)).isEqualTo(PackedShifts.ALL);
        assertThat(PackedShifts.count(63)).isEqualTo(63);
    }
}

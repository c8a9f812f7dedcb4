package org.jvirt.engine.soft.fp;

import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigDecimal;
import java.math.MathContext;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Assume;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

/// Laws that hold on every host, without a recorded processor.
class FpPropertiesTest {
    private static final MathContext EXACT = MathContext.UNLIMITED;

    /// Doubles with every exponent equally likely, and all special values.
    @Provide
    Arbitrary<Long> doubles() {
        return Arbitraries.oneOf(
                Arbitraries.longs().withoutEdgeCases(),
                Arbitraries.longs().between(0x3FD0_0000_0000_0000L, 0x4030_0000_0000_0000L),
                Arbitraries.longs().between(0, 0x0030_0000_0000_0000L),
                Arbitraries.of(
                        0L,
                        Long.MIN_VALUE,
                        1L,
                        0x7FF0_0000_0000_0000L,
                        0xFFF0_0000_0000_0000L,
                        0x7FF8_0000_0000_0001L,
                        0x7FF0_0000_0000_0001L,
                        0x7FEF_FFFF_FFFF_FFFFL,
                        0x0010_0000_0000_0000L,
                        0x3FF0_0000_0000_0000L));
    }

    private static Mxcsr mxcsr(int value) {
        Mxcsr m = new Mxcsr();
        m.value(value);
        m.begin();
        return m;
    }

    @Property
    void fastAndGeneralWayAgreeOnResultsAndFlags(@ForAll("doubles") long a, @ForAll("doubles") long b) {
        Mxcsr fast = mxcsr(Mxcsr.RESET);
        Mxcsr general = mxcsr(Mxcsr.RESET);
        assertThat(Fp64.add(fast, a, b)).isEqualTo(Ieee.add(general, IeeeFormat.F64, a, b, 0));
        assertThat(fast.raised()).isEqualTo(general.raised());
        assertThat(Fp64.sub(fast, a, b)).isEqualTo(Ieee.add(general, IeeeFormat.F64, a, b, Long.MIN_VALUE));
        assertThat(fast.raised()).isEqualTo(general.raised());
        fast.begin();
        general.begin();
        assertThat(Fp64.mul(fast, a, b)).isEqualTo(Ieee.mul(general, IeeeFormat.F64, a, b));
        assertThat(fast.raised()).isEqualTo(general.raised());
        fast.begin();
        general.begin();
        assertThat(Fp64.div(fast, a, b)).isEqualTo(Ieee.div(general, IeeeFormat.F64, a, b));
        assertThat(fast.raised()).isEqualTo(general.raised());
        fast.begin();
        general.begin();
        assertThat(Fp64.sqrt(fast, a)).isEqualTo(Ieee.sqrt(general, IeeeFormat.F64, a));
        assertThat(fast.raised()).isEqualTo(general.raised());
    }

    @Property
    void nearestRoundingIsJavas(@ForAll("doubles") long a, @ForAll("doubles") long b, @ForAll("doubles") long c) {
        double x = Double.longBitsToDouble(a);
        double y = Double.longBitsToDouble(b);
        double z = Double.longBitsToDouble(c);
        Mxcsr m = mxcsr(Mxcsr.RESET);
        assertSameNumber(Ieee.add(m, IeeeFormat.F64, a, b, 0), x + y);
        assertSameNumber(Ieee.mul(m, IeeeFormat.F64, a, b), x * y);
        assertSameNumber(Ieee.div(m, IeeeFormat.F64, a, b), x / y);
        assertSameNumber(Fp64.fma(m, new Fma(213, false, false), a, b, c), Math.fma(x, y, z));
        assertThat(Float.floatToIntBits(Float.intBitsToFloat(Fp64.toF32(m, a))))
                .isEqualTo(Float.floatToIntBits((float) x));
    }

    /// Equal bits, but for the payload of NaNs, which Java leaves open.
    private static void assertSameNumber(long bits, double expected) {
        assertThat(Double.doubleToLongBits(Double.longBitsToDouble(bits))).isEqualTo(Double.doubleToLongBits(expected));
    }

    @Property
    void directedRoundingsEncloseTheExactSumAndInexactnessIsExact(
            @ForAll("doubles") long a, @ForAll("doubles") long b) {
        double x = Double.longBitsToDouble(a);
        double y = Double.longBitsToDouble(b);
        Assume.that(Double.isFinite(x) && Double.isFinite(y) && Double.isFinite(x + y));
        BigDecimal exact = new BigDecimal(x).add(new BigDecimal(y), EXACT);
        Mxcsr down = mxcsr(Mxcsr.RESET | FpEnvironment.DOWN << 13);
        Mxcsr up = mxcsr(Mxcsr.RESET | FpEnvironment.UP << 13);
        double low = Double.longBitsToDouble(Fp64.add(down, a, b));
        double high = Double.longBitsToDouble(Fp64.add(up, a, b));
        assertThat(Double.isInfinite(low) || new BigDecimal(low).compareTo(exact) <= 0)
                .isTrue();
        assertThat(Double.isInfinite(high) || new BigDecimal(high).compareTo(exact) >= 0)
                .isTrue();
        boolean inexact = low != high;
        assertThat((down.raised() & FpEnvironment.PE) != 0).isEqualTo(inexact);
        assertThat((up.raised() & FpEnvironment.PE) != 0).isEqualTo(inexact);
    }

    @Property
    void additionAndMultiplicationOf80BitsCommute(
            @ForAll long as, @ForAll("exponents") int ae, @ForAll long bs, @ForAll("exponents") int be) {
        X87Environment e = new X87Environment();
        X87Environment f = new X87Environment();
        Fp80.add(e, as | Fp80.TOP, ae, bs | Fp80.TOP, be);
        Fp80.add(f, bs | Fp80.TOP, be, as | Fp80.TOP, ae);
        assertSame(e, f);
        Fp80.mul(e, as | Fp80.TOP, ae, bs | Fp80.TOP, be);
        Fp80.mul(f, bs | Fp80.TOP, be, as | Fp80.TOP, ae);
        assertSame(e, f);
    }

    @Provide
    Arbitrary<Integer> exponents() {
        return Arbitraries.oneOf(
                Arbitraries.integers().between(0, 0xFFFF),
                Arbitraries.integers().between(Fp80.BIAS - 70, Fp80.BIAS + 70));
    }

    private static void assertSame(X87Environment e, X87Environment f) {
        assertThat(e.significand()).isEqualTo(f.significand());
        assertThat(e.signExponent()).isEqualTo(f.signExponent());
        assertThat(e.raised()).isEqualTo(f.raised());
        assertThat(e.roundedUp()).isEqualTo(f.roundedUp());
    }

    @Property
    void doublesAndIntegersSurviveTheWayThrough80Bits(@ForAll("doubles") long bits, @ForAll long integer) {
        Assume.that(!Double.isNaN(Double.longBitsToDouble(bits)));
        X87 x = new X87();
        x.loadInteger(integer);
        assertThat(x.storeInteger(64, false)).isTrue();
        assertThat(x.stored()).isEqualTo(integer);
        x.storeDone(true);
        x.loadF64(bits);
        assertThat(x.storeF64()).isTrue();
        assertThat(x.stored()).isEqualTo(bits);
        x.storeDone(true);
        assertThat(x.fullRegisters()).isZero();
        assertThat(x.status() & (FpEnvironment.IE | FpEnvironment.OE)).isZero();
    }

    @Property
    void packedDecimalRoundTrips(@ForAll("decimals") long value) {
        X87 x = new X87();
        x.loadInteger(value);
        assertThat(x.storeBcd()).isTrue();
        long low = x.stored();
        int high = x.storedHigh();
        x.storeDone(true);
        assertThat(Long.parseLong(String.format("%02x%016x", high & 0xFF, low))).isEqualTo(Math.abs(value));
        x.loadBcd(low, high);
        x.storeInteger(64, false);
        assertThat(x.stored()).isEqualTo(value);
    }

    @Provide
    Arbitrary<Long> decimals() {
        return Arbitraries.longs().between(-999_999_999_999_999_999L, 999_999_999_999_999_999L);
    }

    @Property
    void completeRemainderIsTheExactOne(@ForAll("moderate") double a, @ForAll("moderate") double b) {
        Assume.that(b != 0);
        X87 x = new X87();
        x.loadF64(Double.doubleToRawLongBits(b));
        x.loadF64(Double.doubleToRawLongBits(a));
        int rounds = 0;
        do {
            x.fprem();
            assertThat(rounds++).as("FPREM must finish").isLessThan(100);
        } while ((x.status() & 0x400) != 0);
        x.storeF64();
        assertThat(Double.longBitsToDouble(x.stored())).isEqualTo(a % b);
    }

    @Property
    void transcendentalFunctionsAgreeWithStrictMath(@ForAll("moderate") double v) {
        X87 x = new X87();
        x.loadF64(Double.doubleToRawLongBits(v));
        x.fsincos();
        assertClose(x, Math.cos(v), 1e-13);
        assertClose(x, Math.sin(v), 1e-13);
        x.loadF64(Double.doubleToRawLongBits(v));
        x.loadConstant(X87.ONE);
        x.fpatan();
        assertClose(x, Math.atan(v), 1e-15);
        x.loadConstant(X87.LN_2);
        x.loadF64(Double.doubleToRawLongBits(Math.abs(v)));
        x.fyl2x();
        assertClose(x, Math.log(Math.abs(v)), 1e-13);
    }

    private static void assertClose(X87 x, double expected, double tolerance) {
        x.storeF64();
        assertThat(Double.longBitsToDouble(x.stored()) - expected).isBetween(-tolerance, tolerance);
        x.storeDone(true);
    }

    @Provide
    Arbitrary<Double> moderate() {
        return Arbitraries.longs()
                .between(0x3F00_0000_0000_0000L, 0x4090_0000_0000_0000L)
                .flatMap(bits -> Arbitraries.of(Double.longBitsToDouble(bits), -Double.longBitsToDouble(bits)));
    }
}

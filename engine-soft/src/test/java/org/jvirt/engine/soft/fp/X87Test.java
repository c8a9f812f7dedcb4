package org.jvirt.engine.soft.fp;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import org.junit.jupiter.api.Test;

/// The unit's behaviour beyond single instructions: stores in two halves, pending exceptions, images, MMX.
class X87Test {
    private static final long ONE = Double.doubleToRawLongBits(1.0);
    private static final long THREE = Double.doubleToRawLongBits(3.0);

    private final X87 x = new X87();

    @Test
    void aStoreChangesNothingBeforeMemoryHasBeenWritten() {
        x.loadF64(ONE);
        x.loadF64(THREE);
        x.arithmetic(X87.DIVR, 0, 1, false);
        x.fnclex();
        int status = x.status();
        assertThat(x.storeF32()).isTrue();
        assertThat(x.status()).isEqualTo(status);
        assertThat(x.fullRegisters()).isEqualTo(0xC0);
        assertThat((int) x.stored()).isEqualTo(Float.floatToRawIntBits(1f / 3));
        x.storeDone(true);
        assertThat(x.fullRegisters()).isEqualTo(0x80);
        assertThat(x.status() & FpEnvironment.PE).isNotZero();
    }

    @Test
    void anUnmaskedInvalidStoreWritesNothingAndDoesNotPop() {
        x.control(X87.CONTROL_INIT & ~FpEnvironment.IE);
        x.loadF64(Double.doubleToRawLongBits(1e300));
        assertThat(x.storeInteger(32, false)).isFalse();
        x.storeDone(true);
        assertThat(x.pending()).isTrue();
        assertThat(x.status() & 0x8080).isEqualTo(0x8080);
        assertThat(x.fullRegisters()).isEqualTo(0x80);
        x.fnclex();
        assertThat(x.pending()).isFalse();
    }

    @Test
    void unmaskingAFlagThatIsSetMakesItPending() {
        x.loadF64(ONE);
        x.loadF64(0);
        x.arithmetic(X87.DIV, 1, 0, true);
        assertThat(x.pending()).isFalse();
        x.control(X87.CONTROL_INIT & ~FpEnvironment.ZE);
        assertThat(x.pending()).isTrue();
        x.maskAll();
        assertThat(x.pending()).isFalse();
    }

    @Test
    void theNinthPushOverflowsTheStack() {
        for (int i = 0; i < 8; i++) {
            x.loadConstant(X87.ONE);
        }
        assertThat(x.status() & 0x3F).isZero();
        x.loadConstant(X87.PI);
        assertThat(x.status() & 0x241).isEqualTo(0x241);
        assertThat(x.stSignExponent(0)).isEqualTo(0xFFFF);
        assertThat(x.stSignificand(0)).isEqualTo(0xC000_0000_0000_0000L);
    }

    @Test
    void constantsFollowTheRoundingControl() {
        x.loadConstant(X87.PI);
        x.control(X87.CONTROL_INIT | FpEnvironment.DOWN << 10);
        x.loadConstant(X87.PI);
        assertThat(x.stSignificand(1)).isEqualTo(0xC90F_DAA2_2168_C235L);
        assertThat(x.stSignificand(0)).isEqualTo(0xC90F_DAA2_2168_C234L);
        assertThat(x.status() & 0x3F).isZero();
    }

    @Test
    void circularFunctionsRefuseArgumentsFrom2To63On() {
        x.loadF64(Double.doubleToRawLongBits(0x1p63));
        x.fsin();
        assertThat(x.status() & 0x400).isNotZero();
        assertThat(x.storeF64()).isTrue();
        assertThat(x.stored()).isEqualTo(Double.doubleToRawLongBits(0x1p63));
        x.storeDone(true);
        x.loadF64(Double.doubleToRawLongBits(-0x1.fffffp62));
        x.fptan();
        assertThat(x.status() & 0x400).isZero();
    }

    @Test
    void theSineOfPiIsThatOfThe66BitPi() {
        x.loadConstant(X87.PI);
        x.fsin();
        assertThat(x.stSignificand(0)).isEqualTo(Long.MIN_VALUE);
        assertThat(x.stSignExponent(0)).isEqualTo(0xBFBF);
    }

    @Test
    void mmxRegistersAreThePhysicalSignificands() {
        x.loadConstant(X87.ONE);
        x.loadConstant(X87.ONE);
        x.enterMmx();
        x.mm(5, 0x1122_3344_5566_7788L);
        assertThat(x.top()).isZero();
        assertThat(x.fullRegisters()).isEqualTo(0xFF);
        assertThat(x.mm(5)).isEqualTo(0x1122_3344_5566_7788L);
        assertThat(x.stSignExponent(5)).isEqualTo(0xFFFF);
        assertThat(x.mm(7)).isEqualTo(Long.MIN_VALUE);
        x.emms();
        assertThat(x.fullRegisters()).isZero();
        assertThat(x.tags()).isEqualTo(0xFFFF);
    }

    @Test
    void everyImageBringsTheUnitBack() {
        Random random = new Random(7);
        for (int round = 0; round < 200; round++) {
            boolean wide = random.nextBoolean();
            boolean real = random.nextBoolean();
            X87 a = random(random, real);
            byte[] image = new byte[X87Image.environmentBytes(wide) + X87Image.REGISTERS_BYTES];
            X87Image.save(a, image, wide, real);
            X87 b = new X87();
            X87Image.restore(b, image, wide, real);
            assertSameState(a, b);
            long limit = real ? wide ? 0xFFFF_FFFFL : 0xFFFFF : wide ? 0xFFFF_FFFFL : 0xFFFF;
            assertThat(b.instructionPointer())
                    .isEqualTo(linear(a.codeSelector(), a.instructionPointer(), real) & limit);
            assertThat(b.dataPointer()).isEqualTo(linear(a.dataSelector(), a.dataPointer(), real) & limit);
            assertThat(b.opcode()).isEqualTo(wide || real ? a.opcode() : 0);
            byte[] fx = new byte[X87Image.FXSAVE_BYTES];
            X87Image.fxsave(a, fx, wide);
            X87 c = new X87();
            X87Image.fxrstor(c, fx, wide);
            assertSameState(a, c);
            assertThat(c.opcode()).isEqualTo(a.opcode());
            assertThat(c.codeSelector()).isEqualTo(wide ? 0 : a.codeSelector());
        }
    }

    private static long linear(int selector, long offset, boolean real) {
        return real ? ((long) selector << 4) + offset : offset;
    }

    private static X87 random(Random random, boolean real) {
        X87 a = new X87();
        a.control(random.nextInt());
        a.status(random.nextInt());
        a.fullRegisters(random.nextInt());
        for (int i = 0; i < 8; i++) {
            a.register(i, random.nextLong(), random.nextInt());
        }
        int mask = real ? 0xFFFF : -1;
        a.pointers(
                random.nextInt(),
                random.nextInt(0x10000),
                random.nextInt() & mask & 0xFFFF_FFFFL,
                random.nextInt(0x10000),
                random.nextInt() & mask & 0xFFFF_FFFFL);
        return a;
    }

    private static void assertSameState(X87 a, X87 b) {
        assertThat(b.control()).isEqualTo(a.control());
        assertThat(b.status()).isEqualTo(a.status());
        assertThat(b.tags()).isEqualTo(a.tags());
        for (int i = 0; i < 8; i++) {
            assertThat(b.significand(i)).isEqualTo(a.significand(i));
            assertThat(b.signExponent(i)).isEqualTo(a.signExponent(i));
        }
    }
}

package org.jvirt.engine.soft.fp;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/// How the exceptions of one instruction become sticky flags or a fault.
class MxcsrTest {
    private static final long ONE = Double.doubleToRawLongBits(1.0);
    private static final long THREE = Double.doubleToRawLongBits(3.0);
    private static final long SIGNALING = 0x7FF0_0000_0000_0001L;

    private final Mxcsr m = new Mxcsr();

    @Test
    void flagsStickUntilLoaded() {
        m.begin();
        Fp64.div(m, ONE, THREE);
        assertThat(m.commit()).isFalse();
        m.begin();
        Fp64.add(m, ONE, ONE);
        assertThat(m.commit()).isFalse();
        assertThat(m.value()).isEqualTo(Mxcsr.RESET | FpEnvironment.PE);
        m.value(Mxcsr.RESET);
        assertThat(m.value()).isEqualTo(Mxcsr.RESET);
    }

    @Test
    void anUnmaskedInvalidElementHidesTheInexactOne() {
        m.value(Mxcsr.RESET & ~(FpEnvironment.IE << 7));
        m.begin();
        Fp64.div(m, ONE, THREE);
        Fp64.add(m, SIGNALING, ONE);
        assertThat(m.commit()).isTrue();
        assertThat(m.value() & FpEnvironment.ALL).isEqualTo(FpEnvironment.IE);
    }

    @Test
    void unmaskedInexactnessIsFoundAlthoughItsFlagIsSet() {
        m.value(Mxcsr.RESET & ~(FpEnvironment.PE << 7) | FpEnvironment.PE);
        m.begin();
        Fp64.mul(m, Double.doubleToRawLongBits(0.1), Double.doubleToRawLongBits(0.1));
        assertThat(m.commit()).isTrue();
        m.begin();
        Fp64.mul(m, ONE, THREE);
        assertThat(m.commit()).isFalse();
    }

    @Test
    void theFirstNaNIsQuietedAndInvalidOperationsAnswerTheNegativeDefault() {
        m.begin();
        assertThat(Fp64.add(m, SIGNALING, 0x7FF8_0000_0000_0002L)).isEqualTo(0x7FF8_0000_0000_0001L);
        assertThat(Fp64.sub(m, 0x7FF0_0000_0000_0000L, 0x7FF0_0000_0000_0000L)).isEqualTo(0xFFF8_0000_0000_0000L);
        assertThat(Fp32.mul(m, 0, 0x7F80_0000)).isEqualTo(0xFFC0_0000);
        assertThat(m.raised()).isEqualTo(FpEnvironment.IE);
    }
}

package org.jvirt.engine.soft.fp;

import static org.assertj.core.api.Assertions.assertThat;

import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// The architectural bound of the estimates, and their special cases as a processor shows them.
class FpEstimateTest {
    private static final double BOUND = 1.5 / 4096;

    @Property
    void estimatesStayWithinTheArchitecturalError(@ForAll @IntRange(min = 0x0080_0000, max = 0x7E7F_FFFF) int bits) {
        double x = Float.intBitsToFloat(bits);
        assertThat(Float.intBitsToFloat(FpEstimate.reciprocal(bits)) * x).isBetween(1 - BOUND, 1 + BOUND);
        assertThat(Float.intBitsToFloat(FpEstimate.reciprocal(bits | 0x8000_0000)) * -x)
                .isBetween(1 - BOUND, 1 + BOUND);
        assertThat(Float.intBitsToFloat(FpEstimate.reciprocalRoot(bits)) * Math.sqrt(x))
                .isBetween(1 - BOUND, 1 + BOUND);
    }

    @Test
    void everyIntervalStaysWithinTheArchitecturalErrorAtBothEnds() {
        for (int bits = 0x3F00_0000; bits < 0x3F80_0000 + 0x80_0000; bits += 1 << 11) {
            estimatesStayWithinTheArchitecturalError(bits);
            estimatesStayWithinTheArchitecturalError(bits + (1 << 11) - 1);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "00000000, 7f800000, 7f800000", "80000000, ff800000, ff800000", "007fffff, 7f800000, 7f800000",
        "80000001, ff800000, ff800000", "7f800000, 00000000, 00000000", "ff800000, 80000000, ffc00000",
        "7f800001, 7fc00001, 7fc00001", "ffc00000, ffc00000, ffc00000"
    })
    void specialOperandsGiveTheProcessorsResults(String operand, String reciprocal, String root) {
        int bits = Integer.parseUnsignedInt(operand, 16);
        assertThat(FpEstimate.reciprocal(bits)).isEqualTo(Integer.parseUnsignedInt(reciprocal, 16));
        assertThat(FpEstimate.reciprocalRoot(bits)).isEqualTo(Integer.parseUnsignedInt(root, 16));
    }
}

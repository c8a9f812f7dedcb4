package org.jvirt.engine.soft.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.jvirt.core.cpu.CpuFeature;

class CanonicalTest {
    private static final int LSTAR = 0xC000_0082;
    private static final long OF_57_BITS = 0xFFAA_AAAA_AAAA_AAAAL;
    private static final long OF_64_BITS = 0xAAAA_AAAA_AAAA_AAAAL;

    @Test
    void registersTakeAddressesAsWideAsTheProcessorHasThemWhateverPagingIsInUse() {
        try (var test = TestProcessor.long64()) {
            assertThat(test.cpu.isCanonical(OF_57_BITS)).as("with four levels").isFalse();
            test.cpu.msrs.write(LSTAR, OF_57_BITS);
            assertThat(test.cpu.msrs.read(LSTAR)).isEqualTo(OF_57_BITS);
            assertThatThrownBy(() -> test.cpu.msrs.write(LSTAR, OF_64_BITS)).isInstanceOf(GuestFault.class);
        }
    }

    @Test
    void withoutTheFifthLevelAddressesHave48Bits() {
        var features = Arrays.stream(CpuFeature.values())
                .filter(f -> f != CpuFeature.LA57)
                .toList();
        try (var test = TestProcessor.long64(TestProcessor.features(features))) {
            assertThatThrownBy(() -> test.cpu.msrs.write(LSTAR, OF_57_BITS)).isInstanceOf(GuestFault.class);
            test.cpu.msrs.write(LSTAR, 0xFFFF_8000_0000_0000L);
            assertThat(test.cpu.msrs.read(LSTAR)).isEqualTo(0xFFFF_8000_0000_0000L);
        }
    }
}

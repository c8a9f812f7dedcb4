package org.jvirt.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Test;

class HostMemoryTest {
    @Test
    void memoryIsZeroedAndKeepsWhatIsWritten() {
        try (HostMemory memory = HostMemory.allocate("test", 64 << 20)) {
            assertThat(memory.segment().byteSize()).isEqualTo(64 << 20);
            assertThat(memory.segment().get(ValueLayout.JAVA_LONG, (64 << 20) - 8))
                    .isZero();
            memory.segment().set(ValueLayout.JAVA_LONG, 4096, 0x1234_5678_9abc_def0L);
            assertThat(memory.segment().get(ValueLayout.JAVA_LONG, 4096)).isEqualTo(0x1234_5678_9abc_def0L);
        }
    }

    @Test
    void accessAfterCloseThrowsInsteadOfCrashing() {
        HostMemory memory = HostMemory.allocate("test", 4096);
        memory.close();
        memory.close();
        assertThatThrownBy(() -> memory.segment().get(ValueLayout.JAVA_INT, 0))
                .isInstanceOf(IllegalStateException.class);
    }

    @Test
    void anImpossibleSizeNamesTheSizeAndTheReason() {
        assertThatThrownBy(() -> HostMemory.allocate("test", 1L << 60))
                .isInstanceOf(SystemCallException.class)
                .hasMessageContaining("1099511627776 MiB");
    }
}

package org.jvirt.cli.launch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.jvirt.core.UserErrorException;

class MemorySizeTest {
    @Test
    void unitsAreBinaryAndABareNumberIsMebibytes() {
        assertThat(MemorySize.parse("-m", "512")).isEqualTo(512L << 20);
        assertThat(MemorySize.parse("-m", "2G")).isEqualTo(2L << 30);
        assertThat(MemorySize.parse("-m", "1.5g")).isEqualTo(3L << 29);
        assertThat(MemorySize.parse("-m", "64k")).isEqualTo(64L << 10);
        assertThat(MemorySize.parse("-m", "100b")).isEqualTo(100);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "G", "lots", "-1G", "1X", "NaNM", "9999E", "0x10M"})
    void anythingElseIsRefusedByName(String text) {
        assertThatThrownBy(() -> MemorySize.parse("--memory", text))
                .isInstanceOf(UserErrorException.class)
                .hasMessageStartingWith("--memory: '" + text + "' is not a size");
    }
}

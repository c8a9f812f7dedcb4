package org.jvirt.cli.launch;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class SuggestionTest {
    @Test
    void theFewestChangedLettersWin() {
        assertThat(Suggestion.nearest("kernal", List.of("initrd", "kernel", "append")))
                .isEqualTo("kernel");
        assertThat(Suggestion.distance("", "abc")).isEqualTo(3);
        assertThat(Suggestion.distance("same", "same")).isZero();
    }
}

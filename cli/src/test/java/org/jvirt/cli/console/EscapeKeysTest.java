package org.jvirt.cli.console;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.jvirt.cli.console.EscapeKeys.Meaning;

class EscapeKeysTest {
    private final EscapeKeys keys = new EscapeKeys();

    @Test
    void plainKeysGoToTheGuest() {
        assertThat(keys.of((byte) 'x')).isEqualTo(Meaning.INPUT);
        assertThat(keys.of((byte) 0xc3)).isEqualTo(Meaning.INPUT);
    }

    @Test
    void ctrlAAndAKeyActOnce() {
        assertThat(keys.of(EscapeKeys.CTRL_A)).isEqualTo(Meaning.NOTHING);
        assertThat(keys.of((byte) 'x')).isEqualTo(Meaning.QUIT);
        assertThat(keys.of((byte) 'x')).isEqualTo(Meaning.INPUT);
    }

    @Test
    void ctrlATwiceSendsOne() {
        keys.of(EscapeKeys.CTRL_A);
        assertThat(keys.of(EscapeKeys.CTRL_A)).isEqualTo(Meaning.INPUT);
        assertThat(keys.of((byte) 'c')).isEqualTo(Meaning.INPUT);
    }

    @Test
    void unknownEscapesDoNothingAndTheHelpNamesAllOthers() {
        keys.of(EscapeKeys.CTRL_A);
        assertThat(keys.of((byte) 'q')).isEqualTo(Meaning.NOTHING);
        for (String key : new String[] {"h", "x", "b", "c"}) {
            assertThat(EscapeKeys.HELP).contains("Ctrl-A " + key + " ");
        }
    }
}

package org.jvirt.cli.launch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Set;
import org.junit.jupiter.api.Test;
import org.jvirt.core.UserErrorException;

class KeyValuesTest {
    @Test
    void theFirstPartMayLeaveItsKeyOut() {
        var values = new KeyValues("-machine", "type", "q35,accel=tcg");
        assertThat(values.take("type")).contains("q35");
        assertThat(values.take("accel")).contains("tcg");
        values.end(Set.of("type"));
    }

    @Test
    void twoCommasAreOne() {
        assertThat(new KeyValues("-drive", "", "file=a,,b.img,if=none").take("file"))
                .contains("a,b.img");
    }

    @Test
    void aWordAloneIsASwitch() {
        var values = new KeyValues("-chardev", "backend", "socket,server,nowait");
        assertThat(values.takeSwitch("server", false)).isTrue();
        assertThat(values.takeSwitch("wait", true)).isFalse();
    }

    @Test
    void whatNobodyTookIsRefusedWithTheNearest() {
        var values = new KeyValues("-drive", "", "file=x,fromat=raw");
        values.take("file");
        assertThatThrownBy(() -> values.end(Set.of("file", "format", "if")))
                .isInstanceOf(UserErrorException.class)
                .hasMessageContaining("'fromat'")
                .hasMessageContaining("format");
    }

    @Test
    void numbersAndSwitchesSayWhatTheyTake() {
        var values = new KeyValues("-smp", "cpus", "two,pic=maybe");
        assertThatThrownBy(() -> values.takeNumber("cpus", 1)).hasMessageContaining("takes a number, not 'two'");
        assertThatThrownBy(() -> values.takeSwitch("pic", true)).hasMessageContaining("on or off, not 'maybe'");
        assertThat(new KeyValues("-device", "driver", "x,iobase=0xf4").takeNumber("iobase", 0))
                .isEqualTo(0xf4);
    }
}

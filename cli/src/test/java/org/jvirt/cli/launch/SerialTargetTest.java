package org.jvirt.cli.launch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.jvirt.core.UserErrorException;

class SerialTargetTest {
    @Test
    void everyFormIsUnderstood() {
        assertThat(SerialTarget.parse("stdio")).isEqualTo(new SerialTarget.Stdio(true));
        assertThat(SerialTarget.parse("pty")).isEqualTo(new SerialTarget.Pty());
        assertThat(SerialTarget.parse("none")).isEqualTo(new SerialTarget.None());
        assertThat(SerialTarget.parse("file:/tmp/a:b")).isEqualTo(new SerialTarget.File(Path.of("/tmp/a:b")));
        assertThat(SerialTarget.parse("unix:/tmp/s,server=on,wait=off"))
                .isEqualTo(new SerialTarget.Unix(Path.of("/tmp/s")));
    }

    @Test
    void anythingElseIsRefusedWithTheForms() {
        for (String wrong : new String[] {"", "file:", "tcp:1234", "stdout"}) {
            assertThatThrownBy(() -> SerialTarget.parse(wrong))
                    .isInstanceOf(UserErrorException.class)
                    .hasMessageContaining("file:PATH");
        }
    }
}

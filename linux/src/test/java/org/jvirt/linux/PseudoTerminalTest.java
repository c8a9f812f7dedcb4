package org.jvirt.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class PseudoTerminalTest {
    @Test
    void bytesPassBothWaysUnchanged() throws IOException {
        try (PseudoTerminal pty = PseudoTerminal.open();
                var toMaster = new FileOutputStream(pty.slave().toFile());
                var fromMaster = new FileInputStream(pty.slave().toFile())) {
            toMaster.write("up\r\n\u0003".getBytes(StandardCharsets.US_ASCII));
            var buffer = new byte[16];
            int count = pty.read(buffer, 5000);
            assertThat(new String(buffer, 0, count, StandardCharsets.US_ASCII)).isEqualTo("up\r\n\u0003");

            assertThat(pty.write("down\n".getBytes(StandardCharsets.US_ASCII), 0, 5))
                    .isEqualTo(5);
            assertThat(new String(fromMaster.readNBytes(5), StandardCharsets.US_ASCII))
                    .isEqualTo("down\n");
        }
    }

    @Test
    void readingWithoutInputTimesOut() {
        try (PseudoTerminal pty = PseudoTerminal.open()) {
            assertThat(pty.read(new byte[4], 1)).isZero();
        }
    }

    @Test
    void aFileThatIsNoTerminalIsRefused() {
        assertThatThrownBy(() -> TerminalMode.of(-1)).isInstanceOf(SystemCallException.class);
    }
}

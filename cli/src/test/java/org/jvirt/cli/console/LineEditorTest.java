package org.jvirt.cli.console;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class LineEditorTest {
    private final LineEditor editor = new LineEditor();

    private String type(String keys) {
        var screen = new StringBuilder();
        for (byte key : keys.getBytes(StandardCharsets.US_ASCII)) {
            LineEditor.Answer answer = editor.key(key);
            screen.append(answer.echo());
            answer.line().ifPresent(line -> screen.append('[').append(line).append(']'));
        }
        return screen.toString();
    }

    @Test
    void aLineIsEchoedAndHandedOver() {
        assertThat(type("info cpus\r")).isEqualTo("info cpus\r\n[info cpus]");
    }

    @Test
    void backspaceTakesBackAndStopsAtTheStart() {
        assertThat(type("ab\u007f\u007f\u007fc\n")).endsWith("[c]");
    }

    @Test
    void ctrlUClearsTheLine() {
        assertThat(type("wrong\u0015quit\n")).endsWith("[quit]");
    }

    @Test
    void controlCharactersAndEndlessLinesAreDropped() {
        assertThat(type("\u001b\u0007x\n")).endsWith("[x]");
        assertThat(type("y".repeat(5000) + "\n")).endsWith("[" + "y".repeat(1000) + "]");
    }
}

package org.jvirt.cli.image;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import org.junit.jupiter.api.Test;

final class BuildConsoleTest {
    private final ArrayList<String> progress = new ArrayList<>();
    private final BuildConsole console = new BuildConsole(40, progress::add);

    @Test
    void theGuestsReportsArePassedOnHoweverTheyAreCut() {
        write("noise\r\n@jvi");
        write("rt Making the file system\r");
        write("\n@jvirt done\r\n");
        assertThat(progress).containsExactly("Making the file system");
        assertThat(console.failure()).isEmpty();
    }

    @Test
    void aGuestThatDoesNotSayDoneHasFailedAndItsLastWordsAreKept() {
        for (int i = 0; i < 1000; i++) {
            write("line " + i + "\n");
        }
        write("mke2fs: no space\n");
        assertThat(console.failure())
                .hasValueSatisfying(words ->
                        assertThat(words.lines()).hasSizeLessThan(100).endsWith("line 999", "mke2fs: no space"));
    }

    @Test
    void everyTwentiethPackageIsReported() {
        for (int i = 1; i <= 40; i++) {
            write("Setting up package%d (1.0) ...\r\n".formatted(i));
        }
        assertThat(progress)
                .containsExactly(
                        "20 of 40 packages are set up, now package20", "40 of 40 packages are set up, now package40");
    }

    @Test
    void aLineWithoutEndTakesNoMemoryWithoutEnd() {
        for (int i = 0; i < 1000; i++) {
            write("x".repeat(1000));
        }
        write("\n");
        assertThat(console.failure())
                .hasValueSatisfying(words -> assertThat(words).hasSizeLessThan(10_000));
    }

    private void write(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.ISO_8859_1);
        console.write(bytes, 0, bytes.length);
    }
}

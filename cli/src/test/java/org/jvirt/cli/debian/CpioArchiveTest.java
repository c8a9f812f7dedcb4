package org.jvirt.cli.debian;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CpioArchiveTest {
    private static byte[] archive() throws IOException {
        var bytes = new ByteArrayOutputStream();
        try (var archive = new CpioArchive(bytes)) {
            archive.directory("etc", 0755);
            archive.file("etc/motd", 0644, "hello\n".getBytes(StandardCharsets.UTF_8));
            archive.link("etc/issue", "motd");
        }
        return bytes.toByteArray();
    }

    @Test
    void everyEntryBeginsWithTheMagicAndIsPaddedToFour() throws IOException {
        byte[] bytes = archive();
        assertThat(new String(bytes, StandardCharsets.ISO_8859_1))
                .startsWith("070701")
                .contains("TRAILER!!!");
        assertThat(bytes.length % 4).isZero();
    }

    @Test
    void cpioUnpacksWhatWasWritten(@TempDir Path directory) throws IOException {
        assumeTrue(
                Files.isExecutable(Path.of("/usr/bin/cpio")) || Files.isExecutable(Path.of("/bin/cpio")),
                "SKIPPED: needs cpio; apt-get install cpio");
        Path file = Files.write(directory.resolve("a.cpio"), archive());
        Path target = Files.createDirectory(directory.resolve("out"));
        HostCommand.Result result = HostCommand.run(target, List.of("cpio", "-id", "-F", file.toString()));
        assertThat(result.exitCode()).as(result.output()).isZero();
        assertThat(Files.readString(target.resolve("etc/issue"))).isEqualTo("hello\n");
        assertThat(Files.readSymbolicLink(target.resolve("etc/issue"))).isEqualTo(Path.of("motd"));
    }
}

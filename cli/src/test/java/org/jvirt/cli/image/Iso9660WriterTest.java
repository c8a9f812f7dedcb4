package org.jvirt.cli.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class Iso9660WriterTest {
    private static final int BLOCK = 2048;

    @TempDir
    private Path directory;

    @Test
    void everyFileIsFoundThroughTheDirectoryAlsoWhereItTakesSeveralBlocks() throws Exception {
        var contents = new HashMap<String, byte[]>();
        var random = new Random(9660);
        Path image = directory.resolve("image.iso");
        try (var writer = new Iso9660Writer(image, "TEST", 150)) {
            for (int i = 0; i < 150; i++) {
                var content = new byte[random.nextInt(3 * BLOCK)];
                random.nextBytes(content);
                String name = "P%05d.DEB".formatted(i);
                contents.put(name + ";1", content);
                writer.file(name, output -> output.stream().write(content));
            }
            writer.finish();
        }
        byte[] bytes = Files.readAllBytes(image);
        assertThat(bytes.length % BLOCK).isZero();
        assertThat(new String(bytes, 16 * BLOCK + 1, 5, StandardCharsets.US_ASCII))
                .isEqualTo("CD001");
        assertThat(files(bytes)).containsOnlyKeys(contents.keySet());
        files(bytes).forEach((name, content) -> assertThat(content).as(name).isEqualTo(contents.get(name)));
    }

    @Test
    void whatWasWrittenCanBeReplaced() throws Exception {
        Path image = directory.resolve("image.iso");
        try (var writer = new Iso9660Writer(image, "TEST", 1)) {
            writer.file("A.TXT", output -> {
                output.stream().write("size ???? rest".getBytes(StandardCharsets.US_ASCII));
                output.replace(5, "0014".getBytes(StandardCharsets.US_ASCII));
                assertThat(output.position()).isEqualTo(14);
            });
            writer.finish();
        }
        assertThat(files(Files.readAllBytes(image)).get("A.TXT;1"))
                .isEqualTo("size 0014 rest".getBytes(StandardCharsets.US_ASCII));
    }

    @Test
    void aNameThatTheStandardForbidsIsRefused() throws Exception {
        try (var writer = new Iso9660Writer(directory.resolve("image.iso"), "TEST", 1)) {
            assertThatThrownBy(() -> writer.file("lower.deb", output -> {})).isInstanceOf(IllegalStateException.class);
        }
    }

    /// Reads a volume by the standard: descriptor, root directory, extents.
    private static Map<String, byte[]> files(byte[] image) {
        ByteBuffer volume = ByteBuffer.wrap(image).order(ByteOrder.LITTLE_ENDIAN);
        int descriptor = 16 * BLOCK;
        assertThat(volume.getInt(descriptor + 80)).as("blocks").isEqualTo(image.length / BLOCK);
        int at = volume.getInt(descriptor + 156 + 2) * BLOCK;
        int end = at + volume.getInt(descriptor + 156 + 10);
        var files = new HashMap<String, byte[]>();
        while (at < end) {
            int length = image[at] & 0xff;
            if (length == 0) {
                at = (at / BLOCK + 1) * BLOCK;
                continue;
            }
            assertThat(at / BLOCK).as("block of a record's end").isEqualTo((at + length - 1) / BLOCK);
            assertThat(volume.order(ByteOrder.BIG_ENDIAN).getInt(at + 6))
                    .isEqualTo(volume.order(ByteOrder.LITTLE_ENDIAN).getInt(at + 2));
            if ((image[at + 25] & 2) == 0) {
                String name = new String(image, at + 33, image[at + 32], StandardCharsets.US_ASCII);
                var content = new byte[volume.getInt(at + 10)];
                System.arraycopy(image, volume.getInt(at + 2) * BLOCK, content, 0, content.length);
                files.put(name, content);
            }
            at += length;
        }
        return files;
    }
}

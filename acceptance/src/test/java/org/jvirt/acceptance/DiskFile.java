package org.jvirt.acceptance;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/// Raw images for tests.
final class DiskFile {
    private DiskFile() {}

    /// A sparse image of zeroes that begins with `content`.
    static Path create(Path file, long sizeBytes, String content) throws IOException {
        Files.writeString(file, content, StandardCharsets.ISO_8859_1);
        resize(file, sizeBytes);
        return file;
    }

    static void resize(Path file, long sizeBytes) throws IOException {
        try (var access = new RandomAccessFile(file.toFile(), "rw")) {
            access.setLength(sizeBytes);
        }
    }

    /// All bytes as Latin-1 characters.
    static String content(Path file) throws IOException {
        return Files.readString(file, StandardCharsets.ISO_8859_1);
    }
}

package org.jvirt.engine.soft.translate.store;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.security.CodeSource;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;

/// What a translation depends on beside the guest's code, as a short text: the program that makes it and the
/// processors of host and guest.
public final class BuildIdentity {
    /// Of a jar file: its directory, which has a checksum of each class.
    private static final int TAIL_BYTES = 1 << 18;
    private static final int CHARACTERS = 32;

    private final MessageDigest digest;

    private BuildIdentity(MessageDigest digest) {
        this.digest = digest;
    }

    /// @param parts  classes in each of the modules that make the translation
    /// @param others what else counts
    public static String of(List<Class<?>> parts, List<String> others) {
        try {
            var identity = new BuildIdentity(MessageDigest.getInstance("SHA-256"));
            for (Class<?> part : parts) {
                identity.add(part);
            }
            others.forEach(identity::add);
            return HexFormat.of().formatHex(identity.digest.digest()).substring(0, CHARACTERS);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("Every Java has SHA-256", e);
        } catch (IOException | URISyntaxException e) {
            // nobody else has this one
            return "unknown-" + Long.toHexString(System.nanoTime());
        }
    }

    private void add(String text) {
        digest.update(text.getBytes(StandardCharsets.UTF_8));
        digest.update((byte) 0);
    }

    private void add(Class<?> part) throws IOException, URISyntaxException {
        CodeSource source = part.getProtectionDomain().getCodeSource();
        URI place = source == null || source.getLocation() == null
                ? null
                : source.getLocation().toURI();
        if (place == null || !"file".equals(place.getScheme())) {
            // in the run-time image
            state(Path.of(System.getProperty("java.home"), "lib", "modules"));
            return;
        }
        Path path = Path.of(place);
        if (Files.isDirectory(path)) {
            classes(path);
        } else {
            tail(path);
        }
    }

    private void state(Path file) throws IOException {
        add("%s %d %d"
                .formatted(
                        file, Files.size(file), Files.getLastModifiedTime(file).toMillis()));
    }

    private void tail(Path jar) throws IOException {
        try (var file = new RandomAccessFile(jar.toFile(), "r")) {
            int length = (int) Math.min(TAIL_BYTES, file.length());
            byte[] bytes = new byte[length];
            file.seek(file.length() - length);
            file.readFully(bytes);
            digest.update(ByteBuffer.allocate(8).putLong(0, file.length()));
            digest.update(bytes);
        }
    }

    private void classes(Path directory) throws IOException {
        Files.walkFileTree(directory, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
                add("%s %d %d"
                        .formatted(
                                file,
                                attributes.size(),
                                attributes.lastModifiedTime().toMillis()));
                return FileVisitResult.CONTINUE;
            }
        });
    }
}

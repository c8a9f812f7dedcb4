package org.jvirt.acceptance;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.List;
import org.jvirt.cli.debian.DebianGuest;
import org.jvirt.cli.debian.DebianPackages;
import org.jvirt.cli.debian.FileTree;

/// A file system with Debian's Java 17 and the libraries that it needs, made once from Debian's packages without
/// installing them, and kept in the cache.
final class JavaDisk {
    private static final String NAME = "java-17-disk-1";
    private static final List<String> PACKAGES =
            List.of("libc6", "libgcc-s1", "libstdc++6", "zlib1g", "openjdk-17-jre-headless");
    private static final String SIZE = "320M";

    private JavaDisk() {}

    /// A raw image, ext4.
    static Path get() throws IOException, InterruptedException {
        Path cache = Files.createDirectories(DebianGuest.cacheDirectory());
        Path image = cache.resolve(NAME + ".raw");
        try (var channel = FileChannel.open(
                        cache.resolve(NAME + ".lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
                var _ = channel.lock()) {
            if (!Files.exists(image)) {
                Path work = Files.createTempDirectory(cache, NAME);
                try {
                    Files.move(make(work), image, StandardCopyOption.ATOMIC_MOVE);
                } finally {
                    FileTree.delete(work);
                }
            }
        }
        return image;
    }

    private static Path make(Path work) throws IOException, InterruptedException {
        Path root = Files.createDirectories(work.resolve("root"));
        var packages = new DebianPackages(System.err::println);
        for (String name : PACKAGES) {
            packages.unpack(name, root);
        }
        for (String place : List.of("proc", "dev", "tmp", "program")) {
            Files.createDirectories(root.resolve(place));
        }
        return fileSystem(root, work.resolve("image"), SIZE);
    }

    /// Makes an ext4 file system of a directory.
    static Path fileSystem(Path directory, Path image, String size) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(
                        "/sbin/mke2fs", "-q", "-t", "ext4", "-d", directory.toString(), image.toString(), size)
                .redirectErrorStream(true)
                .start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as("mke2fs: %s", output).isZero();
        return image;
    }
}

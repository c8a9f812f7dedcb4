package org.jvirt.cli.debian;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Locale;
import java.util.function.Consumer;
import org.jvirt.core.HostFailureException;

/// Debian's kernel and an initramfs with busybox, ready to boot, kept in the user's cache.
///
/// The first call fetches and builds; later ones answer from the cache. Two processes may do so at the same time:
/// each works in a directory of its own and the first to finish gives its result the final name.
///
/// @param kernel a bzImage
/// @param initrd the initramfs
public record DebianGuest(Path kernel, Path initrd) {
    /// Which of Debian's kernels.
    public enum Flavour {
        /// Small, for virtual machines.
        CLOUD("linux-image-cloud-amd64"),
        /// The one that Debian installs on hardware.
        FULL("linux-image-amd64");

        private final String metaPackage;

        Flavour(String metaPackage) {
            this.metaPackage = metaPackage;
        }
    }

    /// Changes when the initramfs changes, so that caches of older programs are not used.
    private static final int FORMAT = 3;

    /// Finds the guest in the cache, or makes it.
    ///
    /// @param progress told what is being done, a line each
    public static DebianGuest of(Flavour flavour, Consumer<String> progress) {
        Path cache = cacheDirectory();
        Path finished = cache.resolve("debian-%s-%d".formatted(flavour.name().toLowerCase(Locale.ROOT), FORMAT));
        if (!Files.exists(finished.resolve("initrd"))) {
            make(flavour, cache, finished, progress);
        }
        return new DebianGuest(finished.resolve("vmlinuz"), finished.resolve("initrd"));
    }

    /// `$XDG_CACHE_HOME/jvirt`, or `~/.cache/jvirt`.
    public static Path cacheDirectory() {
        String configured = System.getenv("XDG_CACHE_HOME");
        Path base = configured == null
                        || configured.isBlank()
                        || !Path.of(configured).isAbsolute()
                ? Path.of(System.getProperty("user.home"), ".cache")
                : Path.of(configured);
        return base.resolve("jvirt");
    }

    private static void make(Flavour flavour, Path cache, Path finished, Consumer<String> progress) {
        try {
            Files.createDirectories(cache);
            Path work = Files.createTempDirectory(cache, "debian");
            try {
                var packages = new DebianPackages(progress);
                Path root = Files.createDirectory(work.resolve("root"));
                packages.unpack(packages.resolve(flavour.metaPackage, "linux-image-"), root);
                packages.unpack("busybox-static", root);
                progress.accept("Making the initramfs");
                Path result = Files.createDirectory(work.resolve("result"));
                Files.move(only(root.resolve("boot"), "vmlinuz-*"), result.resolve("vmlinuz"));
                var modules = new KernelModules(only(root.resolve("lib/modules"), "*"));
                Initramfs.write(result.resolve("initrd"), busybox(root), modules);
                publish(result, finished);
            } finally {
                FileTree.delete(work);
            }
        } catch (IOException e) {
            throw new HostFailureException("Cannot make the first guest in %s: %s".formatted(cache, e), e);
        }
    }

    private static Path busybox(Path root) {
        Path merged = root.resolve("usr/bin/busybox");
        return Files.exists(merged) ? merged : root.resolve("bin/busybox");
    }

    private static void publish(Path result, Path finished) throws IOException {
        try {
            Files.move(result, finished, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            if (!Files.exists(finished.resolve("initrd"))) {
                throw e;
            }
            // Another process was first; its result is as good.
        }
    }

    private static Path only(Path directory, String glob) throws IOException {
        try (DirectoryStream<Path> found = Files.newDirectoryStream(directory, glob)) {
            for (Path path : found) {
                return path;
            }
        }
        throw new IOException("the package holds no " + directory.getFileName() + "/" + glob);
    }
}

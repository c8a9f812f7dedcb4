package org.jvirt.cli.debian;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jvirt.core.HostFailureException;
import org.jvirt.core.UserErrorException;

/// The machine's Debian package tools, asked for packages without installing them.
///
/// `apt-get download` takes only what the signed package lists name, and checks each file's hash against them.
/// Not thread-safe.
public final class DebianPackages {
    private static final Pattern DEPENDS = Pattern.compile("(?m)^\\s*(?:Pre)?Depends:\\s*([a-z0-9][a-z0-9+.-]+)\\s*$");

    private final Consumer<String> progress;

    public DebianPackages(Consumer<String> progress) {
        this.progress = progress;
    }

    /// The package that a meta-package such as `linux-image-cloud-amd64` stands for today: the first dependency
    /// whose name begins with `prefix`.
    public String resolve(String metaPackage, String prefix) {
        refreshListsIfMissing(metaPackage);
        var result = HostCommand.run(Path.of("/"), List.of("apt-cache", "depends", metaPackage));
        Matcher matcher = DEPENDS.matcher(result.output());
        while (matcher.find()) {
            if (matcher.group(1).startsWith(prefix)) {
                return matcher.group(1);
            }
        }
        throw new UserErrorException(
                "The package lists of this machine know no %s. Give a kernel with --kernel instead."
                        .formatted(metaPackage));
    }

    /// Downloads a package and unpacks its files below `target`.
    public void unpack(String packageName, Path target) {
        refreshListsIfMissing(packageName);
        try {
            Path download = Files.createTempDirectory(target.getParent(), "download");
            try {
                progress.accept("Fetching Debian's package " + packageName);
                var result = HostCommand.run(download, List.of("apt-get", "download", packageName));
                if (result.exitCode() != 0) {
                    throw new HostFailureException("Cannot download %s: apt-get ended with %d:%n%s"
                            .formatted(
                                    packageName,
                                    result.exitCode(),
                                    result.output().strip()));
                }
                progress.accept("Unpacking " + packageName);
                var unpacked = HostCommand.run(
                        download, List.of("dpkg-deb", "-x", onlyFile(download).toString(), target.toString()));
                if (unpacked.exitCode() != 0) {
                    throw new HostFailureException("Cannot unpack %s: %s"
                            .formatted(packageName, unpacked.output().strip()));
                }
            } finally {
                FileTree.delete(download);
            }
        } catch (IOException e) {
            throw new HostFailureException("Cannot unpack %s below %s: %s".formatted(packageName, target, e), e);
        }
    }

    private void refreshListsIfMissing(String packageName) {
        if (!isAptPresent()) {
            throw new UserErrorException(
                    "This host has no apt-get to fetch Debian's kernel with. Give one with --kernel and --initrd.");
        }
        if (HostCommand.run(Path.of("/"), List.of("apt-cache", "show", packageName))
                        .exitCode()
                == 0) {
            return;
        }
        if (!"root".equals(System.getProperty("user.name"))) {
            throw new UserErrorException(
                    "The package lists of this machine are missing or know no %s. Run: sudo apt-get update"
                            .formatted(packageName));
        }
        progress.accept("Refreshing the package lists (apt-get update)");
        var result = HostCommand.run(Path.of("/"), List.of("apt-get", "update"));
        if (result.exitCode() != 0) {
            throw new HostFailureException("apt-get update ended with %d:%n%s"
                    .formatted(result.exitCode(), result.output().strip()));
        }
    }

    private static boolean isAptPresent() {
        return Files.isExecutable(Path.of("/usr/bin/apt-get")) && Files.isExecutable(Path.of("/usr/bin/dpkg-deb"));
    }

    private static Path onlyFile(Path directory) throws IOException {
        try (DirectoryStream<Path> files = Files.newDirectoryStream(directory, "*.deb")) {
            for (Path file : files) {
                return file;
            }
        }
        throw new IOException("apt-get left no package file");
    }
}

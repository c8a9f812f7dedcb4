package org.jvirt.cli.image;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import org.jvirt.core.UserErrorException;

/// What a Debian image is to be like.
///
/// @param output         where it goes
/// @param sizeBytes      of the disk: whole sectors, at least [#SMALLEST_BYTES]
/// @param suite          Debian's code name of the release
/// @param packages       beyond those that make a system boot; a kernel among them takes the cloud kernel's place
/// @param hostname       the system's name
/// @param rootPassword   none: root cannot log in with a password
/// @param authorizedKeys who may log in as root through ssh; if there are any, the ssh server is installed
/// @param engine         what the machine that builds runs on
public record DebianImageRecipe(
        Path output,
        long sizeBytes,
        String suite,
        List<String> packages,
        String hostname,
        Optional<String> rootPassword,
        List<String> authorizedKeys,
        String engine) {
    /// Debian with systemd takes about 700 MiB.
    public static final long SMALLEST_BYTES = 1L << 30;

    /// The partition table counts sectors in 32 bits.
    private static final long LARGEST_BYTES = 0xffff_ffffL * 512;

    private static final Pattern SUITE = Pattern.compile("[a-z][a-z0-9-]*");
    private static final Pattern PACKAGE = Pattern.compile("[a-z0-9][a-z0-9+.-]+");
    private static final Pattern HOSTNAME = Pattern.compile("[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?");

    /// What every image has.
    private static final List<String> BASE = List.of(
            "usr-is-merged",
            "apt",
            "dbus",
            "debian-archive-keyring",
            "e2fsprogs",
            "grub-pc",
            "initramfs-tools",
            "iproute2",
            "kmod",
            "libpam-systemd",
            "netbase",
            "systemd-resolved",
            "systemd-sysv",
            "udev",
            "zstd");

    /// Small, for virtual machines; without a driver for SATA.
    private static final String USUAL_KERNEL = "linux-image-cloud-amd64";

    private static final String KERNELS = "linux-image-";

    public DebianImageRecipe {
        packages = List.copyOf(packages);
        authorizedKeys = List.copyOf(authorizedKeys);
        require(
                sizeBytes >= SMALLEST_BYTES && sizeBytes <= LARGEST_BYTES && sizeBytes % 512 == 0,
                "--size: %d bytes are no size for the image; it takes 1 GiB to 2 TiB in whole sectors of 512 bytes"
                        .formatted(sizeBytes));
        require(SUITE.matcher(suite).matches(), "--suite: '%s' is no code name, such as bookworm".formatted(suite));
        for (String name : packages) {
            require(PACKAGE.matcher(name).matches(), "--packages: '%s' is no package's name".formatted(name));
        }
        require(
                HOSTNAME.matcher(hostname).matches(),
                "--hostname: '%s' is no host name (letters, digits, inner hyphens)".formatted(hostname));
        rootPassword.ifPresent(word -> require(
                !word.isEmpty() && word.chars().noneMatch(Character::isISOControl),
                "--root-password: must not be empty or hold control characters"));
    }

    /// All packages asked for by name.
    List<String> wanted() {
        var wanted = new ArrayList<>(BASE);
        if (packages.stream().noneMatch(name -> name.startsWith(KERNELS))) {
            wanted.add(USUAL_KERNEL);
        }
        if (!authorizedKeys.isEmpty()) {
            wanted.add("openssh-server");
        }
        wanted.addAll(packages);
        return List.copyOf(wanted);
    }

    private static void require(boolean holds, String message) {
        if (!holds) {
            throw new UserErrorException(message + ".");
        }
    }
}

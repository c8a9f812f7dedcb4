package org.jvirt.acceptance;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import org.jvirt.cli.debian.CpioArchive;
import org.jvirt.cli.debian.DebianPackages;
import org.jvirt.cli.debian.Initramfs;
import org.jvirt.cli.debian.KernelModules;

/// Debian's cloud kernel, and an initramfs that has modules of the same package besides the first guest's.
///
/// @param kernel a bzImage
/// @param initrd in which [#LOAD] loads the modules
record KernelWithModules(Path kernel, Path initrd) {
    /// What the shell in the guest is told.
    static final String LOAD = "for m in $(cat /modules/further); do insmod /modules/$m; done";

    /// @param directory where all of it goes
    /// @param modules   which; those that the kernel has built in are passed over
    static KernelWithModules make(Path directory, String... modules) throws IOException {
        Path root = Files.createDirectory(directory.resolve("kernel"));
        var packages = new DebianPackages(System.err::println);
        packages.unpack(packages.resolve("linux-image-cloud-amd64", "linux-image-"), root);
        packages.unpack("busybox-static", root);
        var all = new KernelModules(only(root.resolve("lib/modules"), "*"));
        Path initrd = directory.resolve("initrd");
        Path merged = root.resolve("usr/bin/busybox");
        Initramfs.write(initrd, Files.exists(merged) ? merged : root.resolve("bin/busybox"), all);
        try (OutputStream end = Files.newOutputStream(initrd, StandardOpenOption.APPEND);
                var archive = new CpioArchive(new BufferedOutputStream(end))) {
            var order = new ArrayList<String>();
            for (Path module : all.inLoadOrder(List.of(modules))) {
                String name = module.getFileName().toString();
                archive.file("modules/" + name, 0644, Files.readAllBytes(module));
                order.add(name);
            }
            archive.file(
                    "modules/further", 0644, (String.join("\n", order) + "\n").getBytes(StandardCharsets.US_ASCII));
        }
        return new KernelWithModules(only(root.resolve("boot"), "vmlinuz-*"), initrd);
    }

    private static Path only(Path directory, String glob) throws IOException {
        try (DirectoryStream<Path> found = Files.newDirectoryStream(directory, glob)) {
            return found.iterator().next();
        }
    }
}

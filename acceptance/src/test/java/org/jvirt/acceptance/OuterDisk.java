package org.jvirt.acceptance;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.module.Configuration;
import java.lang.module.ModuleFinder;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jvirt.cli.debian.CpioArchive;
import org.jvirt.cli.debian.DebianGuest;
import org.jvirt.cli.debian.DebianPackages;
import org.jvirt.cli.debian.KernelModules;

/// The disk of an [OuterGuest]: jvirt with a runtime of its own, QEMU, the modules of KVM and an inner guest.
///
/// ```
/// HOME/jre              a runtime with the modules that jvirt needs
/// HOME/lib, jvirt.aot   what the build has staged, and an AOT cache made with that runtime; the cache is good for
///                       one place only, so HOME is the path at which it was made on this host
/// /usr/bin, /lib…       QEMU, its firmware and libraries
/// /modules              kernel modules and their order
/// /vmlinuz, /initrd     the inner guest, with the measuring program `io`
/// ```
///
/// @param image  an ext4 image
/// @param kernel the kernel that the modules are for
/// @param initrd of the outer guest
/// @param home   where jvirt is
record OuterDisk(Path image, Path kernel, Path initrd, Path home) {
    private static final Path QEMU = Path.of("/usr/bin/qemu-system-x86_64");
    private static final Path MKE2FS = Path.of("/sbin/mke2fs");
    private static final int IMAGE_MIB = 700;

    /// Makes the disk in `directory`, which is empty.
    static OuterDisk make(Path directory) throws IOException, InterruptedException {
        assumeTrue(Files.isExecutable(QEMU), "No QEMU: apt-get install qemu-system-x86");
        assumeTrue(Files.isExecutable(MKE2FS), "No mke2fs: apt-get install e2fsprogs");
        Path stage = stage();
        Path root = Files.createDirectory(directory.resolve("root"));
        for (String mountPoint : List.of("dev", "proc", "sys", "scratch")) {
            Files.createDirectory(root.resolve(mountPoint));
        }
        Path home = runtime(directory.toRealPath().resolve("jvirt"), stage);
        try (Stream<Path> natives = Files.walk(home.resolve("jre"))) {
            for (Path program : natives.filter(f -> f.toString().endsWith(".so") || f.endsWith("bin/java"))
                    .toList()) {
                HostPrograms.libraries(program, root);
            }
        }
        Path inside = root.resolve(home.toString().substring(1));
        Files.createDirectories(inside.getParent());
        Files.move(home, inside);
        qemu(root);
        DebianGuest guest = DebianGuest.of(DebianGuest.Flavour.CLOUD, System.err::println);
        Path kernel = kernel(directory, root);
        Files.copy(kernel, root.resolve("vmlinuz"));
        innerInitrd(directory, guest, root.resolve("initrd"));
        Path image = directory.resolve("outer.img");
        HostPrograms.run(List.of(
                MKE2FS.toString(), "-q", "-t", "ext4", "-d", root.toString(), image.toString(), IMAGE_MIB + "M"));
        return new OuterDisk(image, kernel, guest.initrd(), home);
    }

    private static Path stage() {
        String stage = System.getProperty("jvirt.stage", "../target/jvirt");
        Path lib = Path.of(stage, "lib");
        assumeTrue(Files.isDirectory(lib), "Nothing is staged in %s: run ./build stage".formatted(lib));
        return lib;
    }

    /// A runtime with the modules of the JDK that jvirt needs, jvirt itself, and a cache of its loaded classes.
    private static Path runtime(Path home, Path stage) throws IOException, InterruptedException {
        Path lib = home.resolve("lib");
        Files.createDirectories(lib);
        try (Stream<Path> jars = Files.list(stage)) {
            for (Path jar : jars.toList()) {
                Files.copy(jar, lib.resolve(jar.getFileName()));
            }
        }
        Path runtime = home.resolve("jre");
        HostPrograms.run(List.of(
                Path.of(System.getProperty("java.home"), "bin/jlink").toString(),
                "--add-modules",
                String.join(",", modulesOfTheJdk(lib)),
                "--strip-debug",
                "--no-header-files",
                "--no-man-pages",
                "--output",
                runtime.toString()));
        // The image keeps times in whole seconds, and a cache knows its files by their times.
        try (Stream<Path> files = Files.walk(home)) {
            FileTime now = FileTime.from(Instant.now().truncatedTo(ChronoUnit.SECONDS));
            for (Path file : files.toList()) {
                Files.setLastModifiedTime(file, now);
            }
        }
        Path kernel = Kernels.resetting(home.resolve("training"));
        var training = new ArrayList<>(java(home));
        training.add(1, "-XX:AOTCacheOutput=" + home.resolve("jvirt.aot"));
        training.addAll(List.of("run", "--kernel", kernel.toString(), "--memory", "64M", "--no-reboot"));
        HostPrograms.run(training);
        return home;
    }

    /// The words that start jvirt, before its own.
    static List<String> java(Path home) {
        return List.of(
                home.resolve("jre/bin/java").toString(),
                "--module-path",
                home.resolve("lib").toString(),
                "--enable-native-access=org.jvirt.linux",
                "-XX:+UseSerialGC",
                "-XX:-UsePerfData",
                "-m",
                "org.jvirt.cli/org.jvirt.cli.Main");
    }

    private static Set<String> modulesOfTheJdk(Path lib) {
        Configuration resolved = Configuration.resolve(
                ModuleFinder.of(lib),
                List.of(ModuleLayer.boot().configuration()),
                ModuleFinder.ofSystem(),
                Set.of("org.jvirt.cli"));
        return resolved.modules().stream()
                .flatMap(module -> module.reads().stream())
                .filter(module -> module.reference()
                        .location()
                        .filter(uri -> uri.getScheme().equals("jrt"))
                        .isPresent())
                .map(module -> module.name())
                .collect(Collectors.toSet());
    }

    private static void qemu(Path root) throws IOException, InterruptedException {
        HostPrograms.install(QEMU, root);
        for (String firmware : List.of("usr/share/qemu", "usr/share/seabios")) {
            try (Stream<Path> files = Files.walk(Path.of("/", firmware))) {
                for (Path file : files.filter(Files::isRegularFile).toList()) {
                    HostPrograms.copy(file, root);
                }
            }
        }
    }

    /// The kernel and its KVM modules, from one package.
    private static Path kernel(Path directory, Path root) throws IOException {
        Path unpacked = Files.createDirectory(directory.resolve("kernel"));
        var packages = new DebianPackages(System.err::println);
        packages.unpack(packages.resolve("linux-image-cloud-amd64", "linux-image-"), unpacked);
        Path target = Files.createDirectory(root.resolve("modules"));
        var order = new ArrayList<String>();
        var modules = new KernelModules(only(unpacked.resolve("lib/modules"), "*"));
        for (Path module : modules.inLoadOrder(List.of("kvm_amd"))) {
            Files.copy(module, target.resolve(module.getFileName()));
            order.add(module.getFileName().toString());
        }
        Files.writeString(target.resolve("order"), String.join("\n", order) + "\n");
        return only(unpacked.resolve("boot"), "vmlinuz-*");
    }

    /// The guest's initramfs with one more program.
    private static void innerInitrd(Path directory, DebianGuest guest, Path target)
            throws IOException, InterruptedException {
        Path program = directory.resolve("io");
        Path source = Path.of(System.getProperty("jvirt.root", ".."), "benchmarks/src/guest/io.c");
        HostPrograms.run(List.of("gcc", "-O2", "-static", "-o", program.toString(), source.toString()));
        Files.copy(guest.initrd(), target);
        try (OutputStream end = Files.newOutputStream(target, StandardOpenOption.APPEND);
                var archive = new CpioArchive(new BufferedOutputStream(end))) {
            archive.file("bin/io", 0755, Files.readAllBytes(program));
        }
    }

    private static Path only(Path directory, String glob) throws IOException {
        try (DirectoryStream<Path> found = Files.newDirectoryStream(directory, glob)) {
            return found.iterator().next();
        }
    }
}

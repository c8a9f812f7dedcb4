package org.jvirt.images.qcow2;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jvirt.images.format.CheckReport;
import org.jvirt.images.format.CreateRequest;
import org.jvirt.images.format.OpenRequest;
import org.jvirt.images.format.Repair;
import org.jvirt.images.testing.MemoryFile;
import org.jvirt.images.testing.MemoryOpener;

/// Images in memory, and what qemu-img says of them.
final class TestImage {
    static final Qcow2Driver DRIVER = new Qcow2Driver();

    private TestImage() {}

    /// A kind of image.
    ///
    /// @param backingBytes how large the raw layer below is, 0 for none
    record Variant(String name, Map<String, String> options, int backingBytes) {
        boolean encrypted() {
            return options.containsKey("encrypt.format");
        }

        boolean external() {
            return options.containsKey("data_file");
        }

        boolean version2() {
            return "0.10".equals(options.get("compat"));
        }

        @Override
        public String toString() {
            return name;
        }
    }

    static Variant variant(String name, int backingBytes, String... options) {
        Map<String, String> map = new LinkedHashMap<>();
        for (String option : options) {
            map.put(option.substring(0, option.indexOf('=')), option.substring(option.indexOf('=') + 1));
        }
        return new Variant(name, map, backingBytes);
    }

    static List<Variant> variants() {
        return List.of(
                variant("default", 0),
                variant("clusters of 512 bytes", 0, "cluster_size=512"),
                variant("clusters of 4 KiB on a layer below", 700_000, "cluster_size=4K"),
                variant("clusters of 2 MiB", 0, "cluster_size=2M"),
                variant("version 2", 0, "compat=0.10", "cluster_size=4K"),
                variant("version 2 on a layer below", 3_000_001, "compat=0.10", "cluster_size=8K"),
                variant("refcounts of 1 bit", 0, "refcount_bits=1", "cluster_size=1K"),
                variant("refcounts of 2 bits", 0, "refcount_bits=2", "cluster_size=4K"),
                variant("refcounts of 4 bits", 900_000, "refcount_bits=4", "cluster_size=2K"),
                variant("refcounts of 8 bits", 0, "refcount_bits=8", "cluster_size=16K"),
                variant("refcounts of 32 bits", 0, "refcount_bits=32", "cluster_size=1K"),
                variant("refcounts of 64 bits", 0, "refcount_bits=64", "cluster_size=512"),
                variant("extended L2", 0, "extended_l2=on", "cluster_size=16K"),
                variant("extended L2 on a layer below", 1_500_000, "extended_l2=on", "cluster_size=64K"),
                variant("zstd", 0, "compression_type=zstd", "cluster_size=32K"),
                variant("lazy refcounts", 0, "lazy_refcounts=on", "cluster_size=4K"),
                variant("preallocated metadata", 0, "preallocation=metadata", "cluster_size=8K"),
                variant(
                        "preallocated with extended L2 on a layer below",
                        900_000,
                        "preallocation=metadata",
                        "extended_l2=on",
                        "cluster_size=16K"),
                variant("external data", 600_000, "data_file=data.raw", "cluster_size=4K"),
                variant("raw external data", 0, "data_file=data.raw", "data_file_raw=on", "cluster_size=4K"),
                variant(
                        "LUKS",
                        500_000,
                        "encrypt.format=luks",
                        "encrypt.key-secret=secret0",
                        "encrypt.iter-time=10",
                        "cluster_size=4K"));
    }

    static MemoryOpener create(Variant variant, long size, byte[] backing) throws IOException {
        var opener = new MemoryOpener(DRIVER);
        Map<String, String> options = new LinkedHashMap<>(variant.options);
        if (variant.backingBytes > 0) {
            var below = new MemoryFile("base.raw");
            below.write(0, MemorySegment.ofArray(backing));
            opener.put("base.raw", below);
            options.put("backing_file", "base.raw");
            options.put("backing_fmt", "raw");
        }
        var file = new MemoryFile("disk.qcow2");
        opener.put("disk.qcow2", file);
        DRIVER.create(file, new CreateRequest(size, options, opener));
        return opener;
    }

    static Qcow2Image open(MemoryFile file, MemoryOpener opener, boolean readOnly) throws IOException {
        return open(file, opener, readOnly, Map.of());
    }

    static Qcow2Image open(MemoryFile file, MemoryOpener opener, boolean readOnly, Map<String, String> options)
            throws IOException {
        Map<String, String> all = new LinkedHashMap<>(options);
        all.putIfAbsent("encrypt.key-secret", "secret0");
        return (Qcow2Image) DRIVER.open(file, new OpenRequest(readOnly, true, false, all, opener));
    }

    static CheckReport check(MemoryFile file, MemoryOpener opener) throws IOException {
        try (var image = DRIVER.open(file.readOnlyCopy(), new OpenRequest(true, false, true, Map.of(), opener))) {
            return image.check(Repair.NONE);
        }
    }

    static void assertSound(CheckReport report) {
        assertThat(report.messages()).isEmpty();
        assertThat(report.leaks() + report.corruptions() + report.checkErrors()).isZero();
    }

    /// What a run of qemu-img said.
    record Output(int status, String text) {}

    static Output qemuImg(Path folder, String... arguments) throws IOException {
        return run(folder, "qemu-img", arguments);
    }

    static Output run(Path folder, String program, String... arguments) throws IOException {
        String[] command = new String[arguments.length + 1];
        command[0] = program;
        System.arraycopy(arguments, 0, command, 1, arguments.length);
        Process process = new ProcessBuilder(command)
                .directory(folder.toFile())
                .redirectErrorStream(true)
                .start();
        process.getOutputStream().close();
        String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        try {
            if (!process.waitFor(60, TimeUnit.SECONDS)) {
                process.destroyForcibly();
                throw new IOException(String.join(" ", command) + " does not end");
            }
        } catch (InterruptedException e) {
            throw new IOException(e);
        }
        return new Output(process.exitValue(), text);
    }

    static void needQemuImg() {
        org.junit.jupiter.api.Assumptions.assumeTrue(
                java.nio.file.Files.isExecutable(Path.of("/usr/bin/qemu-img")),
                "qemu-img is missing: apt-get install qemu-utils");
    }

    static byte[] read(org.jvirt.images.format.DiskImage image) throws IOException {
        byte[] all = new byte[(int) image.sizeBytes()];
        image.read(0, List.of(MemorySegment.ofArray(all)));
        return all;
    }
}

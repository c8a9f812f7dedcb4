package org.jvirt.images.blocks;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.jvirt.images.file.ImageFile;
import org.jvirt.images.format.CheckReport;
import org.jvirt.images.format.DiskImage;
import org.jvirt.images.format.Repair;
import org.jvirt.images.testing.Peer;

/// Images go to and fro between qemu-img and us.
class InterchangeTest {
    private static final int DISK_BYTES = (6 << 20) + 37 * 512;
    private static final List<String> CHECKED = List.of("vdi", "vhdx", "parallels", "vmdk");

    @TempDir
    Path folder;

    @BeforeAll
    static void needQemu() {
        Peer.need("qemu-img", "qemu-utils");
    }

    @ParameterizedTest
    @EnumSource
    void qemuReadsWhatWeCreateAndWrite(Variant variant) throws IOException {
        var space = new Variant.HostSpace(folder, variant.driver);
        try (ImageFile file = space.create("disk.img")) {
            variant.create(file, DISK_BYTES, space);
        }
        byte[] model;
        try (DiskImage image = variant.open(space.open("disk.img", false), false, space)) {
            model = new byte[(int) image.sizeBytes()];
            if (variant.isLuks()) {
                image.writeZeroes(0, model.length, false);
            }
            writeSome(image, model, new SplittableRandom(1));
        }
        qemuAgrees(variant, model);
    }

    @ParameterizedTest
    @EnumSource
    void weContinueWhatQemuHasConverted(Variant variant) throws IOException {
        byte[] model = new byte[DISK_BYTES];
        var random = new SplittableRandom(2);
        for (int i = 0; i < 40; i++) {
            byte[] piece = piece(random);
            System.arraycopy(piece, 0, model, random.nextInt(DISK_BYTES - piece.length), piece.length);
        }
        Files.write(folder.resolve("raw"), model);
        convert(variant);
        var space = new Variant.HostSpace(folder, variant.driver);
        try (DiskImage image = variant.open(space.open("disk.img", false), false, space)) {
            byte[] all = new byte[(int) image.sizeBytes()];
            image.read(0, List.of(MemorySegment.ofArray(all)));
            assertThat(all.length).isGreaterThanOrEqualTo(DISK_BYTES);
            model = Arrays.copyOf(model, all.length);
            assertThat(Arrays.mismatch(all, model)).isEqualTo(-1);
            writeSome(image, model, random);
        }
        qemuAgrees(variant, model);
    }

    private void convert(Variant variant) {
        List<String> command = new ArrayList<>(List.of("qemu-img", "convert", "-f", "raw", "-O", variant.qemuName));
        if (variant.isLuks()) {
            command.addAll(secret());
        }
        if (!variant.optionText.isEmpty()) {
            command.addAll(List.of("-o", variant.optionText));
        }
        command.addAll(List.of("raw", "disk.img"));
        Peer.Result result = Peer.run(folder, "", command);
        // qemu-img measures how fast the processor is, and gives up where the kernel counts in too large steps.
        for (int i = 0; i < 50 && result.output().contains("accurate CPU usage"); i++) {
            result = Peer.run(folder, "", command);
        }
        assertThat(result.code()).as(result.output()).isZero();
    }

    private static List<String> secret() {
        return List.of("--object", "secret,id=sec,data=" + new String(Variant.PASSPHRASE, StandardCharsets.UTF_8));
    }

    private static byte[] piece(RandomGenerator random) {
        byte[] piece = new byte[random.nextInt(1, 300_000)];
        if (random.nextInt(4) > 0) {
            random.nextBytes(piece);
        }
        return piece;
    }

    private static void writeSome(DiskImage image, byte[] model, RandomGenerator random) throws IOException {
        for (int i = 0; i < 30; i++) {
            byte[] piece = piece(random);
            int at = random.nextInt(model.length - piece.length);
            image.write(at, List.of(MemorySegment.ofArray(piece)));
            System.arraycopy(piece, 0, model, at, piece.length);
            int zeroes = random.nextInt(100_000);
            int zeroesAt = random.nextInt(model.length - zeroes);
            image.writeZeroes(zeroesAt, zeroes, true);
            Arrays.fill(model, zeroesAt, zeroesAt + zeroes, (byte) 0);
            if (i % 10 == 0) {
                image.flush();
            }
        }
    }

    /// By content, by its own check, and by ours.
    private void qemuAgrees(Variant variant, byte[] model) throws IOException {
        List<String> command = new ArrayList<>(List.of("qemu-img", "convert", "-O", "raw"));
        if (variant.isLuks()) {
            command.addAll(secret());
            command.addAll(
                    List.of("--image-opts", "driver=luks,key-secret=sec,file.driver=file,file.filename=disk.img"));
        } else {
            command.addAll(List.of("-f", variant.qemuName, "disk.img"));
        }
        command.add("back");
        Peer.expect(folder, command.toArray(String[]::new));
        byte[] back = Files.readAllBytes(folder.resolve("back"));
        assertThat(back.length).isEqualTo(model.length);
        assertThat(Arrays.mismatch(back, model)).isEqualTo(-1);
        if (CHECKED.contains(variant.qemuName)) {
            Peer.expect(folder, "qemu-img", "check", "-f", variant.qemuName, "disk.img");
            var space = new Variant.HostSpace(folder, variant.driver);
            try (DiskImage image = variant.open(space.open("disk.img", true), true, space)) {
                CheckReport report = image.check(Repair.NONE);
                assertThat(report.corruptions())
                        .as(report.messages().toString())
                        .isZero();
                assertThat(report.leaks()).as(report.messages().toString()).isZero();
            }
        }
    }
}

package org.jvirt.images.blocks;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.jvirt.images.format.DiskImage;
import org.jvirt.images.format.Extent;
import org.jvirt.images.testing.MemoryFile;

/// Every format against a plain array.
class RandomOperationsTest {
    private static final int DISK_BYTES = 5 << 20;

    @ParameterizedTest
    @EnumSource
    void anImageBehavesLikeAnArray(Variant variant) throws IOException {
        var space = new Variant.MemorySpace();
        MemoryFile file = space.file("disk.img");
        variant.create(file, DISK_BYTES, space);
        byte[] model;
        var random = new SplittableRandom(variant.ordinal());
        DiskImage image = variant.open(file, false, space);
        try {
            model = new byte[(int) image.sizeBytes()];
            assertThat(model.length).isGreaterThanOrEqualTo(DISK_BYTES);
            if (variant.isLuks()) {
                image.writeZeroes(0, model.length, false);
            }
            for (int step = 0; step < 160; step++) {
                operate(image, model, random);
                if (step % 40 == 39) {
                    image.close();
                    image = variant.open(file, false, space);
                }
            }
            compareAll(image, model);
            extentsTell(image, model);
        } finally {
            image.close();
        }
        try (DiskImage again = variant.open(file, true, space)) {
            compareAll(again, model);
        }
    }

    private static void operate(DiskImage image, byte[] model, RandomGenerator random) throws IOException {
        int length = random.nextInt(10) == 0 ? random.nextInt(3 << 19) : random.nextInt(70_000);
        int offset = random.nextInt(model.length - length);
        if (random.nextBoolean()) {
            length &= -512;
            offset &= -512;
        }
        switch (random.nextInt(8)) {
            case 0, 1, 2, 3 -> {
                byte[] bytes = new byte[length];
                random.nextBytes(bytes);
                image.write(offset, slices(bytes, random));
                System.arraycopy(bytes, 0, model, offset, length);
            }
            case 4 -> {
                image.writeZeroes(offset, length, random.nextBoolean());
                Arrays.fill(model, offset, offset + length, (byte) 0);
            }
            case 5 -> image.flush();
            default -> {
                byte[] bytes = new byte[length];
                image.read(offset, slices(bytes, random));
                assertThat(Arrays.mismatch(bytes, 0, length, model, offset, offset + length))
                        .isEqualTo(-1);
            }
        }
    }

    private static List<MemorySegment> slices(byte[] bytes, RandomGenerator random) {
        List<MemorySegment> slices = new ArrayList<>();
        for (int at = 0; at < bytes.length || slices.isEmpty(); ) {
            int part = random.nextInt(3) == 0 ? Math.min(bytes.length - at, 4096) : bytes.length - at;
            slices.add(MemorySegment.ofArray(bytes).asSlice(at, part));
            at += part;
        }
        return slices;
    }

    private static void compareAll(DiskImage image, byte[] model) throws IOException {
        byte[] all = new byte[model.length];
        image.read(0, List.of(MemorySegment.ofArray(all)));
        assertThat(Arrays.mismatch(all, model)).isEqualTo(-1);
    }

    private static void extentsTell(DiskImage image, byte[] model) throws IOException {
        for (long at = 0; at < model.length; ) {
            Extent extent = image.extent(at, model.length - at);
            assertThat(extent.offsetBytes()).isEqualTo(at);
            if (extent.state() != Extent.State.DATA) {
                byte[] zeroes = new byte[(int) extent.lengthBytes()];
                assertThat(Arrays.mismatch(model, (int) at, (int) extent.end(), zeroes, 0, zeroes.length))
                        .isEqualTo(-1);
            }
            at = extent.end();
        }
    }
}

package org.jvirt.images;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.jvirt.core.BlockBackend;
import org.jvirt.images.format.ImageFormat;
import org.jvirt.images.overlay.SnapshotOverlay;
import org.jvirt.testkit.RamDisk;

class SnapshotOverlayTest {
    private static final int SIZE = 512 << 10;
    private static final int CLUSTER = 64 << 10;

    @TempDir
    Path folder;

    @Test
    void theOverlayBehavesAsADiskWhileTheImageBelowStaysAsItIs() throws IOException {
        var random = new Random(7);
        var original = new byte[SIZE + 512];
        random.nextBytes(original);
        Path path = folder.resolve("disk.raw");
        Files.write(path, original);
        byte[] expected = original.clone();
        try (BlockBackend disk = DiskImages.openSnapshot(path, ImageFormat.RAW, 64L << 20)) {
            assertThat(disk.readOnly()).isFalse();
            for (int round = 0; round < 2000; round++) {
                int sectors = 1 + random.nextInt(300);
                int at = random.nextInt(expected.length / 512) * 512;
                int length = Math.min(sectors * 512, expected.length - at);
                int split = random.nextInt(length + 1);
                switch (random.nextInt(4)) {
                    case 0 -> {
                        disk.writeZeroes(at, length, true);
                        Arrays.fill(expected, at, at + length, (byte) 0);
                    }
                    case 1 -> {
                        var content = new byte[length];
                        random.nextBytes(content);
                        MemorySegment all = MemorySegment.ofArray(content);
                        disk.write(at, List.of(all.asSlice(0, split), all.asSlice(split)));
                        System.arraycopy(content, 0, expected, at, length);
                    }
                    default -> {
                        var read = new byte[length];
                        MemorySegment all = MemorySegment.ofArray(read);
                        disk.read(at, List.of(all.asSlice(0, split), all.asSlice(split)));
                        assertThat(read).isEqualTo(Arrays.copyOfRange(expected, at, at + length));
                    }
                }
            }
        }
        assertThat(Files.readAllBytes(path)).isEqualTo(original);
    }

    @Test
    void memoryIsBoundedAndZeroesGiveItBack() throws IOException {
        try (var disk = new SnapshotOverlay(new RamDisk(SIZE, true), 2 * CLUSTER)) {
            List<MemorySegment> sector = List.of(MemorySegment.ofArray(new byte[512]));
            disk.write(0, sector);
            disk.write(CLUSTER, sector);
            assertThatThrownBy(() -> disk.write(2 * CLUSTER, sector))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("full");
            disk.writeZeroes(0, CLUSTER, true);
            assertThat(disk.heldBytes()).isEqualTo(CLUSTER);
            disk.write(2 * CLUSTER, sector);
            assertThat(disk.heldBytes()).isEqualTo(2 * CLUSTER);
        }
    }

    @Test
    void whatLiesOutsideIsRefused() throws IOException {
        try (var disk = new SnapshotOverlay(new RamDisk(SIZE, true), SIZE)) {
            List<MemorySegment> sector = List.of(MemorySegment.ofArray(new byte[512]));
            for (long at : new long[] {SIZE, -1, Long.MAX_VALUE - 511}) {
                assertThatThrownBy(() -> disk.read(at, sector)).isInstanceOf(IOException.class);
                assertThatThrownBy(() -> disk.write(at, sector)).isInstanceOf(IOException.class);
                assertThatThrownBy(() -> disk.discard(at, 512)).isInstanceOf(IOException.class);
            }
            assertThat(disk.heldBytes()).isZero();
        }
    }
}

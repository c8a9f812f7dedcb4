package org.jvirt.images;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.jvirt.core.BlockBackend;
import org.jvirt.core.UserErrorException;
import org.jvirt.images.format.ImageFormat;

class RawImageTest {
    private static final int SIZE = 1 << 20;

    @TempDir
    Path folder;

    private Path image(long size) throws IOException {
        Path path = folder.resolve("disk.raw");
        try (var file = new RandomAccessFile(path.toFile(), "rw")) {
            file.setLength(size);
        }
        return path;
    }

    @Test
    void whatIsWrittenFromSeveralSegmentsIsReadIntoSeveralOthers() throws IOException {
        Path path = image(SIZE);
        try (BlockBackend disk = DiskImages.open(path, ImageFormat.RAW, false);
                Arena arena = Arena.ofShared()) {
            MemorySegment from = arena.allocate(8192);
            for (int i = 0; i < 8192; i++) {
                from.set(ValueLayout.JAVA_BYTE, i, (byte) (i * 7));
            }
            disk.write(4096, List.of(from.asSlice(0, 512), from.asSlice(512, 7680)));
            disk.flush();
            MemorySegment native1 = arena.allocate(4096);
            MemorySegment heap = MemorySegment.ofArray(new byte[4096]);
            disk.read(4096, List.of(native1, heap));
            assertThat(native1.mismatch(from.asSlice(0, 4096))).isEqualTo(-1);
            assertThat(heap.mismatch(from.asSlice(4096, 4096))).isEqualTo(-1);
            assertThat(Files.size(path)).isEqualTo(SIZE);
        }
    }

    @Test
    void zeroesReplaceContent() throws IOException {
        Path path = image(SIZE);
        try (BlockBackend disk = DiskImages.open(path, ImageFormat.RAW, false)) {
            MemorySegment ones = MemorySegment.ofArray(new byte[SIZE]);
            ones.fill((byte) 1);
            disk.write(0, List.of(ones));
            disk.writeZeroes(512, SIZE - 1024L, true);
            var read = new byte[SIZE];
            disk.read(0, List.of(MemorySegment.ofArray(read)));
            assertThat(read[511]).isEqualTo((byte) 1);
            assertThat(read[512]).isZero();
            assertThat(read[SIZE - 513]).isZero();
            assertThat(read[SIZE - 512]).isEqualTo((byte) 1);
        }
    }

    @Test
    void accessesOutsideTheDiskAreRefusedAndNothingGrows() throws IOException {
        Path path = image(SIZE);
        try (BlockBackend disk = DiskImages.open(path, ImageFormat.RAW, false)) {
            List<MemorySegment> sector = List.of(MemorySegment.ofArray(new byte[512]));
            for (long at : new long[] {SIZE, SIZE - 1, -512, Long.MAX_VALUE - 511, Long.MIN_VALUE}) {
                assertThatThrownBy(() -> disk.read(at, sector)).isInstanceOf(IOException.class);
                assertThatThrownBy(() -> disk.write(at, sector)).isInstanceOf(IOException.class);
                assertThatThrownBy(() -> disk.writeZeroes(at, 512, true)).isInstanceOf(IOException.class);
                assertThatThrownBy(() -> disk.discard(at, 512)).isInstanceOf(IOException.class);
            }
            assertThat(Files.size(path)).isEqualTo(SIZE);
        }
    }

    @Test
    void aShrinkingFileFailsBehindItsEndOnly() throws IOException {
        Path path = image(SIZE);
        try (BlockBackend disk = DiskImages.open(path, ImageFormat.RAW, false)) {
            // Through another descriptor, as another process would; closing it inside this one is harmless to the
            // data.
            try (var file = new RandomAccessFile(path.toFile(), "rw")) {
                file.setLength(SIZE / 2);
            }
            List<MemorySegment> sector = List.of(MemorySegment.ofArray(new byte[512]));
            disk.read(0, sector);
            disk.write(0, sector);
            assertThatThrownBy(() -> disk.read(SIZE - 512, sector))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("has shrunk");
            assertThatThrownBy(() -> disk.write(SIZE - 512, sector))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("has shrunk");
            assertThat(disk.sizeBytes()).isEqualTo(SIZE);
            assertThat(Files.size(path)).isEqualTo(SIZE / 2);
        }
    }

    @Test
    void readOnlyImagesRefuseWrites() throws IOException {
        try (BlockBackend disk = DiskImages.open(image(SIZE), ImageFormat.RAW, true)) {
            assertThat(disk.readOnly()).isTrue();
            assertThatThrownBy(() -> disk.write(0, List.of(MemorySegment.ofArray(new byte[512]))))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("read-only");
        }
    }

    @Test
    void anOddSizeIsRoundedUpAndTheLastSectorFilledWhenItIsWritten() throws IOException {
        Path path = folder.resolve("odd.raw");
        Files.write(path, new byte[] {1, 2, 3});
        try (BlockBackend disk = DiskImages.open(path, ImageFormat.RAW, false)) {
            assertThat(disk.sizeBytes()).isEqualTo(512);
            var read = new byte[512];
            read[3] = 9;
            disk.read(0, List.of(MemorySegment.ofArray(read)));
            assertThat(read).startsWith(1, 2, 3, 0).endsWith(0);
            assertThatThrownBy(() -> disk.read(512, List.of(MemorySegment.ofArray(read))))
                    .isInstanceOf(IOException.class);
            read[511] = 5;
            disk.write(0, List.of(MemorySegment.ofArray(read)));
            disk.read(0, List.of(MemorySegment.ofArray(read)));
            assertThat(read).startsWith(1, 2, 3, 0).endsWith(5);
        }
        assertThat(Files.size(path)).isEqualTo(512);
    }

    @Test
    void whatIsNoDiskIsRefusedWithTheReason() throws IOException {
        assertThatThrownBy(() -> DiskImages.open(folder.resolve("nothing"), ImageFormat.RAW, false))
                .isInstanceOf(UserErrorException.class)
                .hasMessageContaining("no such file");
        assertThatThrownBy(() -> DiskImages.open(folder, ImageFormat.RAW, false))
                .isInstanceOf(UserErrorException.class)
                .hasMessageContaining("is a directory");
        assertThatThrownBy(() -> DiskImages.open(Path.of("/dev/zero"), ImageFormat.RAW, true))
                .isInstanceOf(UserErrorException.class)
                .hasMessageContaining("neither a file nor a block device");
        Path empty = Files.createFile(folder.resolve("empty"));
        assertThatThrownBy(() -> DiskImages.open(empty, ImageFormat.RAW, false))
                .isInstanceOf(UserErrorException.class)
                .hasMessageContaining("is empty");
    }

    @Test
    void oneMayWriteOrManyMayRead() throws IOException {
        Path path = image(SIZE);
        try (BlockBackend writer = DiskImages.open(path, ImageFormat.RAW, false)) {
            assertThat(writer.readOnly()).isFalse();
            assertThatThrownBy(() -> DiskImages.open(path, ImageFormat.RAW, false))
                    .isInstanceOf(UserErrorException.class)
                    .hasMessageContaining("uses it");
            assertThatThrownBy(() -> DiskImages.open(path, ImageFormat.RAW, true))
                    .isInstanceOf(UserErrorException.class)
                    .hasMessageContaining("writes to it");
        }
        List<MemorySegment> sector = List.of(MemorySegment.ofArray(new byte[512]));
        BlockBackend first = DiskImages.open(path, ImageFormat.RAW, true);
        try (BlockBackend second = DiskImages.open(path, ImageFormat.RAW, true)) {
            first.close();
            first.close();
            second.read(0, sector);
            assertThatThrownBy(() -> DiskImages.open(path, ImageFormat.RAW, false))
                    .isInstanceOf(UserErrorException.class);
        }
        DiskImages.open(path, ImageFormat.RAW, false).close();
    }

    @Test
    void sparseFilesStaySparse() throws IOException {
        Path path = image(8L << 30);
        try (BlockBackend disk = DiskImages.open(path, ImageFormat.RAW, false)) {
            var sector = new byte[512];
            sector[0] = 42;
            disk.write((8L << 30) - 512, List.of(MemorySegment.ofArray(sector)));
            var read = new byte[512];
            disk.read((8L << 30) - 512, List.of(MemorySegment.ofArray(read)));
            assertThat(read).isEqualTo(sector);
            disk.read(4L << 30, List.of(MemorySegment.ofArray(read)));
            assertThat(read).containsOnly(0);
        }
    }
}

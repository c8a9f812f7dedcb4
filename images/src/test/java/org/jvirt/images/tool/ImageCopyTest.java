package org.jvirt.images.tool;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.jvirt.images.ImageAccess;
import org.jvirt.images.ImageOpening;
import org.jvirt.images.ImageReference;
import org.jvirt.images.format.DiskImage;
import org.jvirt.images.format.Extent;
import org.jvirt.images.format.ImageFormat;

class ImageCopyTest {
    private static final long SIZE = 24L << 20;
    private static final CopyOptions PLAIN = new CopyOptions(false, 4096, true, false, 4, false, false, 0);

    @TempDir
    Path folder;

    private final ImageAccess access = new ImageAccess();

    private DiskImage created(String name, ImageFormat format, long bytes) {
        String path = folder.resolve(name).toString();
        access.create(format, path, bytes, Map.of());
        return open(name, format);
    }

    private DiskImage open(String name, ImageFormat format) {
        return access.open(ImageReference.ofFile(folder.resolve(name)), Optional.of(format), ImageOpening.writing());
    }

    /// Islands of data, some of them with zeroes inside, in a sea of holes.
    private DiskImage islands(long seed) throws IOException {
        RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(seed);
        DiskImage image = created("source", ImageFormat.RAW, SIZE);
        for (int i = 0; i < 20; i++) {
            byte[] island = new byte[random.nextInt(1, 300) * 512];
            random.nextBytes(island);
            Arrays.fill(island, island.length / 4, island.length / 2, (byte) 0);
            image.write(random.nextLong((SIZE - island.length) / 512) * 512, List.of(MemorySegment.ofArray(island)));
        }
        return image;
    }

    @ParameterizedTest
    @CsvSource({
        "RAW, false, 4096, false",
        "RAW, false, 65536, true",
        "RAW, false, 0, false",
        "QCOW2, false, 4096, false",
        "QCOW2, true, 4096, false",
        "QCOW2, false, 0, true",
        "VMDK, false, 4096, false",
        "VHDX, false, 512, true"
    })
    void copiesReadLikeTheirSource(ImageFormat format, boolean compress, long sparse, boolean outOfOrder)
            throws IOException {
        for (int threads : new int[] {1, 4}) {
            try (DiskImage source = islands(threads);
                    DiskImage target = created("target" + threads, format, SIZE)) {
                var options = new CopyOptions(compress, sparse, true, false, threads, outOfOrder, false, 0);
                new ImageCopy(new CopySource.OfImage(source), target, options).run(Progress.NONE);
                assertThat(ImageComparison.compare(source, target, false, Progress.NONE))
                        .isEqualTo(new ImageComparison.Result.Identical(false));
            }
        }
    }

    @Test
    void holesStayHolesUnlessNoneAreWanted() throws IOException {
        try (DiskImage source = islands(7);
                DiskImage target = created("target", ImageFormat.RAW, SIZE);
                DiskImage full = created("full", ImageFormat.RAW, SIZE)) {
            new ImageCopy(new CopySource.OfImage(source), target, PLAIN).run(Progress.NONE);
            assertThat(target.info().actualSizeBytes())
                    .isLessThanOrEqualTo(source.info().actualSizeBytes());
            var noHoles = new CopyOptions(false, 0, true, false, 2, false, false, 0);
            new ImageCopy(new CopySource.OfImage(source), full, noHoles).run(Progress.NONE);
            assertThat(full.info().actualSizeBytes()).isGreaterThanOrEqualTo(SIZE);
        }
    }

    @Test
    void whatATargetHeldBeforeIsOverwrittenByZeroesToo() throws IOException {
        try (DiskImage source = islands(8);
                DiskImage target = created("target", ImageFormat.QCOW2, SIZE + 65536)) {
            byte[] ones = new byte[(int) SIZE + 65536];
            Arrays.fill(ones, (byte) 1);
            target.write(0, List.of(MemorySegment.ofArray(ones)));
            var dirty = new CopyOptions(false, 4096, false, false, 2, false, false, 0);
            new ImageCopy(new CopySource.OfImage(source), target, dirty).run(Progress.NONE);
            assertThat(ImageComparison.compare(source, target, false, Progress.NONE))
                    .isEqualTo(new ImageComparison.Result.Identical(true));
        }
    }

    @Test
    void severalSourcesLieBehindEachOther() throws IOException {
        try (DiskImage source = islands(9);
                DiskImage second = created("second", ImageFormat.QCOW2, 1 << 20);
                DiskImage target = created("target", ImageFormat.RAW, SIZE + (1 << 20))) {
            second.write(512, List.of(MemorySegment.ofArray(new byte[] {5})));
            new ImageCopy(CopySource.of(List.of(source, second)), target, PLAIN).run(Progress.NONE);
            byte[] read = new byte[1024];
            target.read(SIZE, List.of(MemorySegment.ofArray(read)));
            assertThat(read[512]).isEqualTo((byte) 5);
            assertThat(ImageComparison.compare(source, target, false, Progress.NONE))
                    .isEqualTo(new ImageComparison.Result.Different(SIZE + 512, true));
        }
    }

    @Test
    void aSourceThatShrinksUnderneathFailsTheCopyOrIsSalvaged() throws IOException {
        try (DiskImage source = islands(10);
                DiskImage target = created("target", ImageFormat.RAW, SIZE)) {
            source.write(SIZE - 4096, List.of(MemorySegment.ofArray(new byte[] {1})));
            var everything = new CopyOptions(false, 0, true, false, 3, false, false, 0);
            try (var file = new RandomAccessFile(folder.resolve("source").toFile(), "rw")) {
                file.setLength(SIZE - (1 << 20));
            }
            assertThatThrownBy(
                            () -> new ImageCopy(new CopySource.OfImage(source), target, everything).run(Progress.NONE))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("has shrunk");
            var salvage = new CopyOptions(false, 0, true, false, 3, false, true, 0);
            List<String> lost = new ImageCopy(new CopySource.OfImage(source), target, salvage).run(Progress.NONE);
            assertThat(lost)
                    .hasSize((1 << 20) / 512)
                    .allSatisfy(line -> assertThat(line).contains("Cannot read"));
        }
    }

    @Test
    void aCommittedLayerIsInTheOneBelow() throws IOException {
        try (DiskImage base = islands(11)) {
            assertThat(base.sizeBytes()).isEqualTo(SIZE);
        }
        access.create(
                ImageFormat.QCOW2,
                folder.resolve("top").toString(),
                SIZE + 65536,
                Map.of("backing_file", "source", "backing_fmt", "raw"));
        try (DiskImage top = open("top", ImageFormat.QCOW2)) {
            top.write(1 << 20, List.of(MemorySegment.ofArray(new byte[] {1, 2, 3})));
            top.writeZeroes(2 << 20, 3 << 20, true);
            top.write(SIZE, List.of(MemorySegment.ofArray(new byte[] {9})));
        }
        ImageAccess shared = access.sharedWithWriters();
        try (DiskImage base = open("source", ImageFormat.RAW);
                DiskImage chain = shared.open(
                        ImageReference.ofFile(folder.resolve("top")),
                        Optional.of(ImageFormat.QCOW2),
                        ImageOpening.reading())) {
            ImageCommit.commit(chain, 1, base, 0, Progress.NONE);
            assertThat(base.sizeBytes()).isEqualTo(SIZE + 65536);
            assertThat(base.extent(3 << 20, 4096).state()).isEqualTo(Extent.State.ZERO);
            assertThat(ImageComparison.compare(chain, base, false, Progress.NONE))
                    .isEqualTo(new ImageComparison.Result.Identical(false));
        }
    }

    @Test
    void aRebasedLayerReadsAsBeforeOnTheOtherBase() throws IOException {
        try (DiskImage old = islands(12);
                DiskImage other = created("other", ImageFormat.RAW, SIZE)) {
            other.write(0, List.of(MemorySegment.ofArray(new byte[1 << 20])));
            other.write(8192, List.of(MemorySegment.ofArray(new byte[] {1, 2, 3})));
            assertThat(old.sizeBytes()).isEqualTo(SIZE);
        }
        access.create(
                ImageFormat.QCOW2,
                folder.resolve("top").toString(),
                SIZE,
                Map.of("backing_file", "source", "backing_fmt", "raw"));
        try (DiskImage top = open("top", ImageFormat.QCOW2)) {
            top.write(5 << 20, List.of(MemorySegment.ofArray(new byte[] {4, 5})));
            try (DiskImage before = created("before", ImageFormat.RAW, SIZE)) {
                new ImageCopy(new CopySource.OfImage(top), before, PLAIN).run(Progress.NONE);
            }
            try (DiskImage other = access.open(
                    ImageReference.ofFile(folder.resolve("other")),
                    Optional.of(ImageFormat.RAW),
                    ImageOpening.reading())) {
                ImageRebase.prepare(top, Optional.of(other), Progress.NONE);
            }
            top.changeBacking(Optional.of("other"), Optional.of("raw"));
        }
        try (DiskImage top = open("top", ImageFormat.QCOW2);
                DiskImage before = open("before", ImageFormat.RAW)) {
            assertThat(top.info().backingReference()).contains("other");
            assertThat(ImageComparison.compare(top, before, false, Progress.NONE))
                    .isEqualTo(new ImageComparison.Result.Identical(false));
        }
    }
}

package org.jvirt.images.qcow2;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalLong;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.jvirt.images.testing.MemoryFile;
import org.jvirt.images.testing.MemoryOpener;

/// Images with any mix of options go back and forth between QEMU and here, each side writing, zeroing,
/// compressing and taking snapshots where it likes, on a layer below or none, with a bitmap that records it.
/// After each turn both sides' checks find nothing, and both read the same.
class Qcow2CorpusTest {
    private static final int SIZE = 4 << 20;
    private static final int TURNS = 3;
    private static final int SOAK_SEEDS = 200;

    @TempDir
    Path folder;

    @BeforeEach
    void peer() {
        TestImage.needQemuImg();
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10})
    void bothSidesAgreeAfterEachTurn(long seed) throws IOException {
        new Image(folder, seed).play();
    }

    @Test
    @Tag("soak")
    void theyDoSoForManyMoreMixes() throws IOException {
        for (long seed = 1000; seed < 1000 + SOAK_SEEDS; seed++) {
            new Image(Files.createDirectory(folder.resolve("seed" + seed)), seed).play();
        }
    }

    /// One image, and what it should hold.
    private static final class Image {
        private final Path folder;
        private final Random random;
        private final byte[] content = new byte[SIZE];
        private final String options;
        private final int clusterBytes;
        private final boolean version2;
        private final int refcountBits;
        private final boolean below;
        private final List<long[]> recorded = new ArrayList<>();
        private boolean recording;
        private int snapshots;

        Image(Path folder, long seed) {
            this.folder = folder;
            random = new Random(seed);
            boolean extended = random.nextInt(3) == 0;
            version2 = !extended && random.nextInt(6) == 0;
            clusterBytes = extended ? 16 << 10 << random.nextInt(3) : 512 << random.nextInt(8);
            refcountBits = version2 ? 16 : 1 << random.nextInt(7);
            below = random.nextBoolean();
            List<String> all = new ArrayList<>(List.of("cluster_size=" + clusterBytes));
            all.add(version2 ? "compat=0.10" : "refcount_bits=" + refcountBits);
            if (extended) {
                all.add("extended_l2=on");
            }
            if (!version2 && random.nextBoolean()) {
                all.add("compression_type=zstd");
            }
            if (!version2 && random.nextInt(3) == 0) {
                all.add("lazy_refcounts=on");
            }
            options = String.join(",", all);
        }

        void play() throws IOException {
            List<String> create = new ArrayList<>(List.of("create", "-q", "-f", "qcow2", "-o", options));
            if (below) {
                byte[] base = new byte[1_500_000];
                random.nextBytes(base);
                Files.write(folder.resolve("base.raw"), base);
                // QEMU takes a raw file's last sector as whole.
                System.arraycopy(base, 0, content, 0, base.length);
                create.addAll(List.of("-b", "base.raw", "-F", "raw"));
            }
            create.addAll(List.of("disk.qcow2", Integer.toString(SIZE)));
            qemuImg(create.toArray(String[]::new));
            for (int turn = 0; turn < TURNS; turn++) {
                theirTurn(turn);
                ourTurn();
            }
        }

        private void theirTurn(int turn) throws IOException {
            List<String> arguments = new ArrayList<>(List.of("-f", "qcow2"));
            if (turn == 0) {
                // Into clusters without a place only: QEMU refuses others.
                int at = 3 << 20;
                add(arguments, "write -c -P 77 %d %d", at, 4 * clusterBytes);
                fill(at, 4 * clusterBytes, 77);
            }
            for (int i = 0; i < 8; i++) {
                int at = random.nextInt(3 << 20) & -512;
                int length = 512 * (1 + random.nextInt(200));
                boolean zero = random.nextInt(4) == 0;
                int pattern = zero ? 0 : 1 + random.nextInt(255);
                add(arguments, zero ? "write -z %3$d %4$d" : "write -P %2$d %3$d %4$d", 0, pattern, at, length);
                fill(at, length, pattern);
            }
            arguments.add("disk.qcow2");
            var output = TestImage.run(folder, "qemu-io", arguments.toArray(String[]::new));
            assertThat(output.status()).as("%s: %s", this, output.text()).isZero();
            assertThat(output.text()).as("%s", this).doesNotContain("failed");
            if (refcountBits > 2 && random.nextBoolean()) {
                qemuImg("snapshot", "-c", "theirs" + turn, "disk.qcow2");
                snapshots++;
            }
            if (!version2 && !recording) {
                qemuImg("bitmap", "--add", "-g", "65536", "disk.qcow2", "b");
                recording = true;
            }
        }

        private static void add(List<String> arguments, String format, Object... values) {
            arguments.add("-c");
            arguments.add(format.formatted(values));
        }

        private void fill(int at, int length, int pattern) {
            Arrays.fill(content, at, at + length, (byte) pattern);
            record(at, length);
        }

        private void record(long at, long length) {
            if (recording) {
                recorded.add(new long[] {at, length});
            }
        }

        private void ourTurn() throws IOException {
            var opener = new MemoryOpener(TestImage.DRIVER);
            opener.put("disk.qcow2", MemoryFile.load(folder.resolve("disk.qcow2")));
            if (below) {
                opener.put("base.raw", MemoryFile.load(folder.resolve("base.raw")));
            }
            MemoryFile file = opener.file("disk.qcow2");
            TestImage.assertSound(TestImage.check(file, opener));
            try (Qcow2Image image = TestImage.open(file, opener, false)) {
                reads(image);
                for (int i = 0; i < 12; i++) {
                    change(image);
                }
                assertThat(image.snapshots().orElseThrow().list())
                        .as("%s", this)
                        .hasSize(snapshots);
                if (refcountBits > 2 && random.nextBoolean()) {
                    image.snapshots()
                            .orElseThrow()
                            .create("ours" + snapshots++, Instant.EPOCH, 0, OptionalLong.empty(), 0);
                }
                reads(image);
                recordedAll(image);
            }
            file.save(folder.resolve("disk.qcow2"));
            qemuImg("check", "disk.qcow2");
            qemuImg("convert", "-O", "raw", "disk.qcow2", "seen.raw");
            assertThat(Arrays.mismatch(Files.readAllBytes(folder.resolve("seen.raw")), content))
                    .as("%s, as QEMU reads it", this)
                    .isEqualTo(-1);
        }

        private void reads(Qcow2Image image) throws IOException {
            assertThat(Arrays.mismatch(TestImage.read(image), content))
                    .as("%s", this)
                    .isEqualTo(-1);
        }

        private void change(Qcow2Image image) throws IOException {
            int at = random.nextInt(SIZE - 200_000);
            int length = 1 + random.nextInt(200_000);
            switch (random.nextInt(4)) {
                case 0 -> {
                    image.writeZeroes(at, length, random.nextBoolean());
                    fill(at, length, 0);
                }
                case 1 -> {
                    byte[] cluster = new byte[clusterBytes];
                    Arrays.fill(cluster, 0, clusterBytes / 2, (byte) length);
                    at = at / clusterBytes * clusterBytes;
                    image.writeCompressed(at, MemorySegment.ofArray(cluster));
                    System.arraycopy(cluster, 0, content, at, clusterBytes);
                    record(at, clusterBytes);
                }
                default -> {
                    byte[] bytes = new byte[length];
                    random.nextBytes(bytes);
                    image.write(at, List.of(MemorySegment.ofArray(bytes)));
                    System.arraycopy(bytes, 0, content, at, length);
                    record(at, length);
                }
            }
        }

        /// The bitmap knows of every write of either side.
        private void recordedAll(Qcow2Image image) {
            for (long[] run : recorded) {
                for (long at = run[0]; at < run[0] + run[1]; ) {
                    long[] dirty = image.bitmaps().orElseThrow().nextDirty("b", at);
                    assertThat(dirty).as("%s at %d", this, at).hasSize(2);
                    assertThat(dirty[0]).as("%s", this).isLessThanOrEqualTo(at);
                    at = dirty[0] + dirty[1];
                }
            }
        }

        private void qemuImg(String... arguments) throws IOException {
            var output = TestImage.qemuImg(folder, arguments);
            assertThat(output.status())
                    .as("%s: %s: %s", this, String.join(" ", arguments), output.text())
                    .isZero();
        }

        @Override
        public String toString() {
            return options + (below ? " on a layer below" : "");
        }
    }
}

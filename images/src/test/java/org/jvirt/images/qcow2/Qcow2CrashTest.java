package org.jvirt.images.qcow2;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.OptionalLong;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.jvirt.images.format.CheckReport;
import org.jvirt.images.format.OpenRequest;
import org.jvirt.images.format.Preallocation;
import org.jvirt.images.format.Repair;
import org.jvirt.images.testing.CrashReplay;
import org.jvirt.images.testing.MemoryFile;
import org.jvirt.images.testing.MemoryOpener;
import org.jvirt.images.testing.RecordedFile;

/// Cuts the power at every write. After each cut the image opens, a check finds no corruption, and each sector
/// holds what was flushed or something written to it later.
class Qcow2CrashTest {
    private static final int SECTOR = 512;
    private static final int SECTORS = 2048;
    private static final int REORDERINGS = 3;
    private static final int SOAK_ROUNDS = 10;

    static Stream<TestImage.Variant> variants() {
        return Stream.of(
                TestImage.variant("clusters of 512 bytes", 0, "cluster_size=512"),
                TestImage.variant("clusters of 4 KiB on a layer below", 300_000, "cluster_size=4K"),
                TestImage.variant("default", 0),
                TestImage.variant("refcounts of 1 bit", 0, "cluster_size=1K", "refcount_bits=1"),
                TestImage.variant("refcounts of 64 bits", 0, "cluster_size=512", "refcount_bits=64"),
                TestImage.variant("extended L2", 200_000, "cluster_size=16K", "extended_l2=on"),
                TestImage.variant("lazy refcounts", 0, "cluster_size=4K", "lazy_refcounts=on"),
                TestImage.variant("zstd", 0, "cluster_size=4K", "compression_type=zstd"),
                TestImage.variant("version 2", 0, "cluster_size=4K", "compat=0.10"));
    }

    @ParameterizedTest
    @MethodSource("variants")
    void everyCutLeavesASoundImageWithAllThatWasFlushed(TestImage.Variant variant) throws IOException {
        new Run(variant, 11).play();
    }

    @ParameterizedTest
    @MethodSource("variants")
    @Tag("soak")
    void manyMoreCutsDoSo(TestImage.Variant variant) throws IOException {
        for (long seed = 100; seed < 100 + SOAK_ROUNDS; seed++) {
            new Run(variant, seed).play();
        }
    }

    /// What a sector may hold: the writes that set its content, and when they began.
    private static final class Run {
        private final TestImage.Variant variant;
        private final Random random;
        private final MemoryOpener opener;
        private final RecordedFile file;
        private final byte[] below;
        /// For each sector: the tags it may have had, oldest first.
        private final List<List<Tag>> history = new ArrayList<>();

        private final List<Flushed> flushes = new ArrayList<>();
        private int nextTag = 1;
        private boolean mayDirty;

        /// @param value    that fills the sector; 0 for zeroes; negative for the layer below
        /// @param begun    how many host writes there were before
        private record Tag(int value, int begun) {}

        /// @param events  how many host writes there were when it returned
        /// @param indices of each sector's last tag then
        private record Flushed(int events, int[] indices) {}

        Run(TestImage.Variant variant, long seed) throws IOException {
            this.variant = variant;
            random = new Random(seed);
            below = new byte[variant.backingBytes()];
            random.nextBytes(below);
            opener = TestImage.create(variant, (long) SECTORS * SECTOR, below);
            file = new RecordedFile(opener.file("disk.qcow2"));
            for (int i = 0; i < SECTORS; i++) {
                history.add(new ArrayList<>(List.of(new Tag(-1, 0))));
            }
            noteFlush();
            mayDirty = variant.options().containsKey("lazy_refcounts");
        }

        void play() throws IOException {
            try (var image = TestImage.open(file, opener, false)) {
                for (int i = 0; i < 60; i++) {
                    step(image);
                }
            }
            noteFlush();
            var replay = new CrashReplay(file, random);
            replay.run(REORDERINGS, this::judge);
            System.out.printf(
                    "qcow2, %s: %d crashes of %d host writes survived%n", variant, replay.states(), file.eventCount());
        }

        private void step(Qcow2Image image) throws IOException {
            int sector = random.nextInt(SECTORS);
            int count = 1 + random.nextInt(Math.min(SECTORS - sector, 1 << random.nextInt(1, 8)));
            switch (random.nextInt(12)) {
                case 0, 1, 2, 3, 4 -> {
                    byte[] bytes = new byte[count * SECTOR];
                    for (int i = 0; i < count; i++) {
                        fill(bytes, i, tag(sector + i, nextTag++));
                    }
                    image.write((long) sector * SECTOR, List.of(MemorySegment.ofArray(bytes)));
                }
                case 5 -> {
                    for (int i = 0; i < count; i++) {
                        tag(sector + i, 0);
                    }
                    image.writeZeroes((long) sector * SECTOR, (long) count * SECTOR, random.nextBoolean());
                }
                case 6 -> {
                    for (int i = 0; i < count; i++) {
                        // May stay as it is, too.
                        List<Tag> tags = history.get(sector + i);
                        tags.add(new Tag(Integer.MIN_VALUE, file.eventCount()));
                    }
                    image.discard((long) sector * SECTOR, (long) count * SECTOR);
                }
                case 7 -> {
                    int perCluster = (int) (image.clusterBytes() / SECTOR);
                    int first = sector / perCluster * perCluster;
                    byte[] bytes = new byte[perCluster * SECTOR];
                    for (int i = 0; i < perCluster; i++) {
                        fill(bytes, i, tag(first + i, nextTag++));
                    }
                    image.writeCompressed((long) first * SECTOR, MemorySegment.ofArray(bytes));
                }
                case 8, 9 -> {
                    image.flush();
                    noteFlush();
                }
                case 10 -> snapshot(image);
                default -> {
                    int kind = random.nextInt(4);
                    if (kind == 0 && !variant.version2()) {
                        bitmap(image);
                    } else if (kind == 1 && snapshots == 0) {
                        // The model's sectors stay; what is behind comes and goes.
                        image.resize((long) SECTORS * SECTOR, Preallocation.OFF);
                        noteFlush();
                    } else if (kind == 2) {
                        image.resize(image.sizeBytes() + random.nextInt(64) * SECTOR, Preallocation.OFF);
                        noteFlush();
                    }
                }
            }
        }

        private int snapshots;
        private boolean hasBitmap;

        private void bitmap(Qcow2Image image) throws IOException {
            if (hasBitmap) {
                image.bitmaps().orElseThrow().remove("b");
            } else {
                image.bitmaps().orElseThrow().add("b", 4096, true);
            }
            hasBitmap = !hasBitmap;
            noteFlush();
        }

        private void snapshot(Qcow2Image image) throws IOException {
            if ("1".equals(variant.options().get("refcount_bits")) || image.sizeBytes() < (long) SECTORS * SECTOR) {
                return;
            }
            mayDirty = true;
            var all = image.snapshots().orElseThrow();
            if (snapshots < 2) {
                all.create("s" + snapshots++, Instant.EPOCH, 0, OptionalLong.empty(), 0);
            } else {
                all.delete(all.list().getFirst().id());
                snapshots--;
            }
            noteFlush();
        }

        private int tag(int sector, int value) {
            history.get(sector).add(new Tag(value, file.eventCount()));
            return value;
        }

        private static void fill(byte[] bytes, int sector, int tag) {
            MemorySegment segment = MemorySegment.ofArray(bytes);
            for (int at = sector * SECTOR; at < (sector + 1) * SECTOR; at += 4) {
                segment.set(ValueLayout.JAVA_INT_UNALIGNED, at, tag);
            }
        }

        private void noteFlush() {
            int[] indices = new int[SECTORS];
            for (int i = 0; i < SECTORS; i++) {
                indices[i] = history.get(i).size() - 1;
            }
            flushes.add(new Flushed(file.eventCount(), indices));
        }

        private void judge(MemoryFile crashed, int events) throws IOException {
            String context = "%s after %d host writes".formatted(variant, events);
            CheckReport before;
            try (var image = TestImage.DRIVER.open(
                    crashed.readOnlyCopy(), new OpenRequest(true, false, true, java.util.Map.of(), opener))) {
                before = image.check(Repair.NONE);
                boolean dirty = image.info().dirty();
                assertThat(dirty).as(context).isIn(mayDirty, false);
                if (!dirty && !(variant.version2() && mayDirty)) {
                    assertThat(before.corruptions() + before.checkErrors())
                            .as("%s: %s", context, before.messages())
                            .isZero();
                }
            }
            MemoryFile opened = crashed.copy();
            try (var image = TestImage.open(opened, opener, false)) {
                if (!(variant.version2() && mayDirty)) {
                    CheckReport after = image.check(Repair.NONE);
                    assertThat(after.corruptions() + after.checkErrors())
                            .as("%s, opened: %s", context, after.messages())
                            .isZero();
                }
                byte[] disk = TestImage.read(image);
                holdsFlushed(disk, events, context);
            }
        }

        private void holdsFlushed(byte[] disk, int events, String context) {
            Flushed last = flushes.getFirst();
            for (Flushed flushed : flushes) {
                if (flushed.events <= events) {
                    last = flushed;
                }
            }
            MemorySegment content = MemorySegment.ofArray(disk);
            for (int sector = 0; sector < SECTORS; sector++) {
                Set<Integer> allowed = new HashSet<>();
                List<Tag> tags = history.get(sector);
                int from = last.indices[sector];
                while (from > 0 && tags.get(from).value == Integer.MIN_VALUE) {
                    allowed.add(0);
                    from--;
                }
                for (int i = from; i < tags.size(); i++) {
                    Tag tag = tags.get(i);
                    if (i <= last.indices[sector] || tag.begun <= events) {
                        allowed.add(tag.value == Integer.MIN_VALUE ? 0 : tag.value);
                    }
                }
                int first = content.get(ValueLayout.JAVA_INT_UNALIGNED, (long) sector * SECTOR);
                boolean uniform = true;
                for (int at = 4; at < SECTOR; at += 4) {
                    uniform &= content.get(ValueLayout.JAVA_INT_UNALIGNED, (long) sector * SECTOR + at) == first;
                }
                boolean holds = uniform && allowed.contains(first) || allowed.contains(-1) && original(disk, sector);
                assertThat(holds)
                        .as("%s: sector %d holds %d, allowed %s", context, sector, first, allowed)
                        .isTrue();
            }
        }

        private boolean original(byte[] disk, int sector) {
            for (int i = sector * SECTOR; i < (sector + 1) * SECTOR; i++) {
                if (disk[i] != (i < below.length ? below[i] : 0)) {
                    return false;
                }
            }
            return true;
        }
    }
}

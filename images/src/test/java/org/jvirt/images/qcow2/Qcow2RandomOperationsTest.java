package org.jvirt.images.qcow2;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.jvirt.images.format.Preallocation;
import org.jvirt.images.format.Repair;
import org.jvirt.images.testing.MemoryFile;
import org.jvirt.images.testing.MemoryOpener;

class Qcow2RandomOperationsTest {
    private static final int SIZE = 2_500_000;
    private static final int OPERATIONS = 300;

    @TempDir
    Path folder;

    static Stream<TestImage.Variant> variants() {
        return TestImage.variants().stream();
    }

    @ParameterizedTest
    @MethodSource("variants")
    void behavesAsAnArrayOfBytes(TestImage.Variant variant) throws IOException {
        new Run(variant, 1).play();
    }

    /// One image, and what it must hold.
    private final class Run {
        private final TestImage.Variant variant;
        private final Random random;
        private final MemoryOpener opener;
        private final MemoryFile file;
        private final String context;
        private byte[] model;
        private final Map<String, byte[]> snapshots = new LinkedHashMap<>();
        private Qcow2Image image;

        Run(TestImage.Variant variant, long seed) throws IOException {
            this.variant = variant;
            random = new Random(seed);
            context = "%s, seed %d".formatted(variant, seed);
            byte[] backing = new byte[variant.backingBytes()];
            random.nextBytes(backing);
            opener = TestImage.create(variant, SIZE, backing);
            file = opener.file("disk.qcow2");
            model = Arrays.copyOf(backing, SIZE);
            image = TestImage.open(file, opener, false);
        }

        void play() throws IOException {
            int operations = image.clusterBytes() > 1 << 20 ? OPERATIONS / 5 : OPERATIONS;
            for (int i = 0; i < operations; i++) {
                int kind = random.nextInt(100);
                String step = context + ", step " + i + ", kind " + kind;
                try {
                    step(kind);
                } catch (IOException | RuntimeException e) {
                    throw new AssertionError(step, e);
                }
                if (i % 20 == 0) {
                    same(step);
                }
            }
            same(context);
            image.close();
            TestImage.assertSound(TestImage.check(file, opener));
            peer();
        }

        private void step(int kind) throws IOException {
            int offset = random.nextInt(model.length);
            int length = 1 + random.nextInt(Math.min(model.length - offset, 1 << random.nextInt(1, 19)));
            if (kind < 40) {
                byte[] bytes = new byte[length];
                random.nextBytes(bytes);
                int cut = random.nextInt(length);
                image.write(
                        offset,
                        List.of(
                                MemorySegment.ofArray(bytes).asSlice(0, cut),
                                MemorySegment.ofArray(bytes).asSlice(cut)));
                System.arraycopy(bytes, 0, model, offset, length);
            } else if (kind < 55) {
                int from = Math.min(offset, model.length - length);
                byte[] into = new byte[length];
                image.read(from, List.of(MemorySegment.ofArray(into)));
                assertThat(into).as(context).isEqualTo(Arrays.copyOfRange(model, from, from + length));
            } else if (kind < 67) {
                image.writeZeroes(offset, length, random.nextBoolean());
                Arrays.fill(model, offset, offset + length, (byte) 0);
            } else if (kind < 77) {
                discard(offset, length);
            } else if (kind < 83) {
                compress(offset);
            } else if (kind < 86) {
                image.flush();
            } else if (kind < 92) {
                snapshot();
            } else if (kind < 95) {
                resize();
            } else if (kind < 98) {
                image.close();
                TestImage.assertSound(TestImage.check(file, opener));
                image = TestImage.open(file, opener, false, Map.of("l2-cache-size", "64K"));
            } else {
                TestImage.assertSound(image.check(random.nextBoolean() ? Repair.ALL : Repair.NONE));
            }
        }

        private void discard(int offset, int length) throws IOException {
            image.discard(offset, length);
            byte[] now = new byte[length];
            image.read(offset, List.of(MemorySegment.ofArray(now)));
            for (int i = 0; i < length; i++) {
                assertThat(now[i] == 0 || now[i] == model[offset + i])
                        .as(context)
                        .isTrue();
            }
            System.arraycopy(now, 0, model, offset, length);
        }

        private void compress(int offset) throws IOException {
            if (variant.external() || variant.encrypted()) {
                return;
            }
            int cluster = (int) image.clusterBytes();
            int start = offset / cluster * cluster;
            int length = Math.min(cluster, model.length - start);
            byte[] bytes = new byte[length];
            for (int i = 0; i < length; i++) {
                bytes[i] = (byte) (random.nextInt(8) == 0 ? random.nextInt() : i >> 4);
            }
            image.writeCompressed(start, MemorySegment.ofArray(bytes));
            System.arraycopy(bytes, 0, model, start, length);
        }

        private void snapshot() throws IOException {
            if (variant.external() || "1".equals(variant.options().get("refcount_bits"))) {
                return;
            }
            var all = image.snapshots().orElseThrow();
            List<String> names = new ArrayList<>(snapshots.keySet());
            if (names.size() < 2 || random.nextBoolean() && names.size() < 3) {
                String name = "s" + random.nextInt(1 << 30);
                try {
                    all.create(name, Instant.ofEpochSecond(1_700_000_000L), 5, OptionalLong.empty(), 0);
                } catch (IOException e) {
                    assertThat(variant.name()).isEqualTo("refcounts of 2 bits");
                    assertThat(e).hasMessageContaining("at its limit");
                    return;
                }
                snapshots.put(name, model.clone());
            } else {
                String name = names.get(random.nextInt(names.size()));
                byte[] then = new byte[snapshots.get(name).length];
                all.read(name, 0, List.of(MemorySegment.ofArray(then)));
                assertThat(then).as(context).isEqualTo(snapshots.get(name));
                if (random.nextBoolean()) {
                    try {
                        all.apply(name);
                    } catch (IOException e) {
                        assertThat(e).hasMessageContaining("at its limit");
                        return;
                    }
                    model = snapshots.get(name).clone();
                } else {
                    all.delete(name);
                    snapshots.remove(name);
                }
            }
        }

        private void resize() throws IOException {
            int size = SIZE + random.nextInt(-600_000, 600_000);
            if (size < model.length && !snapshots.isEmpty()) {
                return;
            }
            image.resize(size, Preallocation.OFF);
            model = Arrays.copyOf(model, size);
        }

        private void same(String step) throws IOException {
            assertThat(image.sizeBytes()).isEqualTo(model.length);
            byte[] all = TestImage.read(image);
            int at = Arrays.mismatch(all, model);
            assertThat(at).as("%s: first difference", step).isEqualTo(-1);
        }

        /// What qemu-img finds in it.
        private void peer() throws IOException {
            if (variant.encrypted()) {
                return;
            }
            TestImage.needQemuImg();
            Path disk = folder.resolve("disk.qcow2");
            Path raw = folder.resolve("out.raw");
            file.save(disk);
            if (variant.backingBytes() > 0) {
                opener.file("base.raw").save(folder.resolve("base.raw"));
            }
            if (variant.external()) {
                opener.file("data.raw").save(folder.resolve("data.raw"));
            }
            var checked = TestImage.qemuImg(folder, "check", disk.toString());
            assertThat(checked.status()).as("%s: %s", context, checked.text()).isZero();
            var converted = TestImage.qemuImg(folder, "convert", "-O", "raw", disk.toString(), raw.toString());
            assertThat(converted.status())
                    .as("%s: %s", context, converted.text())
                    .isZero();
            // QEMU sees whole sectors only.
            int sectors = model.length / 512 * 512;
            byte[] seen = Arrays.copyOf(Files.readAllBytes(raw), sectors);
            assertThat(Arrays.mismatch(seen, Arrays.copyOf(model, sectors)))
                    .as("%s: first byte that QEMU sees otherwise", context)
                    .isEqualTo(-1);
        }
    }
}

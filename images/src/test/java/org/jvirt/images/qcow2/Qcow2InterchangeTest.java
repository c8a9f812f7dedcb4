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
import java.util.Map;
import java.util.OptionalLong;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.jvirt.images.format.CheckReport;
import org.jvirt.images.format.ImageBitmaps;
import org.jvirt.images.format.OpenRequest;
import org.jvirt.images.format.Repair;
import org.jvirt.images.testing.MemoryFile;
import org.jvirt.images.testing.MemoryOpener;

/// What QEMU writes is read here, and what is written here is read by QEMU.
class Qcow2InterchangeTest {
    private static final int SIZE = 3 << 20;

    @TempDir
    Path folder;

    @BeforeEach
    void peer() {
        TestImage.needQemuImg();
    }

    /// Once more where QEMU has not found out in the time given how many rounds a key may take.
    private String qemuImg(String... arguments) throws IOException {
        var output = TestImage.qemuImg(folder, arguments);
        for (int i = 0; i < 50 && output.text().contains("accurate CPU usage"); i++) {
            output = TestImage.qemuImg(folder, arguments);
        }
        assertThat(output.status())
                .as(String.join(" ", arguments) + ": " + output.text())
                .isZero();
        return output.text();
    }

    private void qemuIo(String disk, String... commands) throws IOException {
        List<String> arguments = new ArrayList<>();
        for (String command : commands) {
            arguments.add("-c");
            arguments.add(command);
        }
        arguments.add(disk);
        var output = TestImage.run(folder, "qemu-io", arguments.toArray(String[]::new));
        assertThat(output.status()).as(output.text()).isZero();
    }

    private MemoryOpener opener(String... names) throws IOException {
        var opener = new MemoryOpener(TestImage.DRIVER);
        for (String name : names) {
            opener.put(name, MemoryFile.load(folder.resolve(name)));
        }
        return opener;
    }

    private byte[] asQemuReads(String disk) throws IOException {
        qemuImg("convert", "-O", "raw", disk, "seen.raw");
        return Files.readAllBytes(folder.resolve("seen.raw"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "compat=1.1",
                "compat=0.10",
                "cluster_size=512",
                "cluster_size=2M",
                "refcount_bits=1",
                "refcount_bits=2,cluster_size=4k",
                "refcount_bits=64,cluster_size=1k",
                "extended_l2=on",
                "extended_l2=on,cluster_size=16k,preallocation=metadata",
                "compression_type=zstd",
                "lazy_refcounts=on,cluster_size=8k",
                "preallocation=metadata",
                "preallocation=falloc,cluster_size=32k",
                "preallocation=full",
            })
    void imagesOfQemuAreReadAndWrittenAndReadByQemuAgain(String options) throws IOException {
        qemuImg("create", "-q", "-f", "qcow2", "-o", options, "disk.qcow2", Integer.toString(SIZE));
        boolean version2 = options.contains("0.10");
        qemuIo(
                "disk.qcow2",
                "write -P 17 0 100k",
                "write -P 18 130k 513",
                version2 ? "discard 64k 64k" : "write -z 70k 200k",
                // QEMU compresses into clusters without a place only.
                options.contains("prealloc") || options.contains("2M") ? "flush" : "write -c -P 19 1M 64k",
                options.contains("prealloc") ? "flush" : "write -c -P 20 2M " + (options.contains("2M") ? "1M" : "64k"),
                "discard 10k 70k",
                "write -P 21 2600k 7");
        boolean snapshots = !options.contains("refcount_bits=1") && !options.contains("refcount_bits=2");
        if (snapshots) {
            qemuImg("snapshot", "-c", "first", "disk.qcow2");
            qemuIo("disk.qcow2", "write -P 33 40k 300k", "write -z 2M 4k");
        }
        byte[] expected = asQemuReads("disk.qcow2");
        var opener = opener("disk.qcow2");
        MemoryFile file = opener.file("disk.qcow2");
        TestImage.assertSound(TestImage.check(file, opener));
        try (var image = TestImage.open(file, opener, false)) {
            assertThat(Arrays.mismatch(TestImage.read(image), expected)).isEqualTo(-1);
            var random = new Random(5);
            for (int i = 0; i < 30; i++) {
                byte[] bytes = new byte[1 + random.nextInt(60_000)];
                random.nextBytes(bytes);
                int at = random.nextInt(SIZE - bytes.length);
                image.write(at, List.of(MemorySegment.ofArray(bytes)));
                System.arraycopy(bytes, 0, expected, at, bytes.length);
            }
            if (snapshots) {
                assertThat(image.snapshots().orElseThrow().list())
                        .singleElement()
                        .satisfies(s -> assertThat(s.name()).isEqualTo("first"));
            }
        }
        file.save(folder.resolve("disk.qcow2"));
        qemuImg("check", "disk.qcow2");
        assertThat(Arrays.mismatch(asQemuReads("disk.qcow2"), expected)).isEqualTo(-1);
    }

    @Test
    void snapshotsOfEitherSideAreAppliedByTheOther() throws IOException {
        qemuImg("create", "-q", "-f", "qcow2", "-o", "cluster_size=4k", "disk.qcow2", Integer.toString(SIZE));
        qemuIo("disk.qcow2", "write -P 1 0 1M");
        qemuImg("snapshot", "-c", "theirs", "disk.qcow2");
        qemuIo("disk.qcow2", "write -P 2 0 1M");
        byte[] second = asQemuReads("disk.qcow2");
        var opener = opener("disk.qcow2");
        MemoryFile file = opener.file("disk.qcow2");
        byte[] state = new byte[300_000];
        new Random(1).nextBytes(state);
        try (var image = TestImage.open(file, opener, false)) {
            var snapshots = image.snapshots().orElseThrow();
            snapshots.writeVmState(0, List.of(MemorySegment.ofArray(state)));
            snapshots.create("ours", Instant.ofEpochSecond(1000), 77, OptionalLong.of(5), state.length);
            snapshots.apply("theirs");
            byte[] now = TestImage.read(image);
            assertThat(now[0]).isEqualTo((byte) 1);
            byte[] back = new byte[state.length];
            snapshots.read("ours", SIZE, List.of(MemorySegment.ofArray(back)));
            assertThat(back).isEqualTo(state);
        }
        file.save(folder.resolve("disk.qcow2"));
        qemuImg("check", "disk.qcow2");
        assertThat(qemuImg("snapshot", "-l", "disk.qcow2"))
                .contains("ours")
                .contains("theirs")
                .contains("293 KiB");
        qemuImg("snapshot", "-a", "ours", "disk.qcow2");
        qemuImg("check", "disk.qcow2");
        assertThat(Arrays.mismatch(asQemuReads("disk.qcow2"), second)).isEqualTo(-1);
        try (var image = TestImage.open(MemoryFile.load(folder.resolve("disk.qcow2")), opener, false)) {
            byte[] back = new byte[state.length];
            image.snapshots().orElseThrow().readVmState(0, List.of(MemorySegment.ofArray(back)));
            assertThat(back).as("the VM state, applied by QEMU").isEqualTo(state);
            image.snapshots().orElseThrow().delete("theirs");
            image.snapshots().orElseThrow().delete("ours");
            image.snapshots().orElseThrow().create("last", Instant.EPOCH, 0, OptionalLong.empty(), 0);
            TestImage.assertSound(image.check(Repair.NONE));
        }
    }

    @Test
    void layersBelowMayBeRawOrQcow2() throws IOException {
        qemuImg("create", "-q", "-f", "raw", "base.raw", "1M");
        qemuIo("base.raw", "write -P 9 0 1M");
        qemuImg("create", "-q", "-f", "qcow2", "-b", "base.raw", "-F", "raw", "middle.qcow2", "2M");
        qemuIo("middle.qcow2", "write -P 8 512k 100k", "write -z 700k 64k");
        qemuImg(
                "create",
                "-q",
                "-f",
                "qcow2",
                "-o",
                "extended_l2=on",
                "-b",
                "middle.qcow2",
                "-F",
                "qcow2",
                "top.qcow2",
                "3M");
        qemuIo("top.qcow2", "write -P 7 500k 20k", "write -P 6 1500k 3k", "discard 800k 64k");
        var opener = opener("base.raw", "middle.qcow2", "top.qcow2");
        try (var image = TestImage.open(opener.file("top.qcow2"), opener, false)) {
            assertThat(Arrays.mismatch(TestImage.read(image), asQemuReads("top.qcow2")))
                    .isEqualTo(-1);
            assertThat(image.info().backingReference()).contains("middle.qcow2");
            image.makeEmpty();
            image.flush();
            opener.file("top.qcow2").save(folder.resolve("top.qcow2"));
            qemuImg("check", "top.qcow2");
            assertThat(asQemuReads("top.qcow2")).isEqualTo(Arrays.copyOf(asQemuReads("middle.qcow2"), 3 << 20));
            TestImage.assertSound(image.check(Repair.NONE));
            image.changeBacking(java.util.Optional.of("elsewhere.qcow2"), java.util.Optional.of("qcow2"));
        }
        opener.file("top.qcow2").save(folder.resolve("top.qcow2"));
        assertThat(qemuImg("info", "top.qcow2")).contains("backing file: elsewhere.qcow2");
    }

    @Test
    void bitmapsPassBetweenBothSides() throws IOException {
        qemuImg("create", "-q", "-f", "qcow2", "disk.qcow2", "64M");
        qemuImg("bitmap", "--add", "-g", "4096", "disk.qcow2", "theirs");
        qemuImg("bitmap", "--add", "--disable", "disk.qcow2", "idle");
        qemuIo("disk.qcow2", "write 1M 70k");
        var opener = opener("disk.qcow2");
        MemoryFile file = opener.file("disk.qcow2");
        try (var image = TestImage.open(file, opener, false)) {
            ImageBitmaps bitmaps = image.bitmaps().orElseThrow();
            assertThat(bitmaps.list())
                    .containsExactly(
                            new ImageBitmaps.Bitmap("theirs", 4096, true, false, 72 << 10),
                            new ImageBitmaps.Bitmap("idle", 65536, false, false, 0));
            assertThat(bitmaps.nextDirty("theirs", 0)).containsExactly(1 << 20, 72 << 10);
            image.write(5 << 20, List.of(MemorySegment.ofArray(new byte[100])));
            bitmaps.add("ours", 1 << 20, true);
            image.write(40 << 20, List.of(MemorySegment.ofArray(new byte[100])));
            bitmaps.merge("idle", bitmaps, "theirs");
        }
        TestImage.assertSound(TestImage.check(file, opener));
        file.save(folder.resolve("disk.qcow2"));
        qemuImg("check", "disk.qcow2");
        String info = qemuImg("info", "disk.qcow2");
        assertThat(info)
                .contains("name: theirs")
                .contains("name: ours")
                .contains("name: idle")
                .doesNotContain("in-use");
        qemuImg("bitmap", "--merge", "ours", "disk.qcow2", "idle");
        qemuImg("bitmap", "--remove", "disk.qcow2", "ours");
        try (var image = TestImage.open(MemoryFile.load(folder.resolve("disk.qcow2")), opener, false)) {
            ImageBitmaps bitmaps = image.bitmaps().orElseThrow();
            assertThat(bitmaps.nextDirty("idle", 3 << 20)).containsExactly(5 << 20, 65536);
            assertThat(bitmaps.nextDirty("idle", 6 << 20)).containsExactly(40 << 20, 1 << 20);
            bitmaps.clear("idle");
            bitmaps.enable("idle");
            bitmaps.disable("theirs");
            bitmaps.remove("theirs");
            image.resize(80 << 20, org.jvirt.images.format.Preallocation.OFF);
            assertThat(bitmaps.nextDirty("idle", 0)).containsExactly(64 << 20, 16 << 20);
            bitmaps.remove("idle");
            TestImage.assertSound(image.check(Repair.NONE));
        }
    }

    @Test
    void aBitmapThatMissedWritesIsKnownToBeInconsistent() throws IOException {
        var opener = TestImage.create(TestImage.variant("bitmaps", 0), SIZE, new byte[0]);
        MemoryFile file = opener.file("disk.qcow2");
        try (var image = TestImage.open(file, opener, false)) {
            image.bitmaps().orElseThrow().add("b", 0, true);
        }
        var image = TestImage.open(file, opener, false);
        image.write(0, List.of(MemorySegment.ofArray(new byte[512])));
        MemoryFile crashed = file.copy();
        image.close();
        try (var after = TestImage.open(crashed, opener, false)) {
            assertThat(after.bitmaps().orElseThrow().list())
                    .singleElement()
                    .satisfies(b -> assertThat(b.inconsistent()).isTrue());
        }
        try (var after = TestImage.open(file, opener, false)) {
            assertThat(after.bitmaps().orElseThrow().nextDirty("b", 0)).containsExactly(0, 65536);
        }
    }

    @Test
    void amendChangesVersionRefcountsAndFlagsAsQemuDoes() throws IOException {
        qemuImg("create", "-q", "-f", "qcow2", "-o", "cluster_size=4k", "disk.qcow2", Integer.toString(SIZE));
        qemuIo("disk.qcow2", "write -P 5 0 1M", "write -z 512k 64k", "write -c -P 4 2M 64k");
        byte[] expected = asQemuReads("disk.qcow2");
        var opener = opener("disk.qcow2");
        MemoryFile file = opener.file("disk.qcow2");
        for (Map<String, String> step : List.of(
                Map.of("refcount_bits", "1"),
                Map.of("refcount_bits", "64", "lazy_refcounts", "on"),
                Map.of("refcount_bits", "16"),
                Map.of("compat", "0.10"),
                Map.of("compat", "1.1", "refcount_bits", "8"))) {
            // Compressed clusters share host clusters, which one bit cannot count.
            boolean possible = !"1".equals(step.get("refcount_bits"));
            try (var image = TestImage.open(file, opener, false)) {
                image.amend(step, opener);
                assertThat(possible).isTrue();
            } catch (org.jvirt.core.UserErrorException e) {
                assertThat(possible).as(e.getMessage()).isFalse();
            }
            TestImage.assertSound(TestImage.check(file, opener));
            file.save(folder.resolve("disk.qcow2"));
            qemuImg("check", "disk.qcow2");
            assertThat(Arrays.mismatch(asQemuReads("disk.qcow2"), expected))
                    .as(step.toString())
                    .isEqualTo(-1);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "cluster_size=4k",
                "cluster_size=4k,refcount_bits=1",
                "cluster_size=4k,refcount_bits=4",
                "cluster_size=4k,refcount_bits=32",
                "cluster_size=4k,refcount_bits=64",
                "cluster_size=16k,refcount_bits=8,extended_l2=on",
                "cluster_size=4k,compat=0.10"
            })
    void deliberateDamageIsCountedAndMendedAsByQemu(String options) throws IOException {
        qemuImg("create", "-q", "-f", "qcow2", "-o", options, "disk.qcow2", Integer.toString(SIZE));
        qemuIo("disk.qcow2", "write -P 5 0 1M");
        if (!options.contains("refcount_bits=1")) {
            qemuImg("snapshot", "-c", "s", "disk.qcow2");
        }
        qemuIo("disk.qcow2", "write -P 6 100k 500k", "write -c -P 4 2M 64k");
        MemoryFile sound = MemoryFile.load(folder.resolve("disk.qcow2"));
        var random = new Random(3);
        int compared = 0;
        for (int round = 0; round < 16; round++) {
            MemoryFile broken = sound.copy();
            for (int i = 0; i <= random.nextInt(5); i++) {
                damage(broken, random, round);
            }
            broken.save(folder.resolve("broken.qcow2"));
            var theirs = TestImage.qemuImg(folder, "check", "--output=json", "broken.qcow2");
            CheckReport ours = TestImage.check(broken, new MemoryOpener(TestImage.DRIVER));
            assertThat(ours.leaks()).as("round %d: %s", round, theirs.text()).isEqualTo(number(theirs.text(), "leaks"));
            assertThat(ours.corruptions())
                    .as("round %d: %s%n%s", round, theirs.text(), ours.messages())
                    .isEqualTo(number(theirs.text(), "corruptions"));
            compared++;
            try (var image = TestImage.DRIVER.open(
                    broken, new OpenRequest(false, true, true, Map.of(), new MemoryOpener(TestImage.DRIVER)))) {
                CheckReport left = image.check(Repair.ALL);
                assertThat(left.leaks() + left.corruptions())
                        .as("%s", left.messages())
                        .isZero();
                assertThat(left.corruptionsFixed() > 0).isEqualTo(ours.corruptions() > 0);
                assertThat(left.leaksFixed() > 0).isEqualTo(ours.leaks() > 0);
            }
            broken.save(folder.resolve("broken.qcow2"));
            qemuImg("check", "broken.qcow2");
        }
        System.out.printf("qcow2, %s: %d broken images were counted as by QEMU, and mended%n", options, compared);
    }

    /// Changes a counter or a COPIED flag of a used cluster.
    private static void damage(MemoryFile file, Random random, int kind) throws IOException {
        Qcow2Header header = Qcow2Header.read(file);
        Geometry geometry = header.geometry();
        if (kind % 2 == 0) {
            long at = BigEndian.readTable(file, header.refcountTableOffset, 1)[0];
            byte[] counters = BigEndian.read(file, at, geometry.clusterBytes());
            var block = new RefcountBlock(0, at, counters, geometry.refcountOrder());
            // Inside of the file: what is counted behind its end, QEMU does not look at; a check here calls it lost.
            int clusters = (int) (file.sizeBytes() / geometry.clusterBytes());
            int cluster = 12 + random.nextInt(Math.min(300, clusters - 12));
            long count = block.get(cluster);
            boolean up = count < geometry.maxRefcount() && (count == 0 || random.nextBoolean());
            block.set(cluster, up ? count + 1 : count - 1);
            BigEndian.write(file, at, counters);
        } else {
            long[] l1 = BigEndian.readTable(file, header.l1Offset, 1);
            int entries = (1 << 20) / geometry.clusterBytes();
            long at = (l1[0] & Qcow2Header.OFFSET_MASK) + (long) geometry.l2EntryBytes() * random.nextInt(entries);
            long[] entry = BigEndian.readTable(file, at, 1);
            if (!L2Entry.compressed(entry[0])) {
                entry[0] ^= L2Entry.COPIED;
                file.write(at, MemorySegment.ofArray(BigEndian.encode(entry, 0, 1)));
            }
        }
    }

    private static long number(String json, String key) {
        var matcher =
                java.util.regex.Pattern.compile("\"" + key + "\": ([0-9]+)").matcher(json);
        return matcher.find() ? Long.parseLong(matcher.group(1)) : 0;
    }

    @Test
    void measureAgreesWithQemuImg() throws IOException {
        for (String options : List.of(
                "cluster_size=64k", "cluster_size=512", "refcount_bits=1", "extended_l2=on", "cluster_size=2M")) {
            for (String size : List.of("1M", "1G", "20000000000")) {
                String text = qemuImg("measure", "--output=json", "-O", "qcow2", "-o", options, "--size", size);
                Map<String, String> map = Map.of(options.split("=")[0], options.split("=")[1]);
                long bytes = Options.size("size", size);
                var measure = TestImage.DRIVER.measure(
                        bytes,
                        0,
                        new org.jvirt.images.format.CreateRequest(bytes, map, new MemoryOpener(TestImage.DRIVER)));
                assertThat(measure.requiredBytes()).as(options + " " + size).isEqualTo(number(text, "required"));
                assertThat(measure.fullyAllocatedBytes()).isEqualTo(number(text, "fully-allocated"));
            }
        }
    }

    @Test
    void luksOfEitherSideIsReadByTheOther() throws IOException {
        String secret = "secret,id=s,data=secret0";
        qemuImg(
                "create",
                "-q",
                "--object",
                secret,
                "-f",
                "qcow2",
                "-o",
                "encrypt.format=luks,encrypt.key-secret=s,encrypt.iter-time=10,cluster_size=4k",
                "disk.qcow2",
                Integer.toString(SIZE));
        String spec = "driver=qcow2,file.filename=disk.qcow2,encrypt.key-secret=s";
        var written =
                TestImage.run(folder, "qemu-io", "--object", secret, "--image-opts", spec, "-c", "write -P 5 3k 100k");
        assertThat(written.status()).as(written.text()).isZero();
        var opener = opener("disk.qcow2");
        MemoryFile file = opener.file("disk.qcow2");
        try (var image = TestImage.open(file, opener, false)) {
            byte[] all = TestImage.read(image);
            assertThat(all[3 << 10]).isEqualTo((byte) 5);
            assertThat(all[(3 << 10) - 1]).isZero();
            byte[] sevens = new byte[5000];
            Arrays.fill(sevens, (byte) 7);
            image.write(1 << 20, List.of(MemorySegment.ofArray(sevens)));
        }
        file.save(folder.resolve("disk.qcow2"));
        var read = TestImage.run(
                folder,
                "qemu-io",
                "--object",
                secret,
                "--image-opts",
                spec,
                "-c",
                "read -P 7 1M 5000",
                "-c",
                "read -P 5 3k 100k",
                "-c",
                "read -P 0 0 3k");
        assertThat(read.status()).as(read.text()).isZero();
        assertThat(read.text()).doesNotContain("verification failed");
        qemuImg("check", "--object", secret, "--image-opts", spec);
    }

    @Test
    void legacyAesIsRead() throws IOException {
        String secret = "secret,id=s,data=secret0";
        qemuImg(
                "create",
                "-q",
                "--object",
                secret,
                "-f",
                "qcow2",
                "-o",
                "encrypt.format=aes,encrypt.key-secret=s",
                "disk.qcow2",
                Integer.toString(SIZE));
        var written = TestImage.run(
                folder,
                "qemu-io",
                "--object",
                secret,
                "--image-opts",
                "driver=qcow2,file.filename=disk.qcow2,encrypt.key-secret=s",
                "-c",
                "write -P 5 70k 100k");
        assertThat(written.status()).as(written.text()).isZero();
        var opener = opener("disk.qcow2");
        byte[] expected = new byte[SIZE];
        Arrays.fill(expected, 70 << 10, 170 << 10, (byte) 5);
        try (var image = TestImage.open(opener.file("disk.qcow2"), opener, true)) {
            assertThat(Arrays.mismatch(TestImage.read(image), expected)).isEqualTo(-1);
            assertThat(image.info().encrypted()).isTrue();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"data_file=data.raw", "data_file=data.raw,data_file_raw=on"})
    void externalDataOfQemuIsReadAndWritten(String options) throws IOException {
        qemuImg("create", "-q", "-f", "qcow2", "-o", options, "disk.qcow2", Integer.toString(SIZE));
        qemuIo("disk.qcow2", "write -P 3 100k 500k", "write -z 256k 128k", "discard 512k 64k");
        byte[] expected = asQemuReads("disk.qcow2");
        var opener = opener("disk.qcow2", "data.raw");
        try (var image = TestImage.open(opener.file("disk.qcow2"), opener, false)) {
            assertThat(Arrays.mismatch(TestImage.read(image), expected)).isEqualTo(-1);
            image.writeZeroes(200 << 10, 300 << 10, true);
            image.write(1, List.of(MemorySegment.ofArray(new byte[] {9, 9, 9})));
            image.discard(100 << 10, 20 << 10);
            expected = TestImage.read(image);
        }
        opener.file("disk.qcow2").save(folder.resolve("disk.qcow2"));
        opener.file("data.raw").save(folder.resolve("data.raw"));
        qemuImg("check", "disk.qcow2");
        assertThat(Arrays.mismatch(asQemuReads("disk.qcow2"), expected)).isEqualTo(-1);
        if (options.contains("data_file_raw")) {
            assertThat(Arrays.mismatch(Files.readAllBytes(folder.resolve("data.raw")), expected))
                    .isEqualTo(-1);
        }
    }
}

package org.jvirt.images.qcow2;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Random;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.jvirt.core.JvirtException;
import org.jvirt.core.UserErrorException;
import org.jvirt.images.format.OpenRequest;
import org.jvirt.images.format.Repair;
import org.jvirt.images.testing.MemoryFile;
import org.jvirt.images.testing.MemoryOpener;

/// Images made to do harm: they end in an error, soon, and without much memory.
class Qcow2HostileTest {
    private static final int SIZE = 1 << 20;
    private static final int MUTATIONS = 80;
    private static final long[] INTERESTING = {
        0,
        1,
        -1,
        8,
        511,
        512,
        513,
        0x10000,
        0x1ffff,
        1L << 31,
        1L << 32,
        1L << 40,
        1L << 55,
        1L << 56,
        1L << 62,
        Long.MAX_VALUE,
        Long.MIN_VALUE,
        0x7fff_ffff,
        0xffff_ffffL,
        0x8000_0000_0001_0000L
    };

    private static MemoryOpener image(String... options) throws IOException {
        var opener = TestImage.create(TestImage.variant("hostile", 0, options), SIZE, new byte[0]);
        try (var image = TestImage.open(opener.file("disk.qcow2"), opener, false)) {
            byte[] bytes = new byte[200_000];
            new Random(1).nextBytes(bytes);
            image.write(1000, List.of(MemorySegment.ofArray(bytes)));
            image.snapshots().orElseThrow().create("s", Instant.EPOCH, 0, OptionalLong.empty(), 0);
            image.write(5000, List.of(MemorySegment.ofArray(bytes)));
            image.writeCompressed(
                    image.clusterBytes() * (SIZE / image.clusterBytes() - 1),
                    MemorySegment.ofArray(new byte[(int) image.clusterBytes()]));
            image.writeZeroes(300_000, 100_000, true);
            if (!Arrays.asList(options).contains("compat=0.10")) {
                image.bitmaps().orElseThrow().add("b", 0, true);
            }
        }
        return opener;
    }

    private static void put(MemoryFile file, long at, int bytes, long value) throws IOException {
        ByteBuffer out = ByteBuffer.allocate(8).putLong(0, value);
        file.write(at, MemorySegment.ofArray(Arrays.copyOfRange(out.array(), 8 - bytes, 8)));
    }

    private static void refused(MemoryOpener opener, String because) {
        assertThatThrownBy(() -> TestImage.open(opener.file("disk.qcow2"), opener, false))
                .isInstanceOf(UserErrorException.class)
                .hasMessageContaining(because);
    }

    /// The classes of CVE-2014-0142 to CVE-2014-0147, CVE-2014-0222 and CVE-2014-0223: shifts, sizes, counts and
    /// offsets of a header, taken at their word.
    @ParameterizedTest
    @CsvSource({
        "absurd cluster bits,            20, 4, 63,           clusters of 2^63",
        "snapshot table beyond reason,   60, 4, 4294967295,   snapshots",
        "refcount table too large,       56, 4, 2147483647,   refcount table",
        "L1 table too large,             36, 4, 2147483647,   L1 table",
        "L1 table not aligned,           40, 8, 1,            L1 table",
        "L1 table too small,             24, 8, 4611686018427387904, too few",
        "L2 geometry out of range,       20, 4, 0,            clusters of 2^0",
        "size that overflows,            24, 8, -1,           too large",
        "backing name too long,          16, 4, 1024,         ''",
        "unknown version,                               4, 4, 4,            version 4",
        "header longer than its cluster,              100, 4, 2147483640,   header",
        "refcounts too wide,                           96, 4, 7,            refcounts",
        "encryption unknown,                           32, 4, 9,            encryption",
        "L1 table behind the end,                      40, 8, 72057594037927936, L1 table",
        "refcount table behind the end,                48, 8, 281474976710656, refcount table",
    })
    void headersBeyondReasonAreRefused(String hole, long at, int bytes, long value, String because) throws IOException {
        var opener = image("cluster_size=4K");
        put(opener.file("disk.qcow2"), at, bytes, value);
        if (because.isEmpty()) {
            put(opener.file("disk.qcow2"), 8, 8, 600);
            refused(opener, "name of the backing file");
        } else {
            refused(opener, because);
        }
        assertThat(hole).isNotEmpty();
    }

    @Test
    void unknownIncompatibleFeaturesAreRefusedByTheirName() throws IOException {
        var opener = image("cluster_size=4K");
        MemoryFile file = opener.file("disk.qcow2");
        put(file, 72, 8, 1L << 40 | 1L << 41);
        byte[] header = BigEndian.read(file, 0, 4096);
        // The table's first entry becomes one for bit 40.
        for (int i = 104; i < 2000; i++) {
            if (header[i] == 'd' && header[i + 1] == 'i' && header[i + 2] == 'r' && header[i + 3] == 't') {
                header[i - 1] = 40;
                break;
            }
        }
        BigEndian.write(file, 0, header);
        refused(opener, "dirty bit, unknown feature bit 41");
    }

    @Test
    void unknownExtensionsAndFieldsAreKept() throws IOException {
        var opener = TestImage.create(TestImage.variant("extensions", 0), SIZE, new byte[0]);
        MemoryFile file = opener.file("disk.qcow2");
        Qcow2Header header = Qcow2Header.read(file);
        header.setExtension(0x1234_5678, new byte[] {1, 2, 3, 4, 5});
        header.compatible |= 1L << 50;
        header.autoclear |= 1L << 51;
        BigEndian.write(file, 0, header.encode("disk.qcow2"));
        try (var image = TestImage.open(file, opener, false)) {
            image.changeBacking(java.util.Optional.of("x"), java.util.Optional.of("raw"));
        }
        Qcow2Header after = Qcow2Header.read(file);
        assertThat(after.extension(0x1234_5678)).hasValue(new byte[] {1, 2, 3, 4, 5});
        assertThat(after.compatible >>> 50 & 1).as("compatible features stay").isEqualTo(1);
        assertThat(after.autoclear >>> 51 & 1).as("autoclear features go").isZero();
    }

    /// CVE-2024-4467's class: what an image names is opened by the opener alone, and only when it is wanted.
    @Test
    void anImageOpensNothingThatTheOpenerDoesNotGive() throws IOException {
        var opener = TestImage.create(TestImage.variant("data", 0, "data_file=data.raw"), SIZE, new byte[0]);
        MemoryFile file = opener.file("disk.qcow2");
        Qcow2Header header = Qcow2Header.read(file);
        header.setExtension(HeaderExtension.DATA_FILE, "json:{\"driver\":\"file\"}".getBytes());
        header.setBacking(java.util.Optional.of("/etc/passwd"), java.util.Optional.empty());
        BigEndian.write(file, 0, header.encode("disk.qcow2"));
        refused(opener, "There is no file json:");
    }

    @Test
    void guestDataIsNeverWrittenOverMetadata() throws IOException {
        var opener = image("cluster_size=4K");
        MemoryFile file = opener.file("disk.qcow2");
        Qcow2Header header = Qcow2Header.read(file);
        long l2 = BigEndian.readTable(file, header.l1Offset, 1)[0] & Qcow2Header.OFFSET_MASK;
        for (long target : new long[] {0, header.l1Offset, header.refcountTableOffset, l2, header.snapshotsOffset}) {
            MemoryFile evil = file.copy();
            put(evil, l2, 8, target | L2Entry.COPIED);
            if (target == 0) {
                put(evil, l2, 8, 4096 | L2Entry.COPIED);
            }
            var image = TestImage.open(evil, opener, false);
            assertThatThrownBy(() -> image.write(0, List.of(MemorySegment.ofArray(new byte[512]))))
                    .as("0x%x", target)
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("corrupt");
            image.close();
            assertThatThrownBy(() -> TestImage.open(evil, opener, false)).hasMessageContaining("marked as corrupt");
        }
    }

    @Test
    void aSparseGiantWithFullTablesIsCheckedInTime() throws IOException {
        var opener = TestImage.create(TestImage.variant("giant", 0), 1L << 50, new byte[0]);
        MemoryFile file = opener.file("disk.qcow2");
        Qcow2Header header = Qcow2Header.read(file);
        long[] l1 = new long[header.l1Size];
        Arrays.fill(l1, header.refcountTableOffset + (1 << 20) | L2Entry.COPIED);
        BigEndian.write(file, header.l1Offset, BigEndian.encode(l1, 0, l1.length));
        file.truncate(1L << 60);
        Assertions.assertTimeoutPreemptively(Duration.ofSeconds(20), () -> {
            assertThat(TestImage.check(file, opener).corruptions()).isPositive();
        });
    }

    @Test
    void mutationsEndInErrorsInBoundedTime() throws IOException {
        String[][] kinds = {
            {"cluster_size=4K"},
            {"cluster_size=512"},
            {"extended_l2=on", "cluster_size=16K"},
            {"compat=0.10", "cluster_size=4K"},
            {"compression_type=zstd", "refcount_bits=64"}
        };
        int refused = 0;
        int served = 0;
        var random = new Random(42);
        for (String[] kind : kinds) {
            var opener = image(kind);
            MemoryFile sound = opener.file("disk.qcow2");
            for (int i = 0; i < MUTATIONS; i++) {
                MemoryFile evil = sound.copy();
                for (int m = 0; m <= random.nextInt(4); m++) {
                    mutate(evil, random);
                }
                boolean[] ok = new boolean[1];
                String what = Arrays.toString(kind) + " mutation " + i;
                Assertions.assertTimeout(Duration.ofSeconds(10), () -> ok[0] = use(evil, opener, what), what);
                served += ok[0] ? 1 : 0;
                refused += ok[0] ? 0 : 1;
            }
        }
        System.out.printf("qcow2: %d hostile images refused, %d served with errors or without%n", refused, served);
        assertThat(refused).isGreaterThan(30);
        assertThat(served).isGreaterThan(100);
    }

    private static void mutate(MemoryFile file, Random random) throws IOException {
        Qcow2Header header;
        try {
            header = Qcow2Header.read(file);
        } catch (JvirtException e) {
            return;
        }
        long interesting = INTERESTING[random.nextInt(INTERESTING.length)];
        long value = random.nextInt(3) == 0 ? random.nextLong() : interesting;
        long cluster = 1L << header.clusterBits;
        long entry = 8L * random.nextInt((int) cluster / 8);
        switch (random.nextInt(8)) {
            case 0 -> put(file, random.nextInt(4, 112), random.nextBoolean() ? 4 : 8, value);
            case 1 -> put(file, random.nextInt(104, 600), 1, value);
            case 2 -> put(file, header.l1Offset + 8L * random.nextInt(8), 8, value);
            case 3 -> put(file, header.refcountTableOffset + 8L * random.nextInt(4), 8, value);
            case 4 -> put(file, header.snapshotsOffset + random.nextInt(64), 4, value);
            case 5 -> put(file, random.nextLong(file.sizeBytes() - 8) & -8, 8, value & -512 | random.nextInt(2));
            default -> {
                long[] l1 = BigEndian.readTable(file, header.l1Offset, Math.clamp(header.l1Size, 1, 64));
                long table = l1[random.nextInt(l1.length)] & Qcow2Header.OFFSET_MASK;
                long target = random.nextLong(file.sizeBytes()) & -cluster;
                if (table > 0 && table < file.sizeBytes()) {
                    put(file, table + entry, 8, random.nextBoolean() ? value : target | 1L << 62 + random.nextInt(2));
                }
            }
        }
    }

    /// All that a user could do with it.
    ///
    /// @return whether it could be opened
    private static boolean use(MemoryFile evil, MemoryOpener opener, String what) {
        boolean opened = false;
        for (boolean forCheck : new boolean[] {false, true}) {
            MemoryFile file = evil.copy();
            try (var image = TestImage.DRIVER.open(file, new OpenRequest(false, false, forCheck, Map.of(), opener))) {
                opened |= !forCheck;
                if (forCheck) {
                    image.check(Repair.ALL);
                    continue;
                }
                tolerate(what, () -> image.info());
                tolerate(what, () -> image.bitmaps().orElseThrow().list());
                byte[] bytes = new byte[64 << 10];
                long step = Math.max(bytes.length, image.sizeBytes() / 32);
                for (long at = 0; at + bytes.length <= image.sizeBytes() && at >= 0; at += step) {
                    long from = at;
                    tolerate(what, () -> image.read(from, List.of(MemorySegment.ofArray(bytes))));
                    tolerate(what, () -> image.extent(from, 1 << 20));
                    tolerate(
                            what,
                            () -> image.write(
                                    from, List.of(MemorySegment.ofArray(bytes).asSlice(0, 5000))));
                }
                tolerate(what, () -> image.discard(0, Math.min(image.sizeBytes(), 300_000)));
                tolerate(
                        what,
                        () -> image.snapshots().orElseThrow().create("x", Instant.EPOCH, 0, OptionalLong.empty(), 0));
                tolerate(what, () -> image.snapshots().orElseThrow().apply("s"));
                tolerate(what, () -> image.snapshots().orElseThrow().delete("s"));
                tolerate(what, () -> image.check(Repair.LEAKS));
                tolerate(what, image::flush);
            } catch (IOException | JvirtException e) {
                // Refused, as it should be.
                assertThat(e.getMessage()).as(what).isNotBlank();
            } catch (RuntimeException | Error e) {
                throw new AssertionError(what + (forCheck ? ", for a check" : ""), e);
            }
        }
        return opened;
    }

    private interface Use {
        void run() throws IOException;
    }

    private static void tolerate(String what, Use use) {
        try {
            use.run();
        } catch (IOException | JvirtException e) {
            assertThat(e.getMessage()).as(what).isNotBlank();
        }
    }
}

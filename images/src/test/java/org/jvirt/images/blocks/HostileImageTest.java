package org.jvirt.images.blocks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.management.ThreadMXBean;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.jvirt.core.UserErrorException;
import org.jvirt.images.format.DiskImage;
import org.jvirt.images.format.Extent;
import org.jvirt.images.format.ImageFormat;
import org.jvirt.images.format.Repair;
import org.jvirt.images.testing.MemoryFile;

/// Images made to do harm end in an error that says so, soon, and without filling memory.
class HostileImageTest {
    private static final int DISK_BYTES = 4 << 20;
    private static final int IMAGES_PER_VARIANT = 60;
    private static final long MOST_MILLIS = 10_000;
    private static final long MOST_ALLOCATED_BYTES = 1L << 30;

    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    @ParameterizedTest
    @EnumSource(
            mode = EnumSource.Mode.MATCH_NONE,
            names = {"LUKS_.*_.*|LUKS_ECB|VHD_FORCED|VMDK_SPLIT_FLAT|VDI_STATIC|VHDX_FIXED|PARALLELS_64K"})
    void changedMetadataIsReadOrRefused(Variant variant) throws IOException {
        var space = new Variant.MemorySpace();
        MemoryFile good = space.file("disk.img");
        variant.create(good, DISK_BYTES, space);
        byte[] content = new byte[70_000];
        try (DiskImage image = variant.open(good, false, space)) {
            for (int i = 0; i < 12; i++) {
                image.write(i * 300_000L, List.of(MemorySegment.ofArray(content)));
            }
        }
        int refused = 0;
        for (int seed = 0; seed < IMAGES_PER_VARIANT; seed++) {
            var random = new SplittableRandom(seed);
            MemoryFile bad = good.copy();
            spoil(variant, bad, random);
            long before = THREADS.getCurrentThreadAllocatedBytes();
            long start = System.nanoTime();
            try {
                use(variant, bad, space, random.nextBoolean());
            } catch (UserErrorException | IOException e) {
                assertThat(e).hasMessageNotContaining("null");
                refused++;
            } catch (RuntimeException | OutOfMemoryError e) {
                throw new AssertionError("%s, seed %d".formatted(variant, seed), e);
            }
            assertThat((System.nanoTime() - start) / 1_000_000)
                    .as("ms, seed %d", seed)
                    .isLessThan(MOST_MILLIS);
            assertThat(THREADS.getCurrentThreadAllocatedBytes() - before)
                    .as("bytes allocated, seed %d", seed)
                    .isLessThan(MOST_ALLOCATED_BYTES);
        }
        assertThat(refused).isPositive();
    }

    private static void use(Variant variant, MemoryFile file, Variant.MemorySpace space, boolean readOnly)
            throws IOException {
        try (DiskImage image = variant.open(file, readOnly, space)) {
            var _ = image.info();
            long size = image.sizeBytes();
            long at = 0;
            for (int i = 0; i < 50 && at < size; i++) {
                Extent extent = image.extent(at, size - at);
                at = extent.end();
            }
            byte[] some = new byte[(int) Math.min(size, 100_000)];
            image.read(0, List.of(MemorySegment.ofArray(some)));
            image.read(size - some.length, List.of(MemorySegment.ofArray(some)));
            if (!readOnly) {
                image.write((size - some.length) & -512L, List.of(MemorySegment.ofArray(some)));
                image.flush();
            }
            if (variant.driver.format() != ImageFormat.LUKS && size < 1L << 40) {
                try {
                    var _ = image.check(Repair.NONE);
                } catch (UserErrorException _) {
                    // Some formats have nothing to check.
                }
            }
        }
    }

    /// Changes numbers where metadata is, and sometimes makes the checksums right again.
    private static void spoil(Variant variant, MemoryFile file, RandomGenerator random) throws IOException {
        long size = file.sizeBytes();
        if (random.nextInt(12) == 0) {
            file.truncate(random.nextLong(size));
            return;
        }
        int changes = random.nextInt(1, 5);
        for (int i = 0; i < changes; i++) {
            long at = place(variant, size, random);
            int width = 1 << random.nextInt(4);
            ByteBuffer number = ByteBuffer.allocate(8)
                    .order(random.nextInt(4) > 0 ? ByteOrder.LITTLE_ENDIAN : ByteOrder.BIG_ENDIAN);
            number.putLong(0, number(random));
            file.write(at, MemorySegment.ofArray(number.array()).asSlice(0, width));
        }
        if (random.nextInt(5) > 0) {
            repairChecksums(variant, file);
        }
    }

    private static long number(RandomGenerator random) {
        return switch (random.nextInt(6)) {
            case 0 -> 0;
            case 1 -> -1;
            case 2 -> random.nextLong();
            case 3 -> 1L << random.nextInt(64);
            case 4 -> (1L << random.nextInt(64)) - 1;
            default -> random.nextInt(1024);
        };
    }

    private static long place(Variant variant, long size, RandomGenerator random) {
        long region = switch (variant.qemuName) {
            case "vhdx" ->
                switch (random.nextInt(6)) {
                    case 0 -> 64 << 10;
                    case 1 -> 128 << 10;
                    case 2 -> 192 << 10;
                    case 3 -> 2 << 20;
                    case 4 -> (2 << 20) + (64 << 10);
                    default -> 3 << 20;
                };
            case "vpc" ->
                switch (random.nextInt(3)) {
                    case 0 -> size - 512;
                    case 1 -> 512;
                    default -> 0;
                };
            case "vdi" -> 0x40 + 8L * random.nextInt(2) * 34;
            case "vmdk" -> random.nextInt(3) == 0 ? 21 * 512L : 0;
            default -> 0;
        };
        long span = variant.isLuks() ? 592 : random.nextBoolean() ? 128 : 1024;
        return Math.min(region + random.nextLong(span), size - 8);
    }

    private static void repairChecksums(Variant variant, MemoryFile file) throws IOException {
        long size = file.sizeBytes();
        if (variant.qemuName.equals("vpc")) {
            repairSum(file, 0, 512, 64);
            repairSum(file, size - 512, 512, 64);
            repairSum(file, 512, 1024, 36);
        } else if (variant.qemuName.equals("vhdx") && size > 512 << 10) {
            for (int at : new int[] {64 << 10, 128 << 10}) {
                repairCrc(file, at, 4096);
            }
            for (int at : new int[] {192 << 10, 256 << 10}) {
                repairCrc(file, at, 64 << 10);
            }
        }
    }

    private static void repairSum(MemoryFile file, long at, int length, int sumAt) throws IOException {
        if (at < 0 || at + length > file.sizeBytes()) {
            return;
        }
        ByteBuffer bytes = ByteBuffer.allocate(length);
        file.read(at, MemorySegment.ofBuffer(bytes));
        bytes.putInt(sumAt, 0);
        int sum = 0;
        for (byte each : bytes.array()) {
            sum += each & 0xff;
        }
        bytes.putInt(sumAt, ~sum);
        file.write(at, MemorySegment.ofBuffer(bytes));
    }

    private static void repairCrc(MemoryFile file, long at, int length) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
        file.read(at, MemorySegment.ofBuffer(bytes));
        bytes.putInt(4, 0);
        var crc = new CRC32C();
        crc.update(bytes.array());
        bytes.putInt(4, (int) crc.getValue());
        file.write(at, MemorySegment.ofBuffer(bytes));
    }

    /// An image of `variant` in which one thing is changed.
    private static void refuses(Variant variant, long at, Object value, String because) throws IOException {
        var space = new Variant.MemorySpace();
        MemoryFile file = space.file("disk.img");
        variant.create(file, DISK_BYTES, space);
        boolean big = variant.qemuName.equals("vpc");
        ByteBuffer bytes = ByteBuffer.allocate(8).order(big ? ByteOrder.BIG_ENDIAN : ByteOrder.LITTLE_ENDIAN);
        Consumer<ByteBuffer> put = switch (value) {
            case Integer number -> b -> b.putInt(0, number).limit(4);
            case Long number -> b -> b.putLong(0, number);
            default -> throw new IllegalArgumentException();
        };
        put.accept(bytes);
        file.write(at, MemorySegment.ofBuffer(bytes));
        repairChecksums(variant, file);
        assertThatThrownBy(() -> use(variant, file, space, false))
                .isInstanceOfAny(UserErrorException.class, IOException.class)
                .hasMessageContaining(because);
    }

    /// CVE-2014-0142: a division by zero.
    @Test
    void unitsOfZeroAreRefused() throws IOException {
        refuses(Variant.PARALLELS, 28, 0, "clusters of 0 sectors");
        refuses(Variant.VHD_DYNAMIC, 512 + 32, 0, "blocks of 0 bytes");
        refuses(Variant.VMDK_SPARSE, 20, 0L, "grains of 0 sectors");
        refuses(Variant.VMDK_SPARSE, 44, 0, "0 entries");
        refuses(Variant.VDI_DYNAMIC, 0x178, 0, "blocks of 0 bytes");
    }

    /// CVE-2014-0148: a block size that made a loop endless.
    @Test
    void vhdxBlocksOfZeroOrOddSizeAreRefused() throws IOException {
        refuses(Variant.VHDX_DYNAMIC, (2 << 20) + (64 << 10), 0, "blocks of 0 bytes");
        refuses(Variant.VHDX_DYNAMIC, (2 << 20) + (64 << 10), 3 << 20, "no power of two");
        refuses(Variant.VHDX_DYNAMIC, (2 << 20) + (64 << 10) + 32, 0, "sectors of 0 bytes");
    }

    /// CVE-2014-0143 and CVE-2014-0144: sizes whose product or rounding overflows, so that a table comes out too
    /// small.
    @Test
    void tablesThatDoNotFitTheDiskAreRefused() throws IOException {
        refuses(Variant.VDI_DYNAMIC, 0x180, -1, "blocks, only");
        refuses(Variant.VDI_DYNAMIC, 0x170, 1L << 62, "does not fit");
        refuses(Variant.VDI_DYNAMIC, 0x170, -1L, "does not fit");
        refuses(Variant.PARALLELS, 32, -1, "a table with");
        refuses(Variant.PARALLELS, 36, 1L << 60, "does not fit");
        refuses(Variant.VHD_DYNAMIC, 512 + 28, 1, "too small");
        refuses(Variant.VHD_DYNAMIC, 512 + 28, -1, "is not inside of the file");
        refuses(Variant.VHDX_DYNAMIC, (2 << 20) + (64 << 10) + 8, 1L << 45, "too small");
        refuses(Variant.VMDK_SPARSE, 12, Long.MAX_VALUE, "capacity");
        refuses(Variant.VMDK_SPARSE, 12, 1L << 50, "grain tables");
        refuses(Variant.VMDK_SPARSE, 12, 1L << 36, "is not inside of the file");
    }

    /// CVE-2014-0145: entries and tables that lead out of a buffer or of the file.
    @Test
    void entriesThatLeadOutsideAreRefused() throws IOException {
        refuses(Variant.VDI_DYNAMIC, 512, 1000, "is said to be the 1000.");
        refuses(Variant.VHD_DYNAMIC, 1536, 0x7fff_ffff, "is said to be at");
        refuses(Variant.PARALLELS, 64, 0x7fff_ffff, "is said to be at");
        refuses(Variant.VHDX_DYNAMIC, 3 << 20, 1L << 50 | 6, "is said to be at");
        refuses(Variant.VHDX_DYNAMIC, 3 << 20, 2L << 20 | 6, "is said to be at");
        refuses(Variant.VMDK_SPARSE, 56, 1L << 40, "is not inside of the file");
    }

    /// A key slot that overlaps another, or the content, would be overwritten with key material.
    @Test
    void luksKeySlotsOutsideOfTheirSpaceAreRefused() throws IOException {
        refuses(Variant.LUKS_XTS, 208 + 40, 0, "outside of the space");
        refuses(Variant.LUKS_XTS, 208 + 40, Integer.reverseBytes(100_000), "outside of the space");
        refuses(Variant.LUKS_XTS, 208 + 48 + 40, Integer.reverseBytes(8), "overlap");
        refuses(Variant.LUKS_XTS, 208 + 44, Integer.reverseBytes(1 << 30), "stripes");
        refuses(Variant.LUKS_XTS, 208 + 4, -1, "iterations");
        refuses(Variant.LUKS_XTS, 164, 0, "iterations");
        refuses(Variant.LUKS_XTS, 108, Integer.reverseBytes(1 << 30), "does not fit");
    }

    /// CVE-2011-2212's kind: a guest must not make its fixed disk look like another format by writing to it.
    @Test
    void aFixedVhdStaysFixedWhateverItsGuestWrites() throws IOException {
        var space = new Variant.MemorySpace();
        MemoryFile fixed = space.file("disk.img");
        Variant.VHD_FIXED.create(fixed, DISK_BYTES, space);
        MemoryFile dynamic = space.file("other.img");
        Variant.VHD_DYNAMIC.create(dynamic, DISK_BYTES, space);
        byte[] forged = new byte[4096];
        dynamic.readPadded(0, List.of(MemorySegment.ofArray(forged)));
        try (DiskImage image = Variant.VHD_FIXED.open(fixed, false, space)) {
            image.write(0, List.of(MemorySegment.ofArray(forged)));
        }
        byte[] read = new byte[forged.length];
        try (DiskImage image = Variant.VHD_FIXED.open(fixed, true, space)) {
            assertThat(image.sizeBytes()).isEqualTo(DISK_BYTES);
            image.read(0, List.of(MemorySegment.ofArray(read)));
        }
        assertThat(read).isEqualTo(forged);
    }
}

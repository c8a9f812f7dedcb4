package org.jvirt.images.blocks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.jvirt.images.format.CheckReport;
import org.jvirt.images.format.DiskImage;
import org.jvirt.images.format.Repair;
import org.jvirt.images.testing.CrashReplay;
import org.jvirt.images.testing.MemoryFile;
import org.jvirt.images.testing.Peer;
import org.jvirt.images.testing.RecordedFile;

/// The host crashes at every instant, and loses any of what was not flushed, in any order.
class CrashTest {
    private static final int DISK_BYTES = 5 << 20;
    private static final int SECTOR_BYTES = 512;
    private static final int OPERATIONS = 60;
    private static final int STATES_TRIED = 40;

    @TempDir
    Path folder;

    /// One request, and which of the file's events had happened before and after.
    ///
    /// @param stamp what its sectors hold; 0 for zeroes
    private record Operation(int begunAt, int endedAt, int firstSector, int sectors, long stamp, boolean flush) {}

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.MATCH_ALL, names = "(VDI|VHD|VHDX|PARALLELS|VMDK)_?(DYNAMIC|SPARSE|ZEROED|64K|)")
    void whatWasFlushedIsThereAndTheImageIsSound(Variant variant) throws IOException {
        var space = new Variant.MemorySpace();
        variant.create(space.file("disk.img"), DISK_BYTES, space);
        var file = new RecordedFile(space.file("disk.img"));
        var random = new SplittableRandom(7);
        List<Operation> operations = new ArrayList<>();
        try (DiskImage image = variant.open(file, false, space)) {
            for (int i = 1; i <= OPERATIONS; i++) {
                operations.add(operate(image, file, i, random));
            }
        }
        int instants = file.eventCount();
        var judged = new AtomicInteger();
        new CrashReplay(file, random).run(1, (crashed, count) -> {
            if (random.nextInt(2 * instants) < STATES_TRIED) {
                judge(variant, space, crashed, operations, count, random);
                judged.incrementAndGet();
            }
        });
        System.out.printf("%s: %d crashes of %d host writes survived%n", variant, judged.get(), instants);
    }

    private void judge(
            Variant variant,
            Variant.MemorySpace space,
            MemoryFile crashed,
            List<Operation> operations,
            int count,
            RandomGenerator random)
            throws IOException {
        byte[] content = new byte[DISK_BYTES];
        MemoryFile forQemu = crashed.copy();
        try (DiskImage image = variant.open(crashed, false, space)) {
            image.read(0, List.of(MemorySegment.ofArray(content)));
            verify(content, operations, count, variant);
            sound(image);
            carryOn(image, content, random);
        }
        if (random.nextInt(STATES_TRIED) < 2) {
            qemuAgrees(variant, forQemu, operations, count);
        }
    }

    private static Operation operate(DiskImage image, RecordedFile file, int number, RandomGenerator random)
            throws IOException {
        int sectors = random.nextInt(1, random.nextInt(4) == 0 ? 2500 : 40);
        int first = random.nextInt(DISK_BYTES / SECTOR_BYTES - sectors);
        int begunAt = file.eventCount();
        int kind = random.nextInt(10);
        if (kind < 3) {
            image.flush();
        } else if (kind == 3) {
            image.writeZeroes((long) first * SECTOR_BYTES, (long) sectors * SECTOR_BYTES, true);
        } else {
            ByteBuffer bytes = ByteBuffer.allocate(sectors * SECTOR_BYTES);
            while (bytes.hasRemaining()) {
                bytes.putLong(number);
            }
            image.write((long) first * SECTOR_BYTES, List.of(MemorySegment.ofArray(bytes.array())));
        }
        return new Operation(begunAt, file.eventCount(), first, sectors, kind == 3 ? 0 : number, kind < 3);
    }

    /// Each sector holds what it held at the last finished flush, or something that was written to it since.
    private static void verify(byte[] content, List<Operation> operations, int count, Variant variant) {
        int flushed = -1;
        for (int i = 0; i < operations.size(); i++) {
            if (operations.get(i).flush && operations.get(i).endedAt <= count) {
                flushed = i;
            }
        }
        ByteBuffer in = ByteBuffer.wrap(content);
        for (int sector = 0; sector < content.length / SECTOR_BYTES; sector++) {
            long stamp = in.getLong(sector * SECTOR_BYTES);
            for (int i = 8; i < SECTOR_BYTES; i += 8) {
                if (in.getLong(sector * SECTOR_BYTES + i) != stamp) {
                    fail("%s, crash %d: sector %d is torn", variant, count, sector);
                }
            }
            boolean allowed = false;
            boolean base = true;
            for (int i = operations.size() - 1; i >= 0 && !allowed; i--) {
                Operation operation = operations.get(i);
                boolean covers = !operation.flush
                        && operation.begunAt < count
                        && sector >= operation.firstSector
                        && sector < operation.firstSector + operation.sectors;
                if (covers) {
                    allowed = operation.stamp == stamp;
                    if (i < flushed) {
                        base = false;
                        break; // what it held at the flush
                    }
                }
            }
            if (!allowed && !(base && stamp == 0)) {
                fail("%s, crash %d: sector %d holds %d", variant, count, sector, stamp);
            }
        }
    }

    private static void sound(DiskImage image) throws IOException {
        switch (image.format()) {
            case VDI, VHDX, VMDK -> {
                CheckReport report = image.check(Repair.NONE);
                assertThat(report.corruptions())
                        .as(report.messages().toString())
                        .isZero();
            }
            case PARALLELS -> {
                CheckReport report = image.check(Repair.ALL);
                assertThat(report.corruptions())
                        .as(report.messages().toString())
                        .isZero();
            }
            default -> {}
        }
    }

    private static void carryOn(DiskImage image, byte[] content, RandomGenerator random) throws IOException {
        for (int i = 0; i < 4; i++) {
            byte[] bytes = new byte[random.nextInt(1, 9) * SECTOR_BYTES];
            random.nextBytes(bytes);
            int at = random.nextInt(DISK_BYTES / SECTOR_BYTES - 9) * SECTOR_BYTES;
            image.write(at, List.of(MemorySegment.ofArray(bytes)));
            System.arraycopy(bytes, 0, content, at, bytes.length);
        }
        image.flush();
        byte[] now = new byte[content.length];
        image.read(0, List.of(MemorySegment.ofArray(now)));
        assertThat(Arrays.mismatch(now, content)).isEqualTo(-1);
    }

    /// The same, seen by qemu-img.
    private void qemuAgrees(Variant variant, MemoryFile crashed, List<Operation> operations, int count)
            throws IOException {
        Peer.need("qemu-img", "qemu-utils");
        byte[] bytes = new byte[(int) crashed.sizeBytes()];
        crashed.read(0, List.of(MemorySegment.ofArray(bytes)));
        Files.write(folder.resolve("crashed"), bytes);
        if (List.of("vhdx", "parallels").contains(variant.qemuName)) {
            var _ = Peer.run(folder, "", List.of("qemu-img", "check", "-r", "all", "-f", variant.qemuName, "crashed"));
        }
        Peer.expect(folder, "qemu-img", "convert", "-f", variant.qemuName, "-O", "raw", "crashed", "back");
        byte[] back = Files.readAllBytes(folder.resolve("back"));
        verify(Arrays.copyOf(back, DISK_BYTES), operations, count, variant);
    }
}

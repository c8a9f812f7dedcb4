package org.jvirt.images.vhdx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.jvirt.core.UserErrorException;
import org.jvirt.images.blocks.Patch;
import org.jvirt.images.format.CreateRequest;
import org.jvirt.images.format.DiskImage;
import org.jvirt.images.format.OpenRequest;
import org.jvirt.images.format.Repair;
import org.jvirt.images.testing.MemoryFile;
import org.jvirt.images.testing.MemoryOpener;
import org.jvirt.images.testing.Peer;

class VhdxLogTest {
    private static final MemoryOpener OPENER = new MemoryOpener(new VhdxDriver());
    private static final long DISK_BYTES = 64 << 20;
    private static final long LOG_OFFSET = 1 << 20;
    private static final int SECTOR_BYTES = LogEntry.SECTOR_BYTES;

    @TempDir
    Path folder;

    private static DiskImage open(MemoryFile file, boolean readOnly) throws IOException {
        return new VhdxDriver().open(file, new OpenRequest(readOnly, true, false, Map.of(), OPENER));
    }

    private static MemoryFile create(String... options) throws IOException {
        var file = new MemoryFile("disk.vhdx");
        Map<String, String> all = new HashMap<>();
        for (String option : options) {
            all.put(option.split("=")[0], option.split("=")[1]);
        }
        new VhdxDriver().create(file, new CreateRequest(DISK_BYTES, all, OPENER));
        return file;
    }

    /// As if qemu-io had died after it wrote to the log, and before it wrote to the table.
    @Test
    void theLogThatQemuLeavesIsReplayed() throws IOException {
        Peer.need("qemu-img", "qemu-utils");
        Peer.expect(folder, "qemu-img", "create", "-q", "-f", "vhdx", "-o", "block_size=1M", "disk", "64M");
        Peer.expect(folder, "qemu-io", "-f", "vhdx", "-c", "write -P 5 3M 1M", "disk");
        MemoryFile file = MemoryFile.load(folder.resolve("disk"));
        VhdxHeaders headers = VhdxHeaders.read(file);
        ByteBuffer logged = ByteBuffer.allocate(LogEntry.HEADER_BYTES).order(ByteOrder.LITTLE_ENDIAN);
        file.read(headers.current().logOffset(), MemorySegment.ofBuffer(logged));
        long table = VhdxRegions.read(file, headers.current()).table().offset();
        file.write(table, MemorySegment.ofArray(new byte[SECTOR_BYTES]));
        headers.change(headers.current().withLog(Guid.read(logged, 32)));
        assertThatThrownBy(() -> open(file, true))
                .isInstanceOf(UserErrorException.class)
                .hasMessageContaining("replay");
        byte[] expected = new byte[1 << 20];
        Arrays.fill(expected, (byte) 5);
        byte[] read = new byte[expected.length];
        try (DiskImage image = open(file, false)) {
            image.read(3 << 20, List.of(MemorySegment.ofArray(read)));
            assertThat(image.check(Repair.NONE).corruptionsFixed()).isEqualTo(1);
        }
        assertThat(Arrays.mismatch(read, expected)).isEqualTo(-1);
        try (DiskImage image = open(file, true)) {
            assertThat(image.check(Repair.NONE).corruptionsFixed()).isZero();
        }
    }

    /// A chain of three entries around the end of the log, with an older one and a broken one beside it.
    @Test
    void theNewestWholeChainIsReplayed() throws IOException {
        MemoryFile file = create();
        Guid guid = Guid.random();
        long logLength = 1 << 20;
        long at = logLength - 2 * SECTOR_BYTES;
        long target = 3 << 20;
        List<Long> places = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            places.add((at + i * 2L * SECTOR_BYTES) % logLength);
        }
        put(file, entry(guid, 4, 40 * SECTOR_BYTES, 40 * SECTOR_BYTES, target, 99), 40 * SECTOR_BYTES);
        for (int i = 0; i < 3; i++) {
            LogEntry entry = entry(guid, 10 + i, places.get(i), places.get(0), target + i * SECTOR_BYTES, i + 1);
            put(file, entry, places.get(i));
        }
        put(file, entry(guid, 20, 60 * SECTOR_BYTES, 50 * SECTOR_BYTES, target, 77), 60 * SECTOR_BYTES);
        put(file, entry(Guid.random(), 30, 80 * SECTOR_BYTES, 80 * SECTOR_BYTES, target, 66), 80 * SECTOR_BYTES);
        VhdxHeaders headers = VhdxHeaders.read(file);
        headers.change(headers.current().withLog(guid));
        VhdxReplay.run(file, headers.current());
        for (int i = 0; i < 3; i++) {
            byte[] sector = new byte[SECTOR_BYTES];
            file.read(target + i * SECTOR_BYTES, MemorySegment.ofArray(sector));
            byte[] expected = new byte[SECTOR_BYTES];
            Arrays.fill(expected, (byte) (i + 1));
            assertThat(sector).isEqualTo(expected);
        }
    }

    private static LogEntry entry(Guid guid, long number, long at, long tail, long target, int value) {
        byte[] sector = new byte[SECTOR_BYTES];
        Arrays.fill(sector, (byte) value);
        LogEntry entry = LogEntry.of(guid, number, at, List.of(new Patch(target, sector)), 4 << 20);
        entry.bytes().putInt(12, (int) tail);
        Checksum.put(entry.bytes());
        return entry;
    }

    private static void put(MemoryFile file, LogEntry entry, long at) throws IOException {
        file.write(LOG_OFFSET + at, MemorySegment.ofArray(entry.bytes().array()));
    }

    @Test
    void entriesThatReachOutsideAreRefused() throws IOException {
        long[][] bad = {{1L << 40, 4 << 20}, {-4096, 4 << 20}, {100, 4 << 20}, {3 << 20, 1L << 60}, {3 << 20, -1}};
        for (long[] offsetAndSize : bad) {
            MemoryFile file = create();
            Guid guid = Guid.random();
            LogEntry entry = entry(guid, 1, 0, 0, offsetAndSize[0], 1);
            entry.bytes().putLong(56, offsetAndSize[1]);
            Checksum.put(entry.bytes());
            put(file, entry, 0);
            VhdxHeaders headers = VhdxHeaders.read(file);
            headers.change(headers.current().withLog(guid));
            assertThatThrownBy(() -> open(file, false))
                    .isInstanceOf(UserErrorException.class)
                    .hasMessageContaining("its log");
        }
    }

    /// Long valid entries at every sector would take for ever to check.
    @Test
    void aLogOfOverlappingEntriesEndsSoon() throws IOException {
        MemoryFile file = create("log_size=64M");
        Guid guid = Guid.random();
        ByteBuffer start = ByteBuffer.allocate(LogEntry.HEADER_BYTES).order(ByteOrder.LITTLE_ENDIAN);
        start.putInt(0, LogEntry.SIGNATURE).putInt(8, 64 << 20).putLong(16, 1);
        guid.write(start, 32);
        for (long at = 0; at < 64 << 20; at += SECTOR_BYTES) {
            file.write(LOG_OFFSET + at, MemorySegment.ofBuffer(start));
        }
        VhdxHeaders headers = VhdxHeaders.read(file);
        headers.change(headers.current().withLog(guid));
        long begun = System.nanoTime();
        assertThatThrownBy(() -> open(file, false))
                .isInstanceOf(UserErrorException.class)
                .hasMessageContaining("too many long entries");
        assertThat((System.nanoTime() - begun) / 1e9).isLessThan(15);
    }

    @Test
    void aDamagedHeaderOrRegionTableLeavesTheOther() throws IOException {
        MemoryFile file = create();
        var random = new SplittableRandom(1);
        for (int round = 0; round < 4; round++) {
            long[] places = round % 2 == 0 ? VhdxHeaders.OFFSETS : VhdxRegions.OFFSETS;
            MemoryFile damaged = file.copy();
            damaged.write(places[round / 2] + random.nextInt(100), MemorySegment.ofArray(new byte[] {1, 2, 3}));
            try (DiskImage image = open(damaged, false)) {
                image.write(0, List.of(MemorySegment.ofArray(new byte[512])));
            }
            damaged.write(places[1 - round / 2], MemorySegment.ofArray(new byte[] {1, 2, 3}));
            damaged.write(places[round / 2], MemorySegment.ofArray(new byte[] {1, 2, 3}));
            assertThatThrownBy(() -> open(damaged, true)).hasMessageContaining("neither of its");
        }
    }

    @Test
    void disksWithSectorsOf4096BytesAreRead() throws IOException {
        MemoryFile file = create("block_size=1M");
        ByteBuffer size = ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putInt(0, 4096);
        file.write((2 << 20) + (64 << 10) + 32, MemorySegment.ofBuffer(size));
        try (DiskImage image = open(file, false)) {
            image.write(33 << 20, List.of(MemorySegment.ofArray(new byte[] {3})));
        }
        try (DiskImage image = open(file, true)) {
            byte[] read = new byte[2];
            image.read(33 << 20, List.of(MemorySegment.ofArray(read)));
            assertThat(read).containsExactly(3, 0);
        }
    }
}

package org.jvirt.devices.virtio;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.jvirt.devices.virtio.GuestRing.Buffer;
import org.jvirt.devices.virtio.GuestRing.Used;
import org.jvirt.devices.virtio.block.BlockOptions;
import org.jvirt.devices.virtio.block.VirtioBlock;
import org.jvirt.devices.work.QueueRunner;
import org.jvirt.testkit.RamDisk;
import org.jvirt.testkit.RecordingMsi;

class VirtioBlockTest {
    private static final int DISK = 1 << 20;

    static Stream<Arguments> rings() {
        return Stream.of(false, true)
                .flatMap(packed -> Stream.of(false, true)
                        .flatMap(event ->
                                Stream.of(Arguments.of(packed, event, false), Arguments.of(packed, event, true))));
    }

    private static long features(boolean packed, boolean event) {
        long all = GuestDisk.ALL_FEATURES | (packed ? VirtioFeature.VIRTIO_F_RING_PACKED : 0);
        return event ? all : all & ~VirtioFeature.VIRTIO_F_EVENT_IDX;
    }

    @ParameterizedTest(name = "packed={0} event index={1} indirect={2}")
    @MethodSource("rings")
    void randomRequestsKeepDiskAndDriverInAgreement(boolean packed, boolean event, boolean indirect) {
        var random = new Random(11);
        var expected = new byte[DISK];
        try (var disk = new GuestDisk(new RamDisk(DISK, false), BlockOptions.DEFAULT, QueueRunner.inline())) {
            // 17 would be no size for a split ring; packed rings take any, and odd wraps.
            GuestRing ring = disk.start(features(packed, event), packed ? 17 : 16);
            for (int round = 0; round < 3000; round++) {
                int sectors = 1 + random.nextInt(8);
                int sector = random.nextInt(DISK / 512 - sectors);
                int length = sectors * 512;
                // Crosses the border between two slots now and then, and lies above 4 GiB at other times.
                long data = random.nextBoolean() ? GuestDisk.RAM / 2 - 512L * random.nextInt(9) : GuestDisk.HIGH + 8;
                int cut = 1 + random.nextInt(length - 1);
                boolean read = random.nextBoolean();
                var content = new byte[length];
                if (!read) {
                    random.nextBytes(content);
                    disk.put(data, content);
                }
                Used used = ring.roundTrip(
                        disk.request(
                                0,
                                read ? 0 : 1,
                                sector,
                                new Buffer(data, cut, read),
                                new Buffer(data + cut, length - cut, read)),
                        indirect);
                assertThat(used).isNotNull();
                assertThat(disk.status(0)).isZero();
                assertThat(used.length()).isEqualTo(read ? length + 1 : 1);
                if (read) {
                    assertThat(disk.get(data, length))
                            .isEqualTo(Arrays.copyOfRange(expected, sector * 512, sector * 512 + length));
                } else {
                    System.arraycopy(content, 0, expected, sector * 512, length);
                }
                assertThat(disk.pci.msi.take()).contains(new RecordingMsi.Message(GuestDriver.MSI_ADDRESS, 0x41));
            }
            assertThat(disk.driver.needsReset()).isFalse();
        }
    }

    private static GuestDisk inline(RamDisk backend) {
        return new GuestDisk(backend, BlockOptions.DEFAULT, QueueRunner.inline());
    }

    @Test
    void theConfigurationTellsSizeAndLimits() {
        try (var disk = inline(new RamDisk(DISK, false))) {
            assertThat(disk.pci.read(disk.at, 0, 4)).isEqualTo(0x1042_1af4L);
            assertThat(disk.pci.read(disk.at, 8, 1)).isEqualTo(1);
            long config = disk.driver.deviceConfig;
            assertThat(disk.pci.mmio.read(config, 8)).isEqualTo(DISK / 512);
            assertThat(disk.pci.mmio.read(config + 12, 4)).isEqualTo(254);
            assertThat(disk.pci.mmio.read(config + 20, 4)).isEqualTo(512);
            assertThat(disk.pci.mmio.read(config + 4000, 4)).isZero();
            assertThat(disk.driver.offered() & 1L << 5).isZero();
        }
    }

    @Test
    void theConfigurationTellsGeometryAndTopology() {
        var options = new BlockOptions("", 2, 64, 512, 4096);
        try (var disk = new GuestDisk(new RamDisk(DISK, false), options, QueueRunner.inline())) {
            long config = disk.driver.deviceConfig;
            assertThat(disk.driver.offered() & (1L << 4 | 1L << 10 | 1L << 12))
                    .isEqualTo(1L << 4 | 1L << 10 | 1L << 12);
            assertThat(disk.pci.mmio.read(config + 16, 2)).as("cylinders").isEqualTo(DISK / 512 / (16 * 63));
            assertThat(disk.pci.mmio.read(config + 18, 1)).as("heads").isEqualTo(16);
            assertThat(disk.pci.mmio.read(config + 19, 1)).as("sectors").isEqualTo(63);
            assertThat(disk.pci.mmio.read(config + 24, 1))
                    .as("physical_block_exp")
                    .isEqualTo(3);
            assertThat(disk.pci.mmio.read(config + 26, 2)).as("min_io_size").isEqualTo(8);
            assertThat(disk.pci.mmio.read(config + 34, 2)).as("num_queues").isEqualTo(2);
        }
    }

    @Test
    void aNewSizeReachesTheDriverAsAChangeOfTheConfiguration() {
        var backend = new RamDisk(DISK, false);
        var device = new VirtioBlock(backend, BlockOptions.DEFAULT);
        try (var disk = new GuestDisk(GuestDisk.ram(), device, QueueRunner.inline())) {
            GuestRing ring = disk.start(GuestDisk.ALL_FEATURES, 16);
            disk.pci.msi.take();
            long generation = disk.pci.mmio.read(disk.driver.common + 0x15, 1);
            backend.resize(2 * DISK);
            ring.roundTrip(disk.request(0, 0, DISK / 512, new Buffer(0x20000, 512, true)), false);
            assertThat(disk.status(0)).as("behind the end the driver knows of").isEqualTo(1);
            disk.pci.msi.take();

            device.resized();
            assertThat(disk.pci.msi.take())
                    .as("on the configuration's vector")
                    .containsExactly(new RecordingMsi.Message(GuestDriver.MSI_ADDRESS, 0x40));
            assertThat(disk.pci.mmio.read(disk.driver.common + 0x15, 1)).isNotEqualTo(generation);
            assertThat(disk.pci.mmio.read(disk.driver.deviceConfig, 8)).isEqualTo(2 * DISK / 512);
            ring.roundTrip(disk.request(0, 0, DISK / 512, new Buffer(0x20000, 512, true)), false);
            assertThat(disk.status(0)).isZero();
        }
    }

    @Test
    void flushIdentifyDiscardAndZeroesDoWhatTheySay() {
        var backend = new RamDisk(DISK, false);
        var options = new BlockOptions("serial-7", 1, 16, 512, 512);
        try (var disk = new GuestDisk(backend, options, QueueRunner.inline())) {
            GuestRing ring = disk.start(GuestDisk.ALL_FEATURES, 16);
            disk.memory.fill(0x20000, 4096, (byte) 0x55);
            ring.roundTrip(disk.request(0, 1, 0, new Buffer(0x20000, 4096, false)), false);
            assertThat(backend.flushes()).isZero();
            ring.roundTrip(disk.request(1, 4, 0), false);
            assertThat(disk.status(1)).isZero();
            assertThat(backend.flushes()).isEqualTo(1);

            ring.roundTrip(disk.request(2, 8, 0, new Buffer(0x30000, 20, true)), false);
            assertThat(new String(disk.get(0x30000, 8), StandardCharsets.US_ASCII))
                    .isEqualTo("serial-7");

            disk.memory.writeLong(0x40000, 1);
            disk.memory.writeInt(0x40008, 2);
            disk.memory.writeInt(0x4000c, 1);
            ring.roundTrip(disk.request(3, 13, 0, new Buffer(0x40000, 16, false)), false);
            assertThat(disk.status(3)).isZero();
            assertThat(backend.content()[511]).isEqualTo((byte) 0x55);
            assertThat(backend.content()[512]).isZero();
            assertThat(backend.content()[1535]).isZero();
            assertThat(backend.content()[1536]).isEqualTo((byte) 0x55);

            ring.roundTrip(disk.request(4, 11, 0, new Buffer(0x40000, 16, false)), false);
            assertThat(disk.status(4)).as("discard knows no unmap flag").isEqualTo(2);
            disk.memory.writeInt(0x4000c, 0);
            ring.roundTrip(disk.request(5, 11, 0, new Buffer(0x40000, 16, false)), false);
            assertThat(disk.status(5)).isZero();
            ring.roundTrip(disk.request(6, 99, 0), false);
            assertThat(disk.status(6)).isEqualTo(2);
        }
    }

    @Test
    void withoutFlushEveryWriteIsDurable() {
        var backend = new RamDisk(DISK, false);
        try (var disk = inline(backend)) {
            GuestRing ring = disk.start(VirtioFeature.VIRTIO_F_VERSION_1, 16);
            ring.roundTrip(disk.request(0, 1, 0, new Buffer(0x20000, 512, false)), false);
            assertThat(backend.flushes()).isEqualTo(1);
        }
    }

    @Test
    void requestsThatCannotBeEndInAnErrorStatusAndNothingElse() {
        var backend = new RamDisk(DISK, false);
        try (var disk = inline(backend)) {
            GuestRing ring = disk.start(GuestDisk.ALL_FEATURES, 16);
            long[][] typeSectorLength = {
                {0, DISK / 512, 512},
                {0, DISK / 512 - 1, 1024},
                {0, -1, 512},
                {0, Long.MAX_VALUE, 512},
                {0, 1L << 55, 512},
                {0, 0, 511},
                {1, DISK / 512, 512},
                {1, 0, 513},
                {11, 0, 15},
                {13, 0, 512 * 16}
            };
            for (long[] each : typeSectorLength) {
                boolean fill = each[0] == 0;
                Used used = ring.roundTrip(
                        disk.request(0, (int) each[0], each[1], new Buffer(0x20000, each[2], fill)), false);
                assertThat(used).isNotNull();
                assertThat(disk.status(0))
                        .as("type %d sector %d length %d", each[0], each[1], each[2])
                        .isEqualTo(1);
            }
            assertThat(disk.driver.needsReset()).isFalse();
        }
    }

    @Test
    void aFailingBackendAnswersWithErrorsUntilItRecovers() {
        var backend = new RamDisk(DISK, false);
        try (var disk = inline(backend)) {
            GuestRing ring = disk.start(GuestDisk.ALL_FEATURES, 16);
            backend.fail(true);
            for (int type : new int[] {0, 1, 4}) {
                boolean data = type != 4;
                ring.roundTrip(
                        data ? disk.request(0, type, 0, new Buffer(0x20000, 512, type == 0)) : disk.request(0, type, 0),
                        false);
                assertThat(disk.status(0)).isEqualTo(1);
            }
            backend.fail(false);
            ring.roundTrip(disk.request(0, 0, 0, new Buffer(0x20000, 512, true)), false);
            assertThat(disk.status(0)).isZero();
            assertThat(disk.driver.needsReset()).isFalse();
        }
    }

    @Test
    void aReadOnlyDiskSaysSoAndRefusesWrites() {
        var backend = new RamDisk(DISK, true);
        try (var disk = inline(backend)) {
            assertThat(disk.driver.offered() & 1L << 5).isNotZero();
            assertThat(disk.driver.offered() & 1L << 13).isZero();
            GuestRing ring = disk.start(VirtioFeature.VIRTIO_F_VERSION_1 | 1 << 5, 16);
            disk.memory.fill(0x20000, 512, (byte) 1);
            ring.roundTrip(disk.request(0, 1, 0, new Buffer(0x20000, 512, false)), false);
            assertThat(disk.status(0)).isEqualTo(1);
            assertThat(backend.content()[0]).isZero();
        }
    }

    @Test
    void severalQueuesWorkInParallelThreads() {
        var backend = new RamDisk(DISK, false);
        try (var disk = new GuestDisk(backend, new BlockOptions("", 4, 64, 512, 512), QueueRunner.threads("test"))) {
            assertThat(disk.pci.mmio.read(disk.driver.common + 0x12, 2)).isEqualTo(4);
            assertThat(disk.driver.negotiate(GuestDisk.ALL_FEATURES | 1 << 12)).isTrue();
            disk.driver.enableMsix(5);
            var rings = new GuestRing[4];
            for (int i = 0; i < 4; i++) {
                rings[i] = disk.driver.queue(i, 64, i + 1);
            }
            disk.driver.driverOk();
            for (int round = 0; round < 500; round++) {
                for (int i = 0; i < 4; i++) {
                    disk.memory.fill(0x20000 + 512L * i, 512, (byte) (i + round));
                    rings[i].add(disk.request(i, 1, i * 8L, new Buffer(0x20000 + 512L * i, 512, false)), true);
                    rings[i].kickIfWanted();
                }
                for (int i = 0; i < 4; i++) {
                    rings[i].await();
                    assertThat(disk.status(i)).isZero();
                    assertThat(disk.pci.msi).isNotNull();
                }
            }
            byte[] content = backend.content();
            for (int i = 0; i < 4; i++) {
                assertThat(content[i * 8 * 512]).isEqualTo((byte) (i + 499));
            }
        }
    }

    @Test
    void aSavedDeviceGoesOnWhereItStoppedOnANewOne() {
        for (boolean packed : new boolean[] {false, true}) {
            var backend = new RamDisk(DISK, false);
            var memory = GuestDisk.ram();
            var old = new GuestDisk(memory, new VirtioBlock(backend, BlockOptions.DEFAULT), QueueRunner.inline());
            GuestRing ring = old.start(features(packed, true), packed ? 7 : 8);
            for (int i = 0; i < 5; i++) {
                ring.roundTrip(old.request(0, 1, i, new Buffer(0x20000, 512, false)), false);
            }
            old.function.pause();
            memory.fill(0x20000, 512, (byte) 0x77);
            int id = ring.add(old.request(1, 1, 9, new Buffer(0x20000, 512, false)), false);
            ring.kick();
            assertThat(ring.poll()).as("a paused device is still").isNull();
            VirtioPciState state = old.function.save();
            old.function.close();

            var saved = (VirtioBlock.State) state.core().device();
            var next = new VirtioPci(
                    "blk0", new VirtioBlock(backend, BlockOptions.DEFAULT, saved), memory, QueueRunner.inline());
            var pci = new GuestPci();
            pci.add(3, next);
            next.restore(state);
            assertThat(ring.poll()).isNull();
            next.resume();
            assertThat(ring.poll()).isEqualTo(new Used(id, 1));
            assertThat(backend.content()[9 * 512]).isEqualTo((byte) 0x77);
            assertThat(pci.msi.take()).contains(new RecordingMsi.Message(GuestDriver.MSI_ADDRESS, 0x41));
            assertThat(pci.bar(old.at, 4)).isEqualTo(old.driver.common);
            next.close();
            memory.close();
        }
    }
}

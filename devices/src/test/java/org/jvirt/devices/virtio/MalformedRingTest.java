package org.jvirt.devices.virtio;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Random;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.jvirt.devices.virtio.GuestRing.Buffer;
import org.jvirt.devices.virtio.block.BlockOptions;
import org.jvirt.devices.work.QueueRunner;
import org.jvirt.testkit.RamDisk;

/// What a hostile driver may try. Each ends in DEVICE_NEEDS_RESET or is without effect, never in an exception on
/// the thread that wrote the register, and the device works again after a reset.
class MalformedRingTest {
    private static final int SIZE = 16;
    private static final long OUTSIDE = 0x7_0000_0000L;

    private record Attack(String name, boolean packed, Consumer<Setup> action) {
        @Override
        public String toString() {
            return name;
        }
    }

    private record Setup(GuestDisk disk, GuestRing ring) {
        void descriptor(int index, long gpa, long length, int flags, int next) {
            ring.writeDescriptor(ring.descriptor + 16L * index, gpa, length, flags, next);
        }

        /// In a packed ring the last two fields are id and flags.
        void packed(int index, long gpa, long length, int flags) {
            ring.writeDescriptor(ring.descriptor + 16L * index, gpa, length, 3, flags | 0x80);
        }

        void offer(int head) {
            ((GuestSplitRing) ring).offer(head);
        }

        void add(List<Buffer> buffers) {
            ring.add(buffers, false);
        }
    }

    private static Attack split(String name, Consumer<Setup> action) {
        return new Attack(name, false, action);
    }

    private static Attack packed(String name, Consumer<Setup> action) {
        return new Attack(name, true, action);
    }

    static Stream<Attack> attacks() {
        return Stream.of(
                split("available index far ahead", s -> s.disk().memory.writeShort(s.ring().driverArea + 2, 0x7777)),
                split(
                        "available index one too far",
                        s -> s.disk().memory.writeShort(s.ring().driverArea + 2, SIZE + 1)),
                split("head outside the table", s -> s.offer(SIZE)),
                split("head 65535", s -> s.offer(0xffff)),
                split("next outside the table", s -> {
                    s.descriptor(0, 0x8000, 16, 1, 40000);
                    s.offer(0);
                }),
                split("descriptor that is its own next", s -> {
                    s.descriptor(0, 0x8000, 16, 1, 0);
                    s.offer(0);
                }),
                split("loop of two", s -> {
                    s.descriptor(0, 0x8000, 16, 1, 1);
                    s.descriptor(1, 0x8000, 16, 1, 0);
                    s.offer(0);
                }),
                split("readable behind writable", s -> {
                    s.descriptor(0, 0x8000, 16, 3, 1);
                    s.descriptor(1, 0x9000, 16, 0, 0);
                    s.offer(0);
                }),
                split("empty request", s -> {
                    s.descriptor(0, 0x8000, 0, 0, 0);
                    s.offer(0);
                }),
                split(
                        "header too short",
                        s -> s.add(List.of(new Buffer(0x8000, 15, false), new Buffer(0x9000, 1, true)))),
                split("no room for a status", s -> s.add(List.of(new Buffer(0x8000, 16, false)))),
                split(
                        "header outside RAM",
                        s -> s.add(List.of(new Buffer(OUTSIDE, 16, false), new Buffer(0x9000, 1, true)))),
                split(
                        "header at the last byte of all",
                        s -> s.add(List.of(new Buffer(-1L, 16, false), new Buffer(0x9000, 1, true)))),
                split(
                        "status outside RAM",
                        s -> s.add(s.disk().request(0, 4, 0).stream()
                                .map(b -> b.write() ? new Buffer(OUTSIDE, 1, true) : b)
                                .toList())),
                split("data outside RAM", s -> s.add(s.disk().request(0, 0, 0, new Buffer(OUTSIDE, 512, true)))),
                split(
                        "data over the end of RAM",
                        s -> s.add(s.disk().request(0, 0, 0, new Buffer(GuestDisk.RAM - 256, 512, true)))),
                split(
                        "data over the end of the address space",
                        s -> s.add(s.disk().request(0, 0, 0, new Buffer(-512L, 1024, true)))),
                split(
                        "more than 4 GiB",
                        s -> s.add(s.disk()
                                .request(
                                        0,
                                        0,
                                        0,
                                        new Buffer(0x10000, 0xffff_ffffL, true),
                                        new Buffer(0x20000, 0xffff_ffffL, true)))),
                split("indirect with next", s -> {
                    s.descriptor(0, 0x20000, 32, 5, 1);
                    s.offer(0);
                }),
                split("indirect in indirect", s -> {
                    s.ring().writeDescriptor(0x20000, 0x30000, 16, 4, 0);
                    s.descriptor(0, 0x20000, 16, 4, 0);
                    s.offer(0);
                }),
                split("indirect of no entries", s -> {
                    s.descriptor(0, 0x20000, 0, 4, 0);
                    s.offer(0);
                }),
                split("indirect of half an entry", s -> {
                    s.descriptor(0, 0x20000, 24, 4, 0);
                    s.offer(0);
                }),
                split("indirect of 4 GiB", s -> {
                    s.descriptor(0, 0x20000, 0xffff_fff0L, 4, 0);
                    s.offer(0);
                }),
                split("indirect outside RAM", s -> {
                    s.descriptor(0, OUTSIDE, 32, 4, 0);
                    s.offer(0);
                }),
                split("indirect that loops", s -> {
                    s.ring().writeDescriptor(0x20000, 0x8000, 16, 1, 0);
                    s.descriptor(0, 0x20000, 32, 4, 0);
                    s.offer(0);
                }),
                split("indirect next outside", s -> {
                    s.ring().writeDescriptor(0x20000, 0x8000, 16, 1, 9);
                    s.descriptor(0, 0x20000, 32, 4, 0);
                    s.offer(0);
                }),
                packed("list that never ends", s -> {
                    for (int i = SIZE - 1; i >= 0; i--) {
                        s.packed(i, 0x8000, 16, 1);
                    }
                }),
                packed("indirect inside a list", s -> {
                    s.packed(1, 0x20000, 32, 4);
                    s.packed(0, 0x8000, 16, 1);
                }),
                packed("indirect with next, packed", s -> s.packed(0, 0x20000, 32, 5)),
                packed("indirect in indirect, packed", s -> {
                    s.ring().writeDescriptor(0x20000, 0x30000, 16, 0, 4);
                    s.packed(0, 0x20000, 16, 4);
                }),
                packed("indirect outside RAM, packed", s -> s.packed(0, OUTSIDE, 32, 4)),
                packed("header outside RAM, packed", s -> s.packed(0, OUTSIDE, 32, 2)),
                packed("empty request, packed", s -> s.packed(0, 0x8000, 0, 0)));
    }

    @ParameterizedTest
    @MethodSource("attacks")
    void anAttackEndsInNeedsResetAndAResetCures(Attack attack) {
        try (var disk = new GuestDisk(new RamDisk(1 << 20, false), BlockOptions.DEFAULT, QueueRunner.inline())) {
            long features = GuestDisk.ALL_FEATURES | (attack.packed() ? VirtioFeature.VIRTIO_F_RING_PACKED : 0);
            GuestRing ring = disk.start(features, SIZE);
            attack.action().accept(new Setup(disk, ring));
            ring.kick();
            assertThat(disk.driver.needsReset()).isTrue();
            assertThat(disk.function.errors().count()).isEqualTo(1);
            assertThat(disk.pci.msi.take()).as("the configuration interrupt").isNotEmpty();
            ring.kick();
            assertThat(disk.function.errors().count())
                    .as("a broken device is still")
                    .isEqualTo(1);

            disk.driver.reset();
            GuestRing fresh = disk.start(features, SIZE);
            assertThat(fresh.roundTrip(disk.request(0, 4, 0), false)).isNotNull();
            assertThat(disk.status(0)).isZero();
        }
    }

    @Test
    void ringsThatAreMisplacedAreNotAccepted() {
        long[][] places = {
            {0x10_0008, 0x11_0000, 0x12_0000}, {0x10_0000, 0x11_0001, 0x12_0000}, {0x10_0000, 0x11_0000, 0x12_0002},
            {OUTSIDE, 0x11_0000, 0x12_0000}, {0x10_0000, -2, 0x12_0000}, {0x10_0000, 0x11_0000, GuestDisk.RAM - 4}
        };
        for (long[] place : places) {
            try (var disk = new GuestDisk(new RamDisk(1 << 20, false), BlockOptions.DEFAULT, QueueRunner.inline())) {
                assertThat(disk.driver.negotiate(GuestDisk.ALL_FEATURES)).isTrue();
                long common = disk.driver.common;
                disk.pci.mmio.write(common + 0x18, 2, SIZE);
                for (int part = 0; part < 3; part++) {
                    disk.pci.mmio.write(common + 0x20 + 8 * part, 8, place[part]);
                }
                disk.pci.mmio.write(common + 0x1c, 2, 1);
                assertThat(disk.driver.needsReset()).isTrue();
                assertThat(disk.pci.mmio.read(common + 0x1c, 2)).isZero();
                disk.driver.driverOk();
                disk.pci.mmio.write(disk.driver.notify, 2, 0);
                disk.driver.reset();
                assertThat(disk.driver.status()).isZero();
            }
        }
    }

    @Test
    void sizesAndSelectorsThatLieAreIgnored() {
        try (var disk = new GuestDisk(new RamDisk(1 << 20, false), BlockOptions.DEFAULT, QueueRunner.inline())) {
            assertThat(disk.driver.negotiate(GuestDisk.ALL_FEATURES)).isTrue();
            long common = disk.driver.common;
            for (int size : new int[] {0, 257, 512, 65535}) {
                disk.pci.mmio.write(common + 0x18, 2, size);
                assertThat(disk.pci.mmio.read(common + 0x18, 2)).isEqualTo(256);
            }
            for (int queue : new int[] {1, 2, 255, 65535}) {
                disk.pci.mmio.write(common + 0x16, 2, queue);
                disk.pci.mmio.write(common + 0x1c, 2, 1);
                disk.pci.mmio.write(common + 0x20, 8, -1);
                assertThat(disk.pci.mmio.read(common + 0x18, 2)).isZero();
                assertThat(disk.pci.mmio.read(common + 0x1c, 2)).isZero();
            }
            for (long offset = 0; offset < 0x1000; offset += 2) {
                disk.pci.mmio.write(disk.driver.notify + offset, 2, 0xffff);
            }
            disk.pci.mmio.write(common, 4, 0xffff_ffffL);
            assertThat(disk.pci.mmio.read(common + 4, 4)).isZero();
            // Vectors that do not exist read back as none.
            disk.pci.mmio.write(common + 0x10, 2, 77);
            assertThat(disk.pci.mmio.read(common + 0x10, 2)).isEqualTo(0xffff);
            assertThat(disk.driver.needsReset()).isFalse();
        }
    }

    @Test
    void featuresThatWereNotOfferedOrNoVersion1AreRefused() {
        try (var disk = new GuestDisk(new RamDisk(1 << 20, false), BlockOptions.DEFAULT, QueueRunner.inline())) {
            assertThat(disk.driver.negotiate(1L << 32 | 1L << 50)).isFalse();
            disk.driver.driverOk();
            assertThat(disk.driver.status() & 4).isZero();
            disk.driver.reset();
            assertThat(disk.driver.negotiate(1L << 9)).isFalse();
            disk.driver.reset();
            assertThat(disk.driver.negotiate(1L << 32)).isTrue();
        }
    }

    @Test
    void randomRegisterAccessesAndRandomRingsNeverThrow() {
        for (int seed = 0; seed < 150; seed++) {
            var random = new Random(seed);
            try (var disk = new GuestDisk(new RamDisk(1 << 20, false), BlockOptions.DEFAULT, QueueRunner.inline())) {
                boolean packed = random.nextBoolean();
                GuestRing ring =
                        disk.start(GuestDisk.ALL_FEATURES | (packed ? VirtioFeature.VIRTIO_F_RING_PACKED : 0), SIZE);
                for (int step = 0; step < 400; step++) {
                    int width = 1 << random.nextInt(4);
                    switch (random.nextInt(6)) {
                        case 0 ->
                            disk.pci.mmio.write(disk.driver.common + random.nextInt(0x4000), width, random.nextLong());
                        case 1 -> disk.pci.mmio.read(disk.driver.common + random.nextInt(0x4000), width);
                        case 2 ->
                            disk.memory.writeInt(ring.descriptor + random.nextInt(16 * SIZE - 4), random.nextInt());
                        case 3 ->
                            disk.memory.writeShort(ring.driverArea + random.nextInt(2 * SIZE), random.nextInt(20));
                        case 4 -> disk.pci.write(disk.at, 0x40 + (random.nextInt(0xc0) & ~3), 4, random.nextInt());
                        default -> ring.kick();
                    }
                }
            }
        }
    }
}

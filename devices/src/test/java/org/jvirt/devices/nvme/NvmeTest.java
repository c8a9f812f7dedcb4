package org.jvirt.devices.nvme;

import static org.assertj.core.api.Assertions.assertThat;
import static org.jvirt.devices.nvme.GuestNvme.DATA;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.jvirt.devices.nvme.GuestNvme.Outcome;
import org.jvirt.devices.virtio.HeldDisk;
import org.jvirt.devices.work.QueueRunner;
import org.jvirt.testkit.RamDisk;
import org.jvirt.testkit.RecordingMsi;

@Timeout(60)
class NvmeTest {
    private static final int DISK = 1 << 20;
    private static final int LIST = 0x30_0000;

    private static GuestNvme guest(RamDisk disk) {
        var guest = new GuestNvme(disk, 2, QueueRunner.inline());
        guest.enable();
        guest.createQueue(1);
        return guest;
    }

    @Test
    void theControllerComesUpAndTellsWhatItIs() {
        try (var guest = new GuestNvme(new RamDisk(DISK, false), 2, QueueRunner.inline())) {
            assertThat(guest.pci.read(guest.at, 8, 4) >>> 8).isEqualTo(0x010802);
            assertThat(guest.read(8)).isEqualTo(0x0001_0400);
            assertThat(guest.read(0) & 0xffff).as("entries, less one").isEqualTo(2047);
            assertThat(guest.read(4) >>> 5 & 1).as("NVM command set").isEqualTo(1);
            assertThat(guest.read(0x1c)).isZero();
            guest.enable();
            assertThat(guest.read(0x1c)).isEqualTo(1);
            assertThat(guest.admin(6, 0, DATA, 0, 1).status()).isZero();
            assertThat(new String(guest.get(DATA + 4, 20), StandardCharsets.US_ASCII))
                    .isEqualTo("N-1" + " ".repeat(17));
            assertThat(guest.memory.readByte(DATA + 77)).as("MDTS").isEqualTo(7);
            assertThat(guest.memory.readInt(DATA + 516)).as("namespaces").isEqualTo(1);
            assertThat(guest.admin(6, 1, DATA, 0, 0).status()).isZero();
            assertThat(guest.memory.readLong(DATA)).isEqualTo(DISK / 512);
            assertThat(guest.memory.readByte(DATA + 130))
                    .as("2^9 bytes a block")
                    .isEqualTo(9);
            assertThat(guest.admin(6, 0, DATA, 0, 2).status()).isZero();
            assertThat(guest.memory.readInt(DATA)).isEqualTo(1);
            assertThat(guest.admin(6, 1, DATA, 0, 3).status()).isZero();
            assertThat(guest.memory.readByte(DATA)).as("a UUID").isEqualTo(3);
            assertThat(guest.admin(9, 0, 0, 0, 7, 3 | 3 << 16).result())
                    .as("queues, less one")
                    .isEqualTo(1 | 1 << 16);
            assertThat(guest.admin(2, -1, DATA, 0, 2 | 127 << 16).status()).isZero();
            assertThat(guest.memory.readByte(DATA + 3)).as("spare").isEqualTo(100);
        }
    }

    @Test
    void randomRequestsKeepDiskAndDriverInAgreementWhateverThePages() {
        var random = new Random(5);
        var expected = new byte[DISK];
        try (var guest = guest(new RamDisk(DISK, false))) {
            for (int round = 0; round < 1500; round++) {
                int blocks = 1 + random.nextInt(64);
                int block = random.nextInt(DISK / 512 - blocks);
                int length = 512 * blocks;
                int offset = 4 * random.nextInt(1024);
                // Pages of data lie scattered: one after the other, each third page of memory.
                long first = DATA + offset;
                int pages = (offset + length + 4095) / 4096;
                for (int i = 1; i < pages; i++) {
                    guest.memory.writeLong(LIST + 8L * (i - 1), DATA + 0x3000L * i);
                }
                long second = pages <= 1 ? 0 : pages == 2 ? DATA + 0x3000 : LIST;
                boolean read = random.nextBoolean();
                var content = new byte[length];
                if (!read) {
                    random.nextBytes(content);
                    for (int i = 0; i < length; i++) {
                        guest.memory.writeByte(place(offset + i), content[i]);
                    }
                }
                Outcome outcome = guest.io(1, read ? 2 : 1, first, second, block, 0, blocks - 1);
                assertThat(outcome.status()).isZero();
                if (read) {
                    for (int i = 0; i < length; i++) {
                        content[i] = (byte) guest.memory.readByte(place(offset + i));
                    }
                    assertThat(content).isEqualTo(Arrays.copyOfRange(expected, block * 512, block * 512 + length));
                } else {
                    System.arraycopy(content, 0, expected, block * 512, length);
                }
            }
        }
    }

    private static long place(int at) {
        return DATA + 0x3000L * (at / 4096) + at % 4096;
    }

    @Test
    void listsOfPagesAreFollowedFromPageToPage() {
        var disk = new RamDisk(2 << 20, false);
        try (var guest = new GuestNvme(disk, 1, QueueRunner.inline())) {
            guest.enable();
            guest.createQueue(1);
            // 128 pages behind the first; the list begins 10 entries before the end of a page.
            long list = LIST + 4096 - 80;
            for (int i = 0; i < 9; i++) {
                guest.memory.writeLong(list + 8L * i, DATA + 0x1000L * (i + 1));
            }
            guest.memory.writeLong(list + 72, LIST + 0x1000);
            for (int i = 9; i < 128; i++) {
                guest.memory.writeLong(LIST + 0x1000 + 8L * (i - 9), DATA + 0x1000L * (i + 1));
            }
            guest.memory.fill(DATA, 129 * 4096, (byte) 0x33);
            assertThat(guest.io(1, 1, DATA + 256, list, 0, 0, 1023).status()).isZero();
            byte[] content = disk.content();
            assertThat(content[0]).isEqualTo((byte) 0x33);
            assertThat(content[512 * 1024 - 1]).isEqualTo((byte) 0x33);
            assertThat(content[512 * 1024]).isZero();
        }
    }

    @Test
    void flushZeroesDeallocateAndCompareDoWhatTheySay() {
        var disk = new RamDisk(DISK, false);
        try (var guest = guest(disk)) {
            guest.memory.fill(DATA, 4096, (byte) 0x55);
            assertThat(guest.io(1, 1, DATA, 0, 0, 0, 7).status()).isZero();
            assertThat(disk.flushes()).isZero();
            guest.io(1, 0, 0, 0);
            assertThat(disk.flushes()).isEqualTo(1);
            guest.io(1, 1, DATA, 0, 0, 0, 1 << 30);
            assertThat(disk.flushes()).as("forced unit access").isEqualTo(2);
            guest.admin(9, 0, 0, 0, 6, 0);
            guest.io(1, 1, DATA, 0, 0, 0, 0);
            assertThat(disk.flushes()).as("cache off").isEqualTo(3);
            assertThat(guest.io(1, 5, DATA, 0, 0, 0, 7).status()).isZero();
            guest.memory.writeByte(DATA + 600, 1);
            assertThat(guest.io(1, 5, DATA, 0, 0, 0, 7).status()).as("differs").isEqualTo(0x285);
            assertThat(guest.io(1, 8, 0, 0, 1, 0, 0).status()).isZero();
            assertThat(disk.content()[512]).isZero();
            assertThat(disk.content()[1024]).isEqualTo((byte) 0x55);
            guest.memory.writeLong(DATA, 2L << 32);
            guest.memory.writeLong(DATA + 8, 2);
            assertThat(guest.io(1, 9, DATA, 0, 0, 4).status()).isZero();
            assertThat(disk.content()[1024]).isZero();
            assertThat(disk.content()[2047]).isZero();
            assertThat(disk.content()[2048]).isEqualTo((byte) 0x55);
        }
    }

    @Test
    void commandsThatCannotBeEndWithTheStatusOfTheSpecification() {
        var disk = new RamDisk(DISK, false);
        try (var guest = guest(disk)) {
            int end = DISK / 512;
            assertThat(guest.io(1, 2, DATA, 0, end, 0, 0).status()).isEqualTo(0x80);
            assertThat(guest.io(1, 2, DATA, 0, end - 1, 0, 1).status()).isEqualTo(0x80);
            assertThat(guest.io(1, 2, DATA, 0, -1, -1, 0).status()).isEqualTo(0x80);
            assertThat(guest.io(1, 2, DATA, 0, 0, 0, 0xffff).status())
                    .as("too long")
                    .isEqualTo(2);
            assertThat(guest.io(1, 2, DATA + 2, 0, 0, 0, 0).status()).isEqualTo(0x13);
            assertThat(guest.io(1, 2, DATA, DATA + 8, 0, 0, 15).status()).isEqualTo(0x13);
            assertThat(guest.io(1, 2, 0x7000_0000L, 0, 0, 0, 0).status())
                    .as("no RAM")
                    .isEqualTo(4);
            assertThat(guest.io(1, 2, DATA, 0x7000_0000L, 0, 0, 63).status()).isEqualTo(4);
            assertThat(guest.io(1, 0x77, DATA, 0).status()).isEqualTo(1);
            guest.submit(1, 2, 2, DATA, 0, 0, 0, 0);
            assertThat(guest.await(1).status()).as("namespace 2").isEqualTo(0xb);
            guest.submit(1, 2 | 0x4000, 1, DATA, 0, 0, 0, 0);
            assertThat(guest.await(1).status()).as("scatter-gather list").isEqualTo(2);
            guest.memory.writeLong(DATA, 2L << 32);
            guest.memory.writeLong(DATA + 8, end - 1);
            assertThat(guest.io(1, 9, DATA, 0, 0, 4).status()).isEqualTo(0x80);

            assertThat(guest.admin(0x7f, 0, 0, 0).status()).isEqualTo(1);
            assertThat(guest.admin(6, 0, DATA, 0, 0x42).status()).isEqualTo(2);
            assertThat(guest.admin(6, 9, DATA, 0, 0).status()).isEqualTo(0xb);
            assertThat(guest.admin(2, 0, DATA, 0, 0x42).status()).isEqualTo(0x109);
            assertThat(guest.admin(2, 0, DATA, 0, 2 | 0xffff << 16, 0xffff).status())
                    .isEqualTo(2);
            assertThat(guest.admin(10, 0, 0, 0, 0x42).status()).isEqualTo(2);
            assertThat(guest.admin(5, 0, DATA, 0, 9 | 7 << 16, 1).status())
                    .as("no queue 9")
                    .isEqualTo(0x101);
            assertThat(guest.admin(5, 0, DATA, 0, 1 | 7 << 16, 1).status())
                    .as("there is one")
                    .isEqualTo(0x101);
            assertThat(guest.admin(5, 0, DATA, 0, 2, 1).status())
                    .as("of one entry")
                    .isEqualTo(0x102);
            assertThat(guest.admin(5, 0, DATA, 0, 2 | 7 << 16, 3 | 99 << 16).status())
                    .isEqualTo(0x108);
            assertThat(guest.admin(5, 0, DATA, 0, 2 | 7 << 16, 0).status())
                    .as("scattered")
                    .isEqualTo(2);
            assertThat(guest.admin(1, 0, DATA, 0, 2 | 7 << 16, 1 | 2 << 16).status())
                    .isEqualTo(0x100);
            assertThat(guest.admin(4, 0, 0, 0, 1).status()).as("in use").isEqualTo(0x10c);
            disk.fail(true);
            assertThat(guest.io(1, 2, DATA, 0, 0, 0, 0).status()).isEqualTo(0x281);
            assertThat(guest.io(1, 1, DATA, 0, 0, 0, 0).status()).isEqualTo(0x280);
            disk.fail(false);
            assertThat(guest.io(1, 2, DATA, 0, 0, 0, 0).status()).isZero();
            assertThat(guest.read(0x1c)).as("the controller lives").isEqualTo(1);
        }
    }

    @Test
    void queuesAreDeletedAndMadeAgain() {
        try (var guest = guest(new RamDisk(DISK, false))) {
            assertThat(guest.admin(0, 0, 0, 0, 1).status()).isZero();
            assertThat(guest.admin(4, 0, 0, 0, 1).status()).isZero();
            assertThat(guest.admin(0, 0, 0, 0, 1).status()).isEqualTo(0x101);
            guest.createQueue(1);
            assertThat(guest.io(1, 2, DATA, 0, 0, 0, 0).status()).isZero();
        }
    }

    @Test
    void aFullCompletionQueueHoldsCommandsBackUntilItHasRoom() {
        try (var guest = guest(new RamDisk(DISK, false))) {
            for (int round = 0; round < 3; round++) {
                var ids = new ArrayList<Integer>();
                for (int i = 0; i < GuestNvme.ENTRIES + 4; i++) {
                    ids.add(guest.submit(1, 2, 1, DATA, 0, 0, 0, 0));
                }
                for (int id : ids) {
                    assertThat(guest.poll(1)).isEqualTo(new Outcome(id, 0, 0));
                }
                assertThat(guest.poll(1)).isNull();
            }
        }
    }

    @Test
    void completionsInterruptByTheirVectorOrByThePin() {
        try (var guest = guest(new RamDisk(DISK, false))) {
            guest.submit(1, 2, 1, DATA, 0, 0, 0, 0);
            assertThat(guest.pci.lines[20].high()).as("the pin of device 8").isTrue();
            guest.write(0xc, 2);
            assertThat(guest.pci.lines[20].high()).as("masked").isFalse();
            guest.write(0x10, 2);
            assertThat(guest.pci.lines[20].high()).isTrue();
            assertThat(guest.poll(1)).isNotNull();
            assertThat(guest.pci.lines[20].high()).isFalse();
            guest.enableMsix(2);
            guest.submit(1, 2, 1, DATA, 0, 0, 0, 0);
            assertThat(guest.pci.msi.take()).containsExactly(new RecordingMsi.Message(GuestNvme.MSI_ADDRESS, 0x61));
        }
    }

    @Test
    void eventsAreToldToWhoeverWaitsForThem() {
        var disk = new RamDisk(DISK, false);
        try (var guest = guest(disk)) {
            guest.admin(9, 0, 0, 0, 0xb, 0x100);
            int waiting = guest.submit(0, 0xc, 0, 0, 0);
            assertThat(guest.poll(0)).as("nothing happened yet").isNull();
            disk.resize(2 * DISK);
            guest.controller.resized();
            assertThat(guest.poll(0)).isEqualTo(new Outcome(waiting, 0, 2 | 4 << 16));
            assertThat(guest.admin(2, 0, DATA, 0, 4 | 1023 << 16).status()).isZero();
            assertThat(guest.memory.readInt(DATA)).as("changed namespace").isEqualTo(1);
            guest.admin(6, 1, DATA, 0, 0);
            assertThat(guest.memory.readLong(DATA)).isEqualTo(2 * DISK / 512);

            int next = guest.submit(0, 0xc, 0, 0, 0);
            guest.write(0x1000 + 8 * 2, 1);
            assertThat(guest.poll(0)).as("a doorbell of no queue").isEqualTo(new Outcome(next, 0, 1 << 16));
            for (int i = 0; i < 4; i++) {
                guest.submit(0, 0xc, 0, 0, 0);
            }
            assertThat(guest.admin(0xc, 0, 0, 0).status()).as("one too many").isEqualTo(0x105);
        }
    }

    @Test
    void aDisabledControllerForgetsItsQueuesOnceTheRequestUnderWayIsDone() throws InterruptedException {
        var disk = new HeldDisk();
        try (var guest = new GuestNvme(disk, 1, QueueRunner.threads("test"))) {
            guest.enable();
            guest.createQueue(1);
            guest.submit(1, 2, 1, DATA, 0, 0, 0, 0);
            disk.awaitBegun();
            guest.write(0x14, 0);
            assertThat(guest.read(0x1c) & 1)
                    .as("RDY while the request is under way")
                    .isEqualTo(1);
            disk.release();
            while (guest.read(0x1c) != 0) {
                Thread.onSpinWait();
            }
            guest.enable();
            guest.createQueue(1);
            guest.submit(1, 2, 1, DATA, 0, 0, 0, 0);
            disk.awaitBegun();
            disk.release();
            assertThat(guest.await(1).status()).isZero();
        }
    }

    @Test
    void aShutdownFlushesTheDisk() {
        var disk = new RamDisk(DISK, false);
        try (var guest = guest(disk)) {
            guest.write(0x14, 0x0046_4001);
            assertThat(guest.read(0x1c) >> 2 & 3).isEqualTo(2);
            assertThat(disk.flushes()).isEqualTo(1);
        }
    }

    @Test
    void queuesThatCannotBeLeaveTheControllerInFatalStatusUntilItIsDisabled() {
        try (var guest = new GuestNvme(new RamDisk(DISK, false), 1, QueueRunner.inline())) {
            guest.write(0x24, 0x0007_0007);
            guest.pci.mmio.write(guest.registers + 0x28, 8, 0x7000_0000L);
            guest.pci.mmio.write(guest.registers + 0x30, 8, 0x7000_0000L);
            guest.write(0x14, 0x0046_0001);
            assertThat(guest.read(0x1c) & 3).isEqualTo(2);
            guest.write(0x14, 0);
            assertThat(guest.read(0x1c)).isZero();
            guest.enable();
            assertThat(guest.read(0x1c)).isEqualTo(1);
        }
    }

    @Test
    void anyWriteToAnyRegisterLeavesAControllerThatCanBeEnabledAgain() {
        var random = new Random(23);
        try (var guest = guest(new RamDisk(DISK, false))) {
            for (int round = 0; round < 20_000; round++) {
                int size = 1 << random.nextInt(4);
                int at = random.nextBoolean() ? random.nextInt(0x40) : 0xff8 + random.nextInt(0x60);
                if (random.nextInt(8) != 0) {
                    at &= -Math.max(4, size);
                }
                long value = random.nextBoolean() ? random.nextLong() : random.nextInt(0x80_0000);
                guest.pci.mmio.write(guest.registers + at, size, value);
                guest.pci.mmio.read(guest.registers + at, size);
            }
            guest.write(0x14, 0);
            assertThat(guest.read(0x1c)).isZero();
            guest.enable();
            guest.createQueue(1);
            assertThat(guest.io(1, 2, DATA, 0, 0, 0, 0).status()).isZero();
        }
    }

    @Test
    void aPausedControllerServesNothingUntilItGoesOn() {
        try (var guest = guest(new RamDisk(DISK, false))) {
            guest.controller.pause();
            guest.submit(1, 2, 1, DATA, 0, 0, 0, 0);
            assertThat(guest.poll(1)).isNull();
            guest.controller.resume();
            assertThat(guest.poll(1)).isNotNull();
        }
    }
}

package org.jvirt.devices.ahci;

import static org.assertj.core.api.Assertions.assertThat;
import static org.jvirt.devices.ahci.GuestAhci.DATA;
import static org.jvirt.devices.ahci.GuestAhci.command;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.jvirt.devices.ahci.GuestAhci.Piece;
import org.jvirt.devices.scsi.CdromUnit;
import org.jvirt.devices.scsi.UnitIdentity;
import org.jvirt.devices.storage.Tray;
import org.jvirt.devices.virtio.HeldDisk;
import org.jvirt.devices.work.QueueRunner;
import org.jvirt.testkit.RamDisk;
import org.jvirt.testkit.RecordingMsi;

@Timeout(60)
class AhciTest {
    private static final int DISK = 1 << 20;
    private static final int OK = 0x0050;
    private static final int ABORTED = 0x0451;
    private static final int TFES = 1 << 30;
    private static final int HBFS = 1 << 29;

    private static GuestAhci guest(RamDisk disk) {
        var guest = new GuestAhci(QueueRunner.inline(), new AtaDisk(disk, "S-1", 512));
        guest.start(0);
        return guest;
    }

    @Test
    void theControllerTellsWhatItCanAndWhatIsConnected() {
        var tray = new Tray(Optional.empty());
        var drive = new AtapiDrive(new CdromUnit(tray, new UnitIdentity("cd", "CD", "")), "");
        try (var guest =
                new GuestAhci(QueueRunner.inline(), new AtaDisk(new RamDisk(DISK, false), "", 512), null, drive)) {
            assertThat(guest.pci.read(guest.at, 0, 4)).isEqualTo(0x2922_8086L);
            assertThat(guest.pci.read(guest.at, 8, 4) >>> 8).isEqualTo(0x010601);
            assertThat(guest.read(0) & 0x1f).as("ports, less one").isEqualTo(5);
            assertThat(guest.read(0) >>> 8 & 0x1f).as("slots, less one").isEqualTo(31);
            assertThat(guest.read(0) >>> 30).as("64 bits, queuing").isEqualTo(3);
            assertThat(guest.read(0xc)).isEqualTo(0x3f);
            assertThat(guest.read(0x10)).isEqualTo(0x0001_0301);
            assertThat(guest.port(0, GuestAhci.SSTS)).isEqualTo(0x123);
            assertThat(guest.port(0, GuestAhci.SIG)).isEqualTo(0x0000_0101);
            assertThat(guest.port(1, GuestAhci.SSTS)).isZero();
            assertThat(guest.port(1, GuestAhci.TFD)).isEqualTo(0x7f);
            assertThat(guest.port(2, GuestAhci.SIG)).isEqualTo(0xeb14_0101);
            long index = guest.pci.bar(guest.at, 4) + 0x10;
            guest.pci.ports.write(index, 4, 0x128);
            assertThat(guest.pci.ports.read(index + 4, 4))
                    .as("by index and data")
                    .isEqualTo(0x123);
        }
    }

    @Test
    void randomRequestsOfEveryKindKeepDiskAndDriverInAgreement() {
        var random = new Random(3);
        var expected = new byte[DISK];
        try (var guest = guest(new RamDisk(DISK, false))) {
            int[][] kinds = {{0x25, 0x35}, {0xc8, 0xca}, {0x24, 0x34}, {0x20, 0x30}, {0x60, 0x61}, {0x29, 0x39}};
            for (int round = 0; round < 2000; round++) {
                int[] kind = kinds[random.nextInt(kinds.length)];
                boolean read = random.nextBoolean();
                int sectors = 1 + random.nextInt(16);
                int sector = random.nextInt(DISK / 512 - sectors);
                int length = 512 * sectors;
                int cut = 2 + (random.nextInt(length - 4) & ~1);
                var content = new byte[length];
                if (!read) {
                    random.nextBytes(content);
                    guest.memory.write(DATA, Arrays.copyOf(content, cut));
                    guest.memory.write(DATA + 0x4000, Arrays.copyOfRange(content, cut, length));
                }
                int slot = random.nextInt(32);
                boolean queued = kind[0] == 0x60;
                int command = kind[read ? 0 : 1];
                int[] fis = queued
                        ? command(command, sectors, sector, slot << 3, 0x40)
                        : command(command, 0, sector, sectors, 0x40);
                guest.prepare(0, slot, fis, new Piece(DATA, cut), new Piece(DATA + 0x4000, length - cut));
                if (queued) {
                    guest.port(0, GuestAhci.SACT, 1 << slot);
                }
                guest.issue(0, slot);
                assertThat(guest.port(0, GuestAhci.TFD)).isEqualTo(OK);
                assertThat(guest.port(0, GuestAhci.CI) | guest.port(0, GuestAhci.SACT))
                        .isZero();
                assertThat(guest.moved(0, slot)).isEqualTo(length);
                if (read) {
                    assertThat(guest.get(DATA, cut))
                            .isEqualTo(Arrays.copyOfRange(expected, sector * 512, sector * 512 + cut));
                    assertThat(guest.get(DATA + 0x4000, length - cut))
                            .isEqualTo(Arrays.copyOfRange(expected, sector * 512 + cut, sector * 512 + length));
                } else {
                    System.arraycopy(content, 0, expected, sector * 512, length);
                }
            }
        }
    }

    @Test
    void completionsInterruptByMessageOrByPin() {
        try (var guest = guest(new RamDisk(DISK, false))) {
            int[] flush = command(0xea, 0, 0, 0, 0x40);
            guest.run(0, flush);
            assertThat(guest.pci.lines[19].high() || guest.pci.lines[16].high() || guest.pci.lines[17].high())
                    .as("the pin of device 31")
                    .isTrue();
            assertThat(guest.port(0, GuestAhci.IS)).isEqualTo(1);
            assertThat(guest.read(8)).isEqualTo(1);
            guest.port(0, GuestAhci.IS, 1);
            guest.write(8, 1);
            assertThat(guest.read(8)).isZero();
            assertThat(guest.pci.lines[16].high()).isFalse();

            guest.enableMsi();
            guest.run(0, flush);
            assertThat(guest.pci.msi.take()).containsExactly(new RecordingMsi.Message(GuestAhci.MSI_ADDRESS, 0x51));
            guest.port(0, GuestAhci.IS, 1);
            guest.write(8, 1);
            assertThat(guest.pci.msi.take()).as("what was acknowledged").isEmpty();
            guest.run(0, flush);
            guest.write(8, 1);
            assertThat(guest.pci.msi.take())
                    .as("what still waits in the port is told again")
                    .hasSize(2);
        }
    }

    @Test
    void identifyFlushTrimAndCachesDoWhatTheySay() {
        var disk = new RamDisk(DISK, false);
        try (var guest = guest(disk)) {
            assertThat(guest.run(0, command(0xec, 0, 0, 0, 0), new Piece(DATA, 512)))
                    .isEqualTo(OK);
            assertThat(guest.port(0, GuestAhci.IS)).as("PIO set-up").isEqualTo(2);
            assertThat(word(guest, 60)).isEqualTo(DISK / 512);
            assertThat(word(guest, 100)).isEqualTo(DISK / 512);
            assertThat(word(guest, 75)).isEqualTo(31);
            assertThat(word(guest, 76) & 0x100).as("queuing").isNotZero();
            assertThat(word(guest, 169)).as("TRIM").isEqualTo(1);
            byte[] serial = guest.get(DATA + 20, 4);
            assertThat(new String(new byte[] {serial[1], serial[0], serial[3]}, StandardCharsets.US_ASCII))
                    .isEqualTo("S-1");
            int sum = 0;
            for (byte each : guest.get(DATA, 512)) {
                sum += each;
            }
            assertThat(sum & 0xff).as("checksum").isZero();

            guest.memory.fill(DATA, 4096, (byte) 0x55);
            assertThat(guest.run(0, command(0x35, 0, 0, 8, 0x40), new Piece(DATA, 4096)))
                    .isEqualTo(OK);
            assertThat(disk.flushes()).isZero();
            assertThat(guest.run(0, command(0xe7, 0, 0, 0, 0x40))).isEqualTo(OK);
            assertThat(disk.flushes()).isEqualTo(1);
            guest.run(0, command(0x3d, 0, 0, 1, 0x40), new Piece(DATA, 512));
            assertThat(disk.flushes()).as("forced unit access").isEqualTo(2);
            guest.run(0, command(0xef, 0x82, 0, 0, 0x40));
            guest.run(0, command(0x35, 0, 0, 1, 0x40), new Piece(DATA, 512));
            assertThat(disk.flushes())
                    .as("cache off: once at the switch, once more")
                    .isEqualTo(4);

            guest.memory.fill(DATA, 512, (byte) 0);
            guest.memory.writeLong(DATA, 1L | 2L << 48);
            assertThat(guest.run(0, command(0x06, 1, 0, 1, 0x40), new Piece(DATA, 512)))
                    .isEqualTo(OK);
            assertThat(disk.content()[511]).isEqualTo((byte) 0x55);
            assertThat(disk.content()[512]).isZero();
            assertThat(disk.content()[1535]).isZero();
            assertThat(disk.content()[1536]).isEqualTo((byte) 0x55);
            assertThat(guest.run(0, command(0xb0, 0xda, 0xc24f00, 0, 0x40))).isEqualTo(OK);
            assertThat(guest.run(0, command(0xe0, 0, 0, 0, 0x40))).isEqualTo(OK);
            guest.run(0, command(0xe5, 0, 0, 0, 0x40));
            assertThat(guest.memory.readByte(GuestAhci.FIS + 0x40 + 12))
                    .as("standby")
                    .isZero();
        }
    }

    private static int word(GuestAhci guest, int index) {
        return guest.memory.readShort(DATA + 2L * index);
    }

    private static void restart(GuestAhci guest) {
        guest.port(0, GuestAhci.CMD, 0x10);
        assertThat(guest.port(0, GuestAhci.CMD) & 0x8000).as("CR").isZero();
        assertThat(guest.port(0, GuestAhci.CI)).isZero();
        guest.port(0, GuestAhci.IS, -1);
        guest.port(0, GuestAhci.CMD, 0x11);
    }

    @Test
    void commandsThatCannotBeEndInAnErrorAndStopThePortUntilItIsStartedAgain() {
        try (var guest = guest(new RamDisk(DISK, false))) {
            int end = DISK / 512;
            int[][] bad = {
                command(0x25, 0, end, 1, 0x40),
                command(0x25, 0, end - 1L, 2, 0x40),
                command(0x25, 0, 0xffff_ffff_ffffL, 1, 0x40),
                command(0x25, 0, 0, 0, 0x40),
                command(0x35, 0, end, 1, 0x40),
                command(0xc8, 0, 0, 1, 0), // by cylinder, head and sector
                command(0x06, 1, 0, 9, 0x40),
                command(0x06, 0, 0, 1, 0x40),
                command(0xf1, 0, 0, 1, 0x40), // SECURITY SET PASSWORD
                command(0xf6, 0, 0, 1, 0x40),
                command(0xa0, 0, 0, 0, 0),
                command(0xb0, 0xda, 0, 0, 0x40),
                command(0x2f, 0, 0x77, 1, 0x40),
                command(0xff, 0, 0, 0, 0x40),
            };
            for (int[] each : bad) {
                int outcome = guest.run(0, each, new Piece(DATA, 512));
                assertThat(outcome & 1).as("command 0x%02x", each[2]).isEqualTo(1);
                assertThat(guest.port(0, GuestAhci.IS) & TFES).isNotZero();
                assertThat(guest.port(0, GuestAhci.CI))
                        .as("the failed slot stays")
                        .isEqualTo(1);
                guest.prepare(0, 5, command(0xea, 0, 0, 0, 0x40));
                guest.issue(0, 5);
                assertThat(guest.port(0, GuestAhci.CI)).as("halted").isEqualTo(1 | 1 << 5);
                restart(guest);
            }
            assertThat(guest.run(0, command(0x25, 0, 0, 4, 0x40), new Piece(DATA, 512)))
                    .as("fewer buffers than sectors")
                    .isEqualTo(ABORTED);
            restart(guest);
            assertThat(guest.run(0, command(0x25, 0, 0, 1, 0x40), new Piece(DATA, 512)))
                    .isEqualTo(OK);
        }
    }

    @Test
    void memoryThatIsNotThereIsAHostBusError() {
        try (var guest = guest(new RamDisk(DISK, false))) {
            guest.run(0, command(0x25, 0, 0, 1, 0x40), new Piece(0x4000_0000L, 512));
            assertThat(guest.port(0, GuestAhci.IS) & HBFS).isNotZero();
            restart(guest);
            guest.port(0, GuestAhci.CMD, 0x10);
            guest.port(0, GuestAhci.CLB, 0x7000_0000);
            guest.port(0, GuestAhci.CMD, 0x11);
            guest.issue(0, 3);
            assertThat(guest.port(0, GuestAhci.IS) & HBFS).as("command list").isNotZero();
            guest.port(0, GuestAhci.CMD, 0x10);
            guest.port(0, GuestAhci.IS, -1);
            guest.port(0, GuestAhci.CLB, GuestAhci.LIST);
            guest.port(0, GuestAhci.FB, 0x7000_0000);
            guest.port(0, GuestAhci.CMD, 0x11);
            guest.run(0, command(0xea, 0, 0, 0, 0x40));
            assertThat(guest.port(0, GuestAhci.IS) & HBFS).as("received FIS").isNotZero();
        }
    }

    @Test
    void aFailedQueuedCommandIsFoundInTheLog() {
        var disk = new RamDisk(DISK, false);
        try (var guest = guest(disk)) {
            disk.fail(true);
            guest.prepare(0, 7, command(0x60, 1, 42, 7 << 3, 0x40), new Piece(DATA, 512));
            guest.port(0, GuestAhci.SACT, 1 << 7);
            guest.issue(0, 7);
            assertThat(guest.port(0, GuestAhci.TFD)).isEqualTo(0x4051);
            assertThat(guest.port(0, GuestAhci.SACT)).as("still outstanding").isEqualTo(1 << 7);
            assertThat(guest.port(0, GuestAhci.IS) & TFES).isNotZero();
            disk.fail(false);
            restart(guest);
            assertThat(guest.run(0, command(0x2f, 0, 0x10, 1, 0x40), new Piece(DATA, 512)))
                    .isEqualTo(OK);
            assertThat(guest.memory.readByte(DATA)).as("tag").isEqualTo(7);
            assertThat(guest.memory.readByte(DATA + 3)).as("error").isEqualTo(0x40);
            assertThat(guest.memory.readByte(DATA + 4)).as("sector").isEqualTo(42);
        }
    }

    @Test
    void aReadOnlyDiskRefusesWrites() {
        try (var guest = guest(new RamDisk(DISK, true))) {
            assertThat(guest.run(0, command(0x35, 0, 0, 1, 0x40), new Piece(DATA, 512)))
                    .isEqualTo(ABORTED);
        }
    }

    @Test
    void softwareResetShowsTheSignatureAndLinkResetToo() {
        try (var guest = guest(new RamDisk(DISK, false))) {
            int[] begin = {0x27, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4};
            int[] end = {0x27, 0};
            guest.run(0, begin);
            guest.run(0, end);
            assertThat(guest.port(0, GuestAhci.CI)).isZero();
            assertThat(guest.memory.readByte(GuestAhci.FIS + 0x40)).isEqualTo(0x34);
            assertThat(guest.memory.readByte(GuestAhci.FIS + 0x40 + 12)).isEqualTo(1);
            guest.port(0, GuestAhci.CMD, 0x10);
            guest.port(0, GuestAhci.SCTL, 1);
            assertThat(guest.port(0, GuestAhci.SSTS)).isZero();
            assertThat(guest.port(0, GuestAhci.SIG)).isEqualTo(-1);
            guest.port(0, GuestAhci.SCTL, 0);
            assertThat(guest.port(0, GuestAhci.SSTS)).isEqualTo(0x123);
            assertThat(guest.port(0, GuestAhci.SIG)).isEqualTo(0x0101);
        }
    }

    @Test
    void aResetOfTheControllerWaitsForTheRequestUnderWay() throws InterruptedException {
        var disk = new HeldDisk();
        try (var guest = new GuestAhci(QueueRunner.threads("test"), new AtaDisk(disk, "", 512))) {
            guest.start(0);
            guest.prepare(0, 0, command(0x25, 0, 0, 1, 0x40), new Piece(DATA, 512));
            guest.issue(0, 0);
            disk.awaitBegun();
            guest.write(4, 1);
            assertThat(guest.read(4) & 1)
                    .as("HR while the request is under way")
                    .isEqualTo(1);
            disk.release();
            while ((guest.read(4) & 1) != 0) {
                Thread.onSpinWait();
            }
            assertThat(guest.port(0, GuestAhci.CMD) & 0x8011).isZero();
            assertThat(guest.port(0, GuestAhci.CI)).isZero();
            assertThat(guest.memory.readByte(DATA)).as("the read was finished").isEqualTo(0x5a);
            guest.start(0);
            guest.issue(0, 0);
            disk.awaitBegun();
            disk.release();
            while (guest.port(0, GuestAhci.CI) != 0) {
                Thread.onSpinWait();
            }
            assertThat(guest.port(0, GuestAhci.TFD)).isEqualTo(OK);
        }
    }

    @Test
    void aPausedControllerServesNothingUntilItGoesOn() {
        try (var guest = guest(new RamDisk(DISK, false))) {
            guest.controller.pause();
            guest.prepare(0, 0, command(0x25, 0, 0, 1, 0x40), new Piece(DATA, 512));
            guest.issue(0, 0);
            assertThat(guest.port(0, GuestAhci.CI)).isEqualTo(1);
            guest.controller.resume();
            assertThat(guest.port(0, GuestAhci.CI)).isZero();
        }
    }

    @Test
    void anyWriteToAnyRegisterLeavesAControllerThatCanBeReset() {
        var random = new Random(17);
        try (var guest = guest(new RamDisk(DISK, false))) {
            for (int round = 0; round < 20_000; round++) {
                int size = 1 << random.nextInt(4);
                int at = random.nextInt(0x400 - size);
                if (random.nextBoolean()) {
                    at &= -size;
                }
                long value = random.nextBoolean() ? random.nextLong() : random.nextInt(0x40_0000);
                guest.pci.mmio.write(guest.registers + at, size, value);
                guest.pci.mmio.read(guest.registers + at, size);
            }
            guest.write(4, 1);
            assertThat(guest.read(4) & 1).isZero();
            guest.start(0);
            assertThat(guest.run(0, command(0x25, 0, 0, 1, 0x40), new Piece(DATA, 512)))
                    .isEqualTo(OK);
        }
    }

    // ---- packets

    private static int packet(GuestAhci guest, int length, int... cdb) {
        guest.prepare(0, 0, command(0xa0, 1, 0, 0, 0), new Piece(DATA, length));
        guest.packet(0, 0, cdb);
        guest.issue(0, 0);
        int outcome = guest.port(0, GuestAhci.TFD);
        if ((outcome & 1) != 0) {
            restart(guest);
        }
        return outcome;
    }

    private static int sense(GuestAhci guest) {
        assertThat(packet(guest, 18, 0x03, 0, 0, 0, 18)).isEqualTo(OK);
        byte[] sense = guest.get(DATA, 18);
        return (sense[2] & 0xf) << 16 | (sense[12] & 0xff) << 8 | sense[13] & 0xff;
    }

    @Test
    void aCdIsReadThroughPacketsAndItsChangeIsTold() {
        var disc = new RamDisk(64 * 2048, true);
        var tray = new Tray(Optional.of(disc));
        var drive = new AtapiDrive(new CdromUnit(tray, new UnitIdentity("cd", "JVIRT CD-ROM", "")), "");
        try (var guest = new GuestAhci(QueueRunner.inline(), drive)) {
            guest.start(0);
            assertThat(guest.run(0, command(0xec, 0, 0, 0, 0), new Piece(DATA, 512)) & 1)
                    .as("IDENTIFY DEVICE is for disks")
                    .isEqualTo(1);
            restart(guest);
            assertThat(guest.run(0, command(0xa1, 0, 0, 0, 0), new Piece(DATA, 512)))
                    .isEqualTo(OK);
            assertThat(word(guest, 0)).isEqualTo(0x8580);
            assertThat(packet(guest, 2, 0x00) & 1).as("power on").isEqualTo(1);
            assertThat(sense(guest)).isEqualTo(0x06_2900);
            assertThat(packet(guest, 2, 0x00)).isEqualTo(OK);
            assertThat(packet(guest, 8, 0x25)).isEqualTo(OK);
            assertThat(guest.memory.readByte(DATA + 3)).as("last block").isEqualTo(63);
            assertThat(packet(guest, 4096, 0x28, 0, 0, 0, 0, 3, 0, 0, 2)).isEqualTo(OK);
            assertThat(guest.moved(0, 0)).isEqualTo(4096);
            assertThat(packet(guest, 4096, 0x28, 0, 0, 0, 0, 63, 0, 0, 2) & 1).isEqualTo(1);
            assertThat(sense(guest)).as("behind the end").isEqualTo(0x05_2100);

            tray.insert(new RamDisk(2048 * 10, true), false);
            assertThat(packet(guest, 2, 0x00) & 1).isEqualTo(1);
            assertThat(sense(guest)).as("medium changed").isEqualTo(0x06_2800);
            packet(guest, 8, 0x25);
            assertThat(guest.memory.readByte(DATA + 3)).isEqualTo(9);
            tray.eject(false);
            assertThat(packet(guest, 2, 0x00) & 1).isEqualTo(1);
            assertThat(sense(guest)).as("no medium, tray open").isEqualTo(0x02_3a02);
        }
    }
}

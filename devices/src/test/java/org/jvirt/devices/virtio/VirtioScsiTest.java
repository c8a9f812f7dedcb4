package org.jvirt.devices.virtio;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.jvirt.core.GuestMemory;
import org.jvirt.devices.pci.PciAddress;
import org.jvirt.devices.scsi.CdromUnit;
import org.jvirt.devices.scsi.DiskUnit;
import org.jvirt.devices.scsi.UnitIdentity;
import org.jvirt.devices.storage.Tray;
import org.jvirt.devices.virtio.GuestRing.Buffer;
import org.jvirt.devices.virtio.GuestRing.Used;
import org.jvirt.devices.virtio.scsi.VirtioScsi;
import org.jvirt.devices.virtio.scsi.VirtioScsi.UnitAddress;
import org.jvirt.devices.work.QueueRunner;
import org.jvirt.testkit.RamDisk;

@Timeout(60)
class VirtioScsiTest {
    private static final int DISK = 1 << 20;
    private static final int HEADER = 0x8000;
    private static final int ANSWER = 0x9000;
    private static final int DATA = 0x20000;
    private static final long FEATURES = VirtioFeature.VIRTIO_F_VERSION_1 | 1 | 1 << 2;

    /// A machine of one controller with a disk at target 0 unit 0, another at 0/3, and a CD-ROM drive at 5/0.
    private static final class Machine implements AutoCloseable {
        final RamDisk disk = new RamDisk(DISK, false);
        final Tray tray = new Tray(Optional.of(new RamDisk(20 * 2048, true)));
        final DiskUnit unit = new DiskUnit(disk, new UnitIdentity("a", "JVIRT HARDDISK", "SER-7"), 512, 4096);
        final GuestMemory memory = GuestDisk.ram();
        final GuestPci pci = new GuestPci();
        final VirtioPci function;
        final GuestDriver driver;
        final GuestRing control;
        final GuestRing events;
        final GuestRing requests;

        Machine(QueueRunner.Factory runners) {
            var device = new VirtioScsi(
                    Map.of(
                            new UnitAddress(0, 0),
                            unit,
                            new UnitAddress(0, 3),
                            new DiskUnit(new RamDisk(4096, true), new UnitIdentity("b", "B", ""), 512, 512),
                            new UnitAddress(5, 0),
                            new CdromUnit(tray, new UnitIdentity("c", "JVIRT CD-ROM", ""))),
                    2);
            function = new VirtioPci("scsi0", device, memory, runners);
            PciAddress at = pci.add(3, function);
            pci.assign();
            driver = new GuestDriver(pci, at, memory);
            assertThat(driver.negotiate(FEATURES)).isTrue();
            driver.enableMsix(5);
            control = driver.queue(0, 16, 1);
            events = driver.queue(1, 16, 2);
            requests = driver.queue(2, 16, 3);
            driver.driverOk();
        }

        void address(long at, int target, int unit) {
            memory.writeLong(at, 0);
            memory.writeByte(at, 1);
            memory.writeByte(at + 1, target);
            memory.writeByte(at + 2, 0x40 | unit >> 8);
            memory.writeByte(at + 3, unit);
        }

        Used command(int target, int unit, int[] cdb, Buffer... data) {
            memory.fill(HEADER, 64, (byte) 0);
            memory.fill(ANSWER, 128, (byte) 0xee);
            address(HEADER, target, unit);
            for (int i = 0; i < cdb.length; i++) {
                memory.writeByte(HEADER + 19 + i, cdb[i]);
            }
            var buffers = new ArrayList<Buffer>();
            buffers.add(new Buffer(HEADER, 51, false));
            Arrays.stream(data).filter(b -> !b.write()).forEach(buffers::add);
            buffers.add(new Buffer(ANSWER, 108, true));
            Arrays.stream(data).filter(Buffer::write).forEach(buffers::add);
            return requests.roundTrip(buffers, false);
        }

        int response() {
            return memory.readByte(ANSWER + 11);
        }

        int status() {
            return memory.readByte(ANSWER + 10);
        }

        int residual() {
            return memory.readInt(ANSWER + 4);
        }

        /// Key, code, qualifier.
        int sense() {
            assertThat(status()).isEqualTo(2);
            assertThat(memory.readInt(ANSWER)).isEqualTo(18);
            return (memory.readByte(ANSWER + 14) & 0xf) << 16
                    | memory.readByte(ANSWER + 24) << 8
                    | memory.readByte(ANSWER + 25);
        }

        void ready(int target, int unit) {
            command(target, unit, new int[] {0});
            assertThat(sense()).as("power on").isEqualTo(0x06_2900);
            command(target, unit, new int[] {0});
            assertThat(status()).isZero();
        }

        int task(int function, int target, int unit) {
            memory.writeInt(HEADER, 0);
            memory.writeInt(HEADER + 4, function);
            address(HEADER + 8, target, unit);
            memory.writeLong(HEADER + 16, 0);
            control.roundTrip(List.of(new Buffer(HEADER, 24, false), new Buffer(ANSWER, 1, true)), false);
            return memory.readByte(ANSWER);
        }

        @Override
        public void close() {
            function.close();
            memory.close();
        }
    }

    private static int[] cdb(int... bytes) {
        return bytes;
    }

    private static int[] transfer(int operation, int block, int count) {
        return cdb(
                operation,
                0,
                block >> 24,
                block >> 16 & 0xff,
                block >> 8 & 0xff,
                block & 0xff,
                0,
                count >> 8,
                count & 0xff);
    }

    @Test
    void theConfigurationTellsQueuesAndLimits() {
        try (var machine = new Machine(QueueRunner.inline())) {
            long config = machine.driver.deviceConfig;
            assertThat(machine.pci.read(machine.driver.at, 0, 4)).isEqualTo(0x1048_1af4L);
            assertThat(machine.pci.mmio.read(config, 4)).isEqualTo(2);
            assertThat(machine.pci.mmio.read(config + 20, 4)).isEqualTo(96);
            assertThat(machine.pci.mmio.read(config + 24, 4)).isEqualTo(32);
            assertThat(machine.pci.mmio.read(config + 30, 2)).isEqualTo(255);
            machine.pci.mmio.write(config + 24, 4, 16);
            assertThat(machine.pci.mmio.read(config + 24, 4))
                    .as("fixed once the driver is ready")
                    .isEqualTo(32);
        }
    }

    @Test
    void randomReadsAndWritesKeepDiskAndDriverInAgreement() {
        var random = new Random(9);
        var expected = new byte[DISK];
        try (var machine = new Machine(QueueRunner.inline())) {
            machine.ready(0, 0);
            for (int round = 0; round < 1500; round++) {
                int blocks = 1 + random.nextInt(8);
                int block = random.nextInt(DISK / 512 - blocks);
                int length = 512 * blocks;
                boolean read = random.nextBoolean();
                var content = new byte[length];
                if (!read) {
                    random.nextBytes(content);
                    machine.memory.write(DATA, content);
                }
                int cut = 1 + random.nextInt(length - 1);
                machine.command(
                        0,
                        0,
                        transfer(read ? 0x28 : 0x2a, block, blocks),
                        new Buffer(DATA, cut, read),
                        new Buffer(DATA + cut, length - cut, read));
                assertThat(machine.response() | machine.status()).isZero();
                assertThat(machine.residual()).isZero();
                if (read) {
                    machine.memory.read(DATA, content);
                    assertThat(content).isEqualTo(Arrays.copyOfRange(expected, block * 512, block * 512 + length));
                } else {
                    System.arraycopy(content, 0, expected, block * 512, length);
                }
            }
        }
    }

    @Test
    void aDiskTellsWhatItIsAndCanDo() {
        try (var machine = new Machine(QueueRunner.inline())) {
            var data = new Buffer(DATA, 255, true);
            machine.command(0, 0, cdb(0x12, 0, 0, 0, 255), data);
            assertThat(machine.status()).as("INQUIRY passes unit attentions by").isZero();
            assertThat(machine.residual()).isEqualTo(255 - 36);
            machine.ready(0, 0);
            machine.command(0, 0, cdb(0x12, 1, 0x80, 0, 255), data);
            assertThat(new String(bytes(machine, 4, 5), StandardCharsets.US_ASCII))
                    .isEqualTo("SER-7");
            machine.command(0, 0, cdb(0x12, 1, 0x00, 0, 255), data);
            assertThat(bytes(machine, 4, 6))
                    .containsExactly(0x00, (byte) 0x80, (byte) 0x83, (byte) 0xb0, (byte) 0xb1, (byte) 0xb2);
            machine.command(0, 0, cdb(0x12, 1, 0xb2, 0, 255), data);
            assertThat(bytes(machine, 5, 1)[0] & 0x80).as("UNMAP").isNotZero();
            machine.command(0, 0, cdb(0x25), data);
            assertThat(bytes(machine, 0, 8)).containsExactly(0, 0, 7, (byte) 0xff, 0, 0, 2, 0);
            machine.command(0, 0, cdb(0x9e, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 32), data);
            assertThat(bytes(machine, 13, 1)).as("2^3 blocks at once").containsExactly(3);
            machine.command(0, 0, cdb(0x1a, 0, 0x08, 0, 255), data);
            assertThat(bytes(machine, 4 + 8, 3)).as("caching page").containsExactly(8, 18, 4);
            machine.command(0, 0, cdb(0xa0, 0, 0, 0, 0, 0, 0, 0, 0, 255), data);
            assertThat(bytes(machine, 0, 4)).containsExactly(0, 0, 0, 16);
            assertThat(bytes(machine, 17, 1)).as("unit 3").containsExactly(3);
        }
    }

    private static byte[] bytes(Machine machine, int at, int length) {
        var content = new byte[length];
        machine.memory.read(DATA + at, content);
        return content;
    }

    @Test
    void flushUnmapAndWriteSameDoWhatTheySay() {
        try (var machine = new Machine(QueueRunner.inline())) {
            machine.ready(0, 0);
            machine.memory.fill(DATA, 4096, (byte) 0x55);
            var block8 = new Buffer(DATA, 4096, false);
            machine.command(0, 0, transfer(0x2a, 0, 8), block8);
            assertThat(machine.disk.flushes()).isZero();
            machine.command(0, 0, cdb(0x35));
            assertThat(machine.disk.flushes()).isEqualTo(1);
            machine.command(0, 0, cdb(0x2a, 0x08, 0, 0, 0, 0, 0, 0, 8), block8);
            assertThat(machine.disk.flushes()).as("forced unit access").isEqualTo(2);

            machine.memory.fill(DATA, 24, (byte) 0);
            machine.memory.writeByte(DATA + 1, 22);
            machine.memory.writeByte(DATA + 3, 16);
            machine.memory.writeByte(DATA + 15, 1);
            machine.memory.writeByte(DATA + 19, 2);
            machine.command(0, 0, cdb(0x42, 0, 0, 0, 0, 0, 0, 0, 24), new Buffer(DATA, 24, false));
            assertThat(machine.status()).isZero();
            assertThat(machine.disk.content()[511]).isEqualTo((byte) 0x55);
            assertThat(machine.disk.content()[512]).isZero();
            assertThat(machine.disk.content()[1535]).isZero();
            assertThat(machine.disk.content()[1536]).isEqualTo((byte) 0x55);

            machine.memory.fill(DATA, 512, (byte) 0x77);
            machine.command(0, 0, cdb(0x93, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 3), new Buffer(DATA, 512, false));
            assertThat(machine.disk.content()[4 * 512]).isEqualTo((byte) 0x77);
            assertThat(machine.disk.content()[7 * 512 - 1]).isEqualTo((byte) 0x77);
            assertThat(machine.disk.content()[7 * 512]).isEqualTo((byte) 0x55);

            machine.memory.fill(DATA, 24, (byte) 0);
            machine.memory.writeByte(DATA + 4, 8);
            machine.memory.writeByte(DATA + 5, 18);
            machine.command(0, 0, cdb(0x15, 0x10, 0, 0, 24), new Buffer(DATA, 24, false));
            assertThat(machine.status()).isZero();
            int flushes = machine.disk.flushes();
            machine.command(0, 0, transfer(0x2a, 0, 1), new Buffer(DATA, 512, false));
            assertThat(machine.disk.flushes()).as("write cache off").isEqualTo(flushes + 1);
        }
    }

    @Test
    void commandsThatCannotBeEndWithTheSenseOfTheStandard() {
        try (var machine = new Machine(QueueRunner.inline())) {
            machine.ready(0, 0);
            var data = new Buffer(DATA, 512, true);
            machine.command(0, 0, transfer(0x28, DISK / 512, 1), data);
            assertThat(machine.sense()).isEqualTo(0x05_2100);
            machine.command(0, 0, transfer(0x28, -1, 1), data);
            assertThat(machine.sense()).isEqualTo(0x05_2100);
            machine.command(0, 0, cdb(0x88, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 1), data);
            assertThat(machine.sense()).isEqualTo(0x05_2100);
            machine.command(0, 0, transfer(0x28, 0, 2), data);
            assertThat(machine.response()).as("buffers too small").isEqualTo(1);
            machine.command(0, 0, cdb(0xf7), data);
            assertThat(machine.sense()).isEqualTo(0x05_2000);
            machine.command(0, 0, cdb(0x12, 1, 0x42, 0, 255), data);
            assertThat(machine.sense()).isEqualTo(0x05_2400);
            machine.command(0, 0, cdb(0x1a, 0, 0x55, 0, 255), data);
            assertThat(machine.sense()).isEqualTo(0x05_2400);
            machine.memory.fill(DATA, 512, (byte) 0xff);
            machine.command(0, 0, cdb(0x42, 0, 0, 0, 0, 0, 0, 1, 0), new Buffer(DATA, 512, false));
            assertThat(machine.sense()).isEqualTo(0x05_2600);
            machine.command(0, 0, cdb(0x15, 0x10, 0, 0, 255), new Buffer(DATA, 512, false));
            assertThat(machine.status()).isEqualTo(2);
            machine.command(9, 0, cdb(0), data);
            assertThat(machine.response()).as("no such target").isEqualTo(3);
            machine.command(0, 1, cdb(0), data);
            assertThat(machine.sense()).as("no such unit").isEqualTo(0x05_2500);
            machine.command(0, 1, cdb(0x12, 0, 0, 0, 255), data);
            assertThat(bytes(machine, 0, 1)).containsExactly(0x7f);
            machine.command(0, 3, cdb(0));
            machine.command(0, 3, transfer(0x2a, 0, 1), new Buffer(DATA, 512, false));
            assertThat(machine.sense()).as("write-protected").isEqualTo(0x07_2700);
            machine.disk.fail(true);
            machine.command(0, 0, transfer(0x28, 0, 1), data);
            assertThat(machine.sense()).isEqualTo(0x03_1100);
            machine.command(0, 0, transfer(0x2a, 0, 1), new Buffer(DATA, 512, false));
            assertThat(machine.sense()).isEqualTo(0x03_0c00);
            machine.disk.fail(false);
            machine.command(0, 0, transfer(0x28, 0, 1), new Buffer(0x7000_0000L, 512, true));
            assertThat(machine.sense()).as("no RAM").isEqualTo(0x04_4400);
            machine.command(0, 0, transfer(0x28, 0, 1), data);
            assertThat(machine.response() | machine.status()).isZero();
            assertThat(machine.driver.needsReset()).isFalse();
        }
    }

    @Test
    void randomCommandsNeverDisturbTheController() {
        var random = new Random(41);
        int[] known = {
            0x00, 0x03, 0x08, 0x0a, 0x12, 0x15, 0x1a, 0x1b, 0x1e, 0x25, 0x28, 0x2a, 0x2f, 0x35, 0x41, 0x42, 0x43, 0x46,
            0x4a, 0x51, 0x55, 0x5a, 0x88, 0x8a, 0x8f, 0x91, 0x93, 0x9e, 0xa0, 0xa8, 0xaa, 0xbd, 0xbe
        };
        try (var machine = new Machine(QueueRunner.inline())) {
            for (int round = 0; round < 20_000; round++) {
                int[] cdb = random.ints(16, 0, 256).toArray();
                cdb[0] = random.nextInt(10) == 0 ? random.nextInt(256) : known[random.nextInt(known.length)];
                for (int i = 1; i < 16; i++) {
                    cdb[i] = random.nextInt(3) == 0 ? cdb[i] : 0;
                }
                boolean in = random.nextBoolean();
                int target = random.nextInt(8) == 0 ? random.nextInt(256) : random.nextBoolean() ? 0 : 5;
                var used = machine.command(target, random.nextInt(4), cdb, new Buffer(DATA, 4096, in));
                assertThat(used).as("round %d", round).isNotNull();
                assertThat(machine.response()).isIn(0, 1, 3);
            }
            assertThat(machine.driver.needsReset()).isFalse();
        }
    }

    @Test
    void aCdTellsOfItsMediumAndKeepsItWhileLocked() {
        try (var machine = new Machine(QueueRunner.inline())) {
            machine.ready(5, 0);
            var data = new Buffer(DATA, 4096, true);
            machine.command(5, 0, cdb(0x25), data);
            assertThat(bytes(machine, 0, 8)).containsExactly(0, 0, 0, 19, 0, 0, 8, 0);
            machine.command(5, 0, cdb(0x43, 0, 0, 0, 0, 0, 0, 0, 255), data);
            assertThat(bytes(machine, 0, 20))
                    .as("one track and the lead-out")
                    .containsExactly(0, 18, 1, 1, 0, 0x14, 1, 0, 0, 0, 0, 0, 0, 0x14, (byte) 0xaa, 0, 0, 0, 0, 20);
            machine.command(5, 0, cdb(0x46, 0, 0, 0, 0, 0, 0, 0, 255), data);
            assertThat(bytes(machine, 6, 2)).as("CD-ROM profile").containsExactly(0, 8);
            machine.command(5, 0, cdb(0x4a, 1, 0, 0, 0x10, 0, 0, 0, 8), data);
            assertThat(bytes(machine, 4, 2)).as("no event, medium present").containsExactly(0, 2);

            machine.command(5, 0, cdb(0x1e, 0, 0, 0, 1));
            assertThat(machine.tray.locked()).isTrue();
            machine.command(5, 0, cdb(0x1b, 0, 0, 0, 2));
            assertThat(machine.sense()).as("removal prevented").isEqualTo(0x05_5302);
            assertThat(catchThrowable(() -> machine.tray.eject(false))).hasMessageContaining("locked the tray");
            machine.command(5, 0, cdb(0x4a, 1, 0, 0, 0x10, 0, 0, 0, 8), data);
            assertThat(bytes(machine, 4, 1)).as("eject request").containsExactly(1);
            machine.command(5, 0, cdb(0x1e, 0, 0, 0, 0));
            machine.command(5, 0, cdb(0x1b, 0, 0, 0, 2));
            assertThat(machine.status()).isZero();
            machine.command(5, 0, cdb(0));
            assertThat(machine.sense()).as("tray open").isEqualTo(0x02_3a02);

            machine.tray.insert(new RamDisk(40 * 2048, true), false);
            machine.command(5, 0, cdb(0x4a, 1, 0, 0, 0x10, 0, 0, 0, 8), data);
            assertThat(machine.sense()).isEqualTo(0x06_2800);
            machine.command(5, 0, cdb(0x4a, 1, 0, 0, 0x10, 0, 0, 0, 8), data);
            assertThat(bytes(machine, 4, 2)).as("new medium").containsExactly(2, 2);
            machine.command(5, 0, cdb(0x25), data);
            assertThat(bytes(machine, 3, 1)).containsExactly(39);
            machine.command(5, 0, transfer(0x2a, 0, 1), new Buffer(DATA, 2048, false));
            assertThat(machine.sense()).as("nothing is written").isEqualTo(0x05_2000);
        }
    }

    @Test
    void aNewSizeIsToldByAnEventAndAUnitAttention() {
        try (var machine = new Machine(QueueRunner.inline())) {
            machine.ready(0, 0);
            int id = machine.events.add(List.of(new Buffer(0xa000, 16, true)), false);
            machine.events.kick();
            machine.disk.resize(2 * DISK);
            machine.unit.resized();
            assertThat(machine.events.poll()).isEqualTo(new Used(id, 16));
            assertThat(machine.memory.readInt(0xa000)).isEqualTo(3);
            assertThat(machine.memory.readLong(0xa004)).as("target 0, unit 0").isEqualTo(1);
            assertThat(machine.memory.readInt(0xa00c)).isEqualTo(0x092a);
            machine.command(0, 0, cdb(0));
            assertThat(machine.sense()).isEqualTo(0x06_2a09);
            machine.command(0, 0, cdb(0x25), new Buffer(DATA, 8, true));
            assertThat(bytes(machine, 0, 4)).containsExactly(0, 0, 15, (byte) 0xff);
        }
    }

    @Test
    void taskManagementResetsUnitsAndKnowsWhatThereIsNot() {
        try (var machine = new Machine(QueueRunner.inline())) {
            machine.ready(0, 0);
            assertThat(machine.task(5, 0, 0)).isZero();
            machine.command(0, 0, cdb(0));
            assertThat(machine.sense()).as("bus device reset").isEqualTo(0x06_2902);
            assertThat(machine.task(0, 0, 0)).isZero();
            assertThat(machine.task(5, 9, 0)).isEqualTo(3);
            assertThat(machine.task(5, 0, 1)).isEqualTo(12);
            assertThat(machine.task(77, 0, 0)).isEqualTo(11);
            assertThat(machine.driver.needsReset()).isFalse();
        }
    }

    @Test
    void aRequestWithoutRoomForItsAnswerNeedsAReset() {
        try (var machine = new Machine(QueueRunner.inline())) {
            machine.requests.add(List.of(new Buffer(HEADER, 51, false), new Buffer(ANSWER, 107, true)), false);
            machine.requests.kick();
            assertThat(machine.driver.needsReset()).isTrue();
        }
    }
}

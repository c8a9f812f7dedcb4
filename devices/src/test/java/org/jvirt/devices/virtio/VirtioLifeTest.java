package org.jvirt.devices.virtio;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.jvirt.devices.pci.PirqRouter;
import org.jvirt.devices.virtio.GuestRing.Buffer;
import org.jvirt.devices.virtio.block.BlockOptions;
import org.jvirt.devices.virtio.rng.VirtioRng;
import org.jvirt.devices.work.QueueRunner;
import org.jvirt.testkit.RamDisk;
import org.jvirt.testkit.RecordingMsi;

/// Resets, pauses, and interrupts, whatever the kind of device.
@Timeout(60)
class VirtioLifeTest {
    @Test
    void aResetInMidFlightLetsTheRequestFinishBeforeStatusReadsZero() {
        var backend = new GatedDisk();
        try (var disk = new GuestDisk(backend, BlockOptions.DEFAULT, QueueRunner.threads("test"))) {
            GuestRing ring = disk.start(GuestDisk.ALL_FEATURES, 16);
            ring.add(disk.request(0, 0, 0, new Buffer(0x20000, 512, true)), false);
            ring.add(disk.request(1, 0, 8, new Buffer(0x30000, 512, true)), false);
            ring.kick();
            backend.begun.acquireUninterruptibly();

            disk.driver.setStatus(0);
            assertThat(disk.driver.status()).as("not yet").isNotZero();
            // What a hasty driver does now has no effect.
            disk.driver.setStatus(1);
            disk.pci.mmio.write(disk.driver.common + 0x1c, 2, 1);
            ring.kick();
            backend.allowed.release();
            while (disk.driver.status() != 0) {
                Thread.onSpinWait();
            }
            assertThat(disk.memory.readByte(0x20000)).isEqualTo(0x5a);
            assertThat(disk.memory.readByte(0x30000))
                    .as("the second request was not begun")
                    .isZero();
            assertThat(backend.begun.availablePermits()).isZero();

            disk.driver.reset();
            GuestRing fresh = disk.start(GuestDisk.ALL_FEATURES, 16);
            backend.allowed.release();
            fresh.add(disk.request(0, 0, 0, new Buffer(0x30000, 512, true)), false);
            fresh.kick();
            assertThat(fresh.await().length()).isEqualTo(513);
        }
    }

    @Test
    void savingInMidFlightCompletesWhatIsUnderWayAndLeavesTheRest() {
        var backend = new GatedDisk();
        try (var disk = new GuestDisk(backend, BlockOptions.DEFAULT, QueueRunner.threads("test"))) {
            GuestRing ring = disk.start(GuestDisk.ALL_FEATURES, 16);
            for (int i = 0; i < 3; i++) {
                ring.add(disk.request(i, 0, i, new Buffer(0x20000, 512, true)), false);
            }
            ring.kick();
            backend.begun.acquireUninterruptibly();
            var paused = CompletableFuture.runAsync(disk.function::pause);
            assertThat(paused).isNotDone();
            // The pause has begun once the request ends without the next one being taken; both orders are fine to it.
            backend.allowed.release(3);
            paused.orTimeout(30, TimeUnit.SECONDS).join();
            VirtioPciState state = disk.function.save();
            int done = disk.memory.readShort(ring.deviceArea + 2);
            assertThat(done).isBetween(1, 3);
            assertThat(state.core().queues().getFirst().used()).isEqualTo(done);
            assertThat(state.core().queues().getFirst().available()).isEqualTo(done);
            disk.function.resume();
            for (int i = 0; i < 3; i++) {
                assertThat(ring.await().length()).isEqualTo(513);
            }
        }
    }

    @Test
    void aMachineResetWaitsAndClearsEverything() {
        try (var disk = new GuestDisk(new RamDisk(1 << 20, false), BlockOptions.DEFAULT, QueueRunner.threads("test"))) {
            GuestRing ring = disk.start(GuestDisk.ALL_FEATURES, 16);
            ring.add(disk.request(0, 4, 0), false);
            ring.kick();
            disk.pci.host.reset();
            assertThat(disk.pci.bar(disk.at, 4)).isZero();
            assertThat(disk.pci.mmio.read(disk.driver.common, 4)).isEqualTo(0xffff_ffffL);
            disk.pci.assign();
            assertThat(disk.driver.status()).isZero();
            assertThat(disk.pci.mmio.read(disk.driver.common + 0x20, 8)).isZero();
            disk.pci.write(disk.at, 4, 2, 6);
            GuestRing fresh = disk.start(GuestDisk.ALL_FEATURES, 16);
            fresh.add(disk.request(0, 4, 0), false);
            fresh.kick();
            assertThat(fresh.await()).isNotNull();
        }
    }

    @Test
    void withoutMsixTheIsrRegisterAndThePinTellTheDriver() {
        try (var disk = new GuestDisk(new RamDisk(1 << 20, false), BlockOptions.DEFAULT, QueueRunner.inline())) {
            assertThat(disk.driver.negotiate(GuestDisk.ALL_FEATURES)).isTrue();
            GuestRing ring = disk.driver.queue(0, 16, 0xffff);
            disk.driver.driverOk();
            int gsi = PirqRouter.resetGsi(3, 0);
            disk.pci.mmio.read(disk.driver.isr, 1);
            assertThat(disk.pci.lines[gsi].high()).isFalse();
            ring.roundTrip(disk.request(0, 4, 0), false);
            assertThat(disk.pci.lines[gsi].high()).isTrue();
            assertThat(disk.pci.read(disk.at, 6, 2) & 8).isNotZero();
            assertThat(disk.pci.mmio.read(disk.driver.isr, 1)).isEqualTo(1);
            assertThat(disk.pci.lines[gsi].high()).isFalse();
            assertThat(disk.pci.mmio.read(disk.driver.isr, 1)).isZero();

            // COMMAND can silence the pin, and lets it through again.
            disk.pci.write(disk.at, 4, 2, 0x406);
            ring.roundTrip(disk.request(0, 4, 0), false);
            assertThat(disk.pci.lines[gsi].high()).isFalse();
            disk.pci.write(disk.at, 4, 2, 0x006);
            assertThat(disk.pci.lines[gsi].high()).isTrue();
            assertThat(disk.pci.msi.take()).isEmpty();
        }
    }

    @Test
    void theWindowInConfigurationSpaceReachesTheRegisters() {
        try (var disk = new GuestDisk(new RamDisk(1 << 20, false), BlockOptions.DEFAULT, QueueRunner.inline())) {
            int cap = 0;
            for (int c = disk.pci.capability(disk.at, 9, 0); c != 0; c = disk.pci.capability(disk.at, 9, c)) {
                cap = disk.pci.read(disk.at, c + 3, 1) == 5 ? c : cap;
            }
            disk.pci.write(disk.at, cap + 4, 1, 4);
            disk.pci.write(disk.at, cap + 8, 4, 0x14);
            disk.pci.write(disk.at, cap + 12, 4, 1);
            disk.pci.write(disk.at, cap + 16, 1, 3);
            assertThat(disk.driver.status()).isEqualTo(3);
            disk.pci.write(disk.at, cap + 8, 4, 0x2000);
            disk.pci.write(disk.at, cap + 12, 4, 4);
            assertThat(disk.pci.read(disk.at, cap + 16, 4)).isEqualTo(2048);
            for (long[] bad : new long[][] {{0x4000, 4}, {0xffff_fffcL, 4}, {2, 4}, {0, 3}, {0, 8}, {0, 0}}) {
                disk.pci.write(disk.at, cap + 8, 4, bad[0]);
                disk.pci.write(disk.at, cap + 12, 4, bad[1]);
                disk.pci.write(disk.at, cap + 16, 4, 0);
                disk.pci.read(disk.at, cap + 16, 4);
            }
            assertThat(disk.driver.status()).isEqualTo(3);
        }
    }

    @Test
    void maskedVectorsWaitInThePendingBits() {
        try (var disk = new GuestDisk(new RamDisk(1 << 20, false), BlockOptions.DEFAULT, QueueRunner.inline())) {
            GuestRing ring = disk.start(GuestDisk.ALL_FEATURES, 16);
            disk.pci.msi.take();
            disk.pci.mmio.write(disk.driver.msixTable + 16 + 12, 4, 1);
            ring.roundTrip(disk.request(0, 4, 0), false);
            assertThat(disk.pci.msi.take()).isEmpty();
            assertThat(disk.pci.mmio.read(disk.driver.msixTable + 0x800, 8)).isEqualTo(2);
            disk.pci.mmio.write(disk.driver.msixTable + 16 + 12, 4, 0);
            assertThat(disk.pci.msi.take()).containsExactly(new RecordingMsi.Message(GuestDriver.MSI_ADDRESS, 0x41));
            assertThat(disk.pci.mmio.read(disk.driver.msixTable + 0x800, 8)).isZero();

            int msix = disk.pci.capability(disk.at, 0x11, 0);
            disk.pci.write(disk.at, msix + 2, 2, 0xc000);
            ring.roundTrip(disk.request(0, 4, 0), false);
            assertThat(disk.pci.msi.take()).isEmpty();
            disk.pci.write(disk.at, msix + 2, 2, 0x8000);
            assertThat(disk.pci.msi.take()).hasSize(1);
        }
    }

    @Test
    void entropyFillsTheBuffersUpToItsBound() {
        var memory = GuestDisk.ram();
        byte[] next = {1};
        var device = new VirtioRng(bytes -> Arrays.fill(bytes, next[0]++));
        try (var rng = new GuestDisk(memory, device, QueueRunner.inline())) {
            assertThat(rng.pci.read(rng.at, 2, 2)).isEqualTo(0x1044);
            GuestRing ring = rng.start(VirtioFeature.VIRTIO_F_VERSION_1, 16);
            assertThat(ring.roundTrip(List.of(new Buffer(0x20000, 100, true)), false)
                            .length())
                    .isEqualTo(100);
            assertThat(memory.readByte(0x20000 + 99)).isEqualTo(1);
            assertThat(memory.readByte(0x20000 + 100)).isZero();
            assertThat(ring.roundTrip(List.of(new Buffer(0x100000, 0x300000, true)), false)
                            .length())
                    .isEqualTo(64 << 10);
        }
    }
}

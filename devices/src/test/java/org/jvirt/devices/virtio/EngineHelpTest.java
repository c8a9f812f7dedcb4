package org.jvirt.devices.virtio;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.jvirt.devices.virtio.block.BlockOptions;
import org.jvirt.devices.virtio.block.VirtioBlock;
import org.jvirt.devices.virtio.console.PortSpec;
import org.jvirt.devices.virtio.console.VirtioConsole;
import org.jvirt.devices.work.QueueRunner;
import org.jvirt.testkit.RamDisk;
import org.jvirt.testkit.RecordingMsi.Message;

/// Engines that wake queue threads and send messages without asking anybody.
@Timeout(60)
class EngineHelpTest {
    private static final int COMMAND = 4;
    private static final int MEMORY_AND_MASTER = 6;
    private static final int MASTER = 4;

    private final List<ListeningDoorbell> bells = new ArrayList<>();
    private final QueueRunner.Factory runners = QueueRunner.threads("test", this::bell, () -> {});

    private ListeningDoorbell bell(String name) {
        var bell = new ListeningDoorbell();
        bells.add(bell);
        return bell;
    }

    @Test
    void aStoreThatOnlyTheEngineSeesWakesTheQueueThread() {
        try (var disk = new GuestDisk(new RamDisk(1 << 20, false), BlockOptions.DEFAULT, runners)) {
            GuestRing ring = disk.start(GuestDisk.ALL_FEATURES, 16);
            for (int i = 0; i < 100; i++) {
                ring.add(disk.request(0, 4, 0), false);
                assertThat(bells.getFirst().store(disk.driver.notify)).isTrue();
                assertThat(ring.await()).isNotNull();
            }
        }
    }

    @Test
    void theEngineListensWhereTheRegistersAreAndOnlyWhileTheyShow() {
        try (var disk = new GuestDisk(new RamDisk(1 << 20, false), BlockOptions.DEFAULT, runners)) {
            GuestRing ring = disk.start(GuestDisk.ALL_FEATURES, 16);
            ListeningDoorbell bell = bells.getFirst();
            disk.pci.write(disk.at, COMMAND, 2, MASTER);
            assertThat(bell.listens()).as("memory decoding is off").isFalse();

            long moved = disk.pci.bar(disk.at, 4) + (1L << 32);
            disk.pci.write(disk.at, 0x10 + 4 * 5, 4, moved >>> 32);
            disk.pci.write(disk.at, COMMAND, 2, MEMORY_AND_MASTER);
            assertThat(bell.store(disk.driver.notify)).as("the old place").isFalse();
            ring.add(disk.request(0, 4, 0), false);
            assertThat(bell.store(disk.driver.notify + (1L << 32))).isTrue();
            assertThat(ring.await()).isNotNull();

            disk.pci.host.reset();
            assertThat(bell.listens()).as("BARs have no address after a reset").isFalse();
        }
        assertThat(bells).hasSize(1).allMatch(ListeningDoorbell::closed);
    }

    @Test
    void queuesOfOneThreadShareANotificationRegister() {
        var device = new VirtioConsole(List.of(new PortSpec("", true, new RecordingPeer())));
        try (var console = new GuestDisk(GuestDisk.ram(), device, runners)) {
            assertThat(console.driver.negotiate(VirtioFeature.VIRTIO_F_VERSION_1))
                    .isTrue();
            for (int queue = 0; queue < device.queues(); queue++) {
                console.pci.mmio.write(console.driver.common + 0x16, 2, queue);
                assertThat(console.pci.mmio.read(console.driver.common + 0x1e, 2))
                        .isEqualTo(device.workerOf(queue));
            }
            assertThat(bells).hasSize(device.workers());
        }
    }

    @Test
    void aPausedDeviceLeavesWhatTheEngineWokeItForUntilItIsResumed() {
        try (var disk = new GuestDisk(new RamDisk(1 << 20, false), BlockOptions.DEFAULT, runners)) {
            GuestRing ring = disk.start(GuestDisk.ALL_FEATURES, 16);
            disk.function.pause();
            ring.add(disk.request(0, 4, 0), false);
            assertThat(bells.getFirst().store(disk.driver.notify)).isTrue();
            VirtioPciState still = disk.function.save();
            assertThat(still.core().queues().getFirst().used()).isZero();
            assertThat(disk.status(0)).isEqualTo(0xee);
            disk.function.resume();
            assertThat(ring.await()).isNotNull();
        }
    }

    @Test
    void aMessageIsPreparedOnceAndAgainWhenTheGuestHasChangedIt() {
        var engine = new RoutingMsi[1];
        var pci = new GuestPci(msi -> {
            engine[0] = new RoutingMsi(msi);
            return engine[0];
        });
        var memory = GuestDisk.ram();
        var device = new VirtioBlock(new RamDisk(1 << 20, false), BlockOptions.DEFAULT);
        try (var disk = new GuestDisk(pci, memory, device, QueueRunner.inline())) {
            GuestRing ring = disk.start(GuestDisk.ALL_FEATURES, 16);
            long entry = disk.driver.msixTable + 16;
            pci.msi.take();
            for (int i = 0; i < 3; i++) {
                ring.roundTrip(disk.request(0, 4, 0), false);
            }
            var first = new Message(GuestDriver.MSI_ADDRESS, 0x41);
            assertThat(pci.msi.take()).containsExactly(first, first, first);
            assertThat(engine[0].made()).containsExactly(first);

            // Linux masks, changes and unmasks when it moves an interrupt to another processor.
            pci.mmio.write(entry + 12, 4, 1);
            pci.mmio.write(entry, 4, GuestDriver.MSI_ADDRESS | 0x1000);
            pci.mmio.write(entry + 8, 4, 0x51);
            ring.roundTrip(disk.request(0, 4, 0), false);
            assertThat(pci.msi.take()).isEmpty();
            pci.mmio.write(entry + 12, 4, 0);
            var second = new Message(GuestDriver.MSI_ADDRESS | 0x1000, 0x51);
            assertThat(pci.msi.take()).containsExactly(second);
            assertThat(engine[0].made()).containsExactly(first, second);
            assertThat(engine[0].open()).isEqualTo(1);

            // What is written again unchanged keeps its route.
            pci.mmio.write(entry + 8, 4, 0x51);
            ring.roundTrip(disk.request(0, 4, 0), false);
            assertThat(engine[0].made()).hasSize(2);
        }
        assertThat(engine[0].open()).as("given back").isZero();
    }
}

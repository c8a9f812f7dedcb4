package org.jvirt.devices.virtio;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestReporter;
import org.jvirt.devices.virtio.GuestRing.Buffer;
import org.jvirt.devices.virtio.block.BlockOptions;
import org.jvirt.devices.work.QueueRunner;
import org.jvirt.testkit.RamDisk;

/// Requests a second of 4 KiB reads, from a driver in the same process to a disk in memory: what queue and thread
/// hand-over cost, without engine and file.
@Tag("benchmark")
class BlockThroughput {
    private static final int REQUESTS = 400_000;
    private static final int ROUNDS = 4;

    @Test
    void requestsPerSecond(TestReporter reporter) {
        for (boolean packed : new boolean[] {false, true}) {
            for (int depth : new int[] {1, 32}) {
                for (boolean threads : new boolean[] {false, true}) {
                    String name = (packed ? "packed" : "split") + (threads ? ", queue thread" : ", inline") + ", depth "
                            + depth;
                    reporter.publishEntry(name, (long) measure(packed, depth, threads) + " requests/s");
                }
            }
        }
    }

    private static double measure(boolean packed, int depth, boolean threads) {
        QueueRunner.Factory runners = threads ? QueueRunner.threads("bench") : QueueRunner.inline();
        try (var disk = new GuestDisk(new RamDisk(1 << 20, false), BlockOptions.DEFAULT, runners)) {
            GuestRing ring =
                    disk.start(GuestDisk.ALL_FEATURES | (packed ? VirtioFeature.VIRTIO_F_RING_PACKED : 0), 256);
            double best = 0;
            for (int round = 0; round < ROUNDS; round++) {
                long start = System.nanoTime();
                for (int done = 0; done < REQUESTS; done += depth) {
                    for (int i = 0; i < depth; i++) {
                        ring.add(disk.request(i, 0, i * 8L, new Buffer(0x20000 + 4096L * i, 4096, true)), true);
                    }
                    ring.kickIfWanted();
                    for (int i = 0; i < depth; i++) {
                        ring.await();
                        disk.pci.msi.take();
                    }
                }
                best = Math.max(best, REQUESTS * 1e9 / (System.nanoTime() - start));
            }
            assertThat(disk.driver.needsReset()).isFalse();
            return best;
        }
    }
}

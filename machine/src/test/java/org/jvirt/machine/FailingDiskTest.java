package org.jvirt.machine;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.jvirt.core.ExitHandler;
import org.jvirt.core.GuestMemory;
import org.jvirt.core.RunResult;
import org.jvirt.images.live.DiskLimits;
import org.jvirt.images.live.ErrorAction;
import org.jvirt.images.live.ErrorPolicy;
import org.jvirt.images.live.LiveSettings;
import org.jvirt.machine.ScriptedHypervisor.ScriptedVcpu;
import org.jvirt.machine.boot.KernelFiles;
import org.jvirt.machine.monitor.Monitor;
import org.jvirt.testkit.RamDisk;

/// A machine whose disk fails stops, says so, and goes on where it was. The guest drives a virtio disk by hand.
@Timeout(60)
final class FailingDiskTest {
    private static final long DESCRIPTORS = 0x10_0000;
    private static final long AVAILABLE = 0x10_1000;
    private static final long USED = 0x10_2000;
    private static final long HEADER = 0x10_3000;
    private static final long DATA = 0x10_4000;
    private static final long STATUS = 0x10_5000;
    private static final int NOTIFY = 0x3000;
    private static final int NO_STATUS = 0x55;

    @TempDir
    private Path directory;

    private final CountDownLatch ready = new CountDownLatch(1);
    private final RamDisk content = new RamDisk(1 << 20, false);
    private volatile long registers;
    private ScriptedHypervisor engine;
    private VirtualMachine vm;
    private Monitor monitor;
    private int requests;

    @BeforeEach
    void start() throws Exception {
        engine = new ScriptedHypervisor(this::bringUp);
        vm = VirtualMachine.builder()
                .engine(engine)
                .kernel(Files.write(directory.resolve("vmlinuz"), KernelFiles.bzImage(4096, true)))
                .memory(32)
                .disk(content, "", LiveSettings.DEFAULT.withErrors(new ErrorPolicy(ErrorAction.STOP, ErrorAction.STOP)))
                .build();
        monitor = new Monitor(vm, "");
        vm.start();
        assertThat(ready.await(30, TimeUnit.SECONDS)).isTrue();
    }

    @AfterEach
    void close() {
        vm.close();
    }

    private GuestMemory memory() {
        return engine.vcpu(0).spec().memory();
    }

    /// Writes one sector full of `value`.
    private void write(int sector, int value) {
        GuestMemory memory = memory();
        memory.writeInt(HEADER, 1);
        memory.writeLong(HEADER + 8, sector);
        byte[] bytes = new byte[512];
        java.util.Arrays.fill(bytes, (byte) value);
        memory.write(DATA, bytes);
        memory.writeByte(STATUS, NO_STATUS);
        requests++;
        memory.writeShort(AVAILABLE + 2, requests);
        engine.vcpu(0).io().writeMmio(registers + NOTIFY, 2, 0);
    }

    private void awaitState(VmState state) {
        while (vm.state() != state) {
            Thread.onSpinWait();
        }
    }

    private void awaitUsed() {
        while (memory().readShort(USED + 2) != requests) {
            Thread.onSpinWait();
        }
    }

    @Test
    void theMachineStopsByNameAndTheRequestIsDoneWhenItGoesOn() {
        write(3, 0x41);
        awaitUsed();
        content.fail(true);
        write(5, 0x42);
        awaitState(VmState.PAUSED);
        assertThat(vm.pauseReason()).isEqualTo(PauseReason.IO_ERROR);
        assertThat(monitor.execute("info status")).isEqualTo("VM status: paused (io-error)\n");
        assertThat(monitor.execute("info block"))
                .contains("virtio0: ram disk", "rerror=stop werror=stop", "I/O status:       failed: ram disk: told");
        assertThat(memory().readByte(STATUS)).isEqualTo(NO_STATUS);
        assertThat(memory().readShort(USED + 2)).isEqualTo(requests - 1);

        // Nothing is mended: it stops again.
        monitor.execute("cont");
        awaitState(VmState.PAUSED);
        assertThat(memory().readShort(USED + 2)).isEqualTo(requests - 1);

        content.fail(false);
        while (memory().readShort(USED + 2) != requests) {
            // A second stop may have been on its way.
            monitor.execute("cont");
        }
        assertThat(memory().readByte(STATUS)).isZero();
        assertThat(content.content()[5 * 512]).isEqualTo((byte) 0x42);
        assertThat(monitor.execute("info block")).doesNotContain("I/O status");
    }

    @Test
    void aMachineWithAHeldRequestCanBeResetAndUsedAgain() throws Exception {
        content.fail(true);
        write(5, 0x42);
        awaitState(VmState.PAUSED);
        vm.reset();
        content.fail(false);
        vm.resume();
        assertThat(vm.state()).isEqualTo(VmState.RUNNING);
        assertThat(content.content()[5 * 512]).isZero();
    }

    @Test
    void aMachineWithAHeldRequestEnds() {
        content.fail(true);
        write(5, 0x42);
        awaitState(VmState.PAUSED);
        vm.kill();
        assertThat(vm.state()).isEqualTo(VmState.ENDED);
    }

    @Test
    void aFailureWhileTheMachineIsBeingPausedIsHeldToo() {
        for (int round = 0; round < 20; round++) {
            content.fail(true);
            write(round, 0x43);
            vm.pause();
            assertThat(vm.state()).isEqualTo(VmState.PAUSED);
            content.fail(false);
            while (memory().readShort(USED + 2) != requests) {
                vm.resume();
            }
            assertThat(memory().readByte(STATUS)).isZero();
            assertThat(content.content()[round * 512]).isEqualTo((byte) 0x43);
        }
    }

    @Test
    void limitsAreSetInTheMonitorAndAPausedMachineDoesNotWaitForThem() {
        assertThat(monitor.execute("block_set_io_throttle virtio0 0 0 0 1 0 0")).isEmpty();
        assertThat(monitor.execute("info block virtio0")).contains("I/O throttling:", "iops=1 ");
        assertThat(monitor.execute("block_set_io_throttle virtio0 1 1 0 0 0 0")).contains("not both");
        assertThat(monitor.execute("block_set_io_throttle nobody 1 0 0 0 0 0")).contains("There is no disk 'nobody'");
        write(1, 1);
        awaitUsed();
        long start = System.nanoTime();
        write(2, 2);
        awaitUsed();
        assertThat(System.nanoTime() - start).isGreaterThan(500_000_000L);
        // Would take most of an hour.
        vm.disk("virtio0").throttle().limit(DiskLimits.averages(1, 0, 0, 0, 0, 0));
        write(3, 3);
        awaitUsed();
        write(4, 4);
        vm.pause();
        assertThat(vm.state()).isEqualTo(VmState.PAUSED);
    }

    /// virtio §3.1.1, with as little as a disk needs.
    private RunResult bringUp(ScriptedVcpu vcpu) {
        if (ready.getCount() == 0) {
            return ScriptedHypervisor.halt(vcpu);
        }
        ExitHandler io = vcpu.io();
        long config = 0xb000_0000L + (8 << 15);
        long base = io.readMmio(config + 0x24, 4) << 32 | io.readMmio(config + 0x20, 4) & ~0xfL;
        io.writeMmio(config + 4, 2, 6);
        io.writeMmio(base + 0x14, 1, 3);
        // VIRTIO_BLK_F_FLUSH, VIRTIO_F_VERSION_1
        io.writeMmio(base + 0x08, 4, 0);
        io.writeMmio(base + 0x0c, 4, 1 << 9);
        io.writeMmio(base + 0x08, 4, 1);
        io.writeMmio(base + 0x0c, 4, 1);
        io.writeMmio(base + 0x14, 1, 0xb);
        io.writeMmio(base + 0x16, 2, 0);
        io.writeMmio(base + 0x18, 2, 4);
        io.writeMmio(base + 0x20, 8, DESCRIPTORS);
        io.writeMmio(base + 0x28, 8, AVAILABLE);
        io.writeMmio(base + 0x30, 8, USED);
        GuestMemory memory = vcpu.spec().memory();
        // Descriptors of 16 bytes: header, data, status; flags NEXT (1) and WRITE (2). Every entry of the ring is 0.
        memory.write(AVAILABLE, new byte[16]);
        descriptor(memory, 0, HEADER, 16, 1, 1);
        descriptor(memory, 1, DATA, 512, 1, 2);
        descriptor(memory, 2, STATUS, 1, 2, 0);
        io.writeMmio(base + 0x1c, 2, 1);
        io.writeMmio(base + 0x14, 1, 0xf);
        registers = base;
        ready.countDown();
        return ScriptedHypervisor.halt(vcpu);
    }

    private static void descriptor(GuestMemory memory, int index, long gpa, int length, int flags, int next) {
        memory.writeLong(DESCRIPTORS + index * 16L, gpa);
        memory.writeInt(DESCRIPTORS + index * 16L + 8, length);
        memory.writeInt(DESCRIPTORS + index * 16L + 12, flags | next << 16);
    }
}

package org.jvirt.machine;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.jvirt.core.ExitHandler;
import org.jvirt.core.GuestMemory;
import org.jvirt.core.RunResult;
import org.jvirt.machine.ScriptedHypervisor.ScriptedVcpu;
import org.jvirt.machine.boot.KernelFiles;

/// The devices' own threads stand still with the processors. The guest drives a virtio random number generator,
/// whose queue has one descriptor.
@Timeout(60)
final class PausedDevicesTest {
    private static final long DESCRIPTORS = 0x10_0000;
    private static final long AVAILABLE = 0x10_1000;
    private static final long USED = 0x10_2000;
    private static final long BUFFER = 0x10_3000;
    private static final int BYTES = 64;
    private static final int NOTIFY = 0x3000;

    @TempDir
    private Path directory;

    private final CountDownLatch ready = new CountDownLatch(1);
    private volatile long registers;

    @Test
    void aPausedMachineServesNoRequestUntilItIsResumed() throws Exception {
        var engine = new ScriptedHypervisor(this::bringUp);
        Path kernel = Files.write(directory.resolve("vmlinuz"), KernelFiles.bzImage(4096, true));
        try (VirtualMachine vm = VirtualMachine.builder()
                .engine(engine)
                .kernel(kernel)
                .memory(32)
                .rng()
                .build()) {
            vm.start();
            assertThat(ready.await(30, TimeUnit.SECONDS)).isTrue();
            GuestMemory memory = engine.vcpu(0).spec().memory();
            for (int round = 1; round <= 20; round++) {
                vm.pause();
                assertThat(vm.state()).isEqualTo(VmState.PAUSED);
                memory.write(BUFFER, new byte[BYTES]);
                // The guest's last act before the pause: a request that the device has not looked at yet.
                memory.writeShort(AVAILABLE + 2, round);
                engine.vcpu(0).io().writeMmio(registers + NOTIFY, 2, 0);
                vm.inspect(_ -> "");
                assertThat(memory.readShort(USED + 2)).isEqualTo(round - 1);
                assertThat(memory.readLong(BUFFER)).isZero();
                vm.resume();
                while (memory.readShort(USED + 2) != round) {
                    Thread.onSpinWait();
                }
            }
        }
    }

    @Test
    void aMachineCanBeResetAndEndedWhilePaused() throws IOException {
        var engine = new ScriptedHypervisor(this::bringUp);
        Path kernel = Files.write(directory.resolve("vmlinuz"), KernelFiles.bzImage(4096, true));
        try (VirtualMachine vm = VirtualMachine.builder()
                .engine(engine)
                .kernel(kernel)
                .memory(32)
                .rng()
                .build()) {
            vm.start();
            vm.pause();
            vm.reset();
            vm.resume();
            vm.pause();
            vm.kill();
            assertThat(vm.state()).isEqualTo(VmState.ENDED);
        }
    }

    /// virtio §3.1.1, with as little as a generator needs.
    private RunResult bringUp(ScriptedVcpu vcpu) {
        if (ready.getCount() == 0) {
            return ScriptedHypervisor.halt(vcpu);
        }
        ExitHandler io = vcpu.io();
        long config = 0xb000_0000L + (1 << 15);
        long base = io.readMmio(config + 0x24, 4) << 32 | io.readMmio(config + 0x20, 4) & ~0xfL;
        io.writeMmio(config + 4, 2, 6);
        io.writeMmio(base + 0x14, 1, 3);
        io.writeMmio(base + 0x08, 4, 1);
        io.writeMmio(base + 0x0c, 4, 1);
        io.writeMmio(base + 0x14, 1, 0xb);
        io.writeMmio(base + 0x16, 2, 0);
        io.writeMmio(base + 0x18, 2, 1);
        io.writeMmio(base + 0x20, 8, DESCRIPTORS);
        io.writeMmio(base + 0x28, 8, AVAILABLE);
        io.writeMmio(base + 0x30, 8, USED);
        GuestMemory memory = vcpu.spec().memory();
        memory.writeLong(DESCRIPTORS, BUFFER);
        memory.writeLong(DESCRIPTORS + 8, 2L << 32 | BYTES);
        io.writeMmio(base + 0x1c, 2, 1);
        io.writeMmio(base + 0x14, 1, 0xf);
        registers = base;
        ready.countDown();
        return ScriptedHypervisor.halt(vcpu);
    }
}

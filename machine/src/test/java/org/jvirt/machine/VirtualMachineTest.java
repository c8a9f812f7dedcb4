package org.jvirt.machine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.jvirt.core.RunResult;
import org.jvirt.core.UserErrorException;
import org.jvirt.core.cpu.Activity;
import org.jvirt.core.cpu.CpuFeature;
import org.jvirt.machine.ScriptedHypervisor.ScriptedVcpu;
import org.jvirt.machine.boot.KernelFiles;
import org.jvirt.testkit.RamDisk;

@Timeout(60)
final class VirtualMachineTest {
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    @TempDir
    private Path directory;

    // ---- ends

    @Test
    void acpiSoftOffEndsTheMachine() throws Exception {
        var engine = new ScriptedHypervisor(vcpu -> {
            vcpu.io().writePort(0xb2, 1, 2);
            assertThat(vcpu.io().readPort(0x604, 2) & 1).as("SCI_EN").isEqualTo(1);
            vcpu.io().writePort(0x604, 2, 1 << 13);
            return ScriptedHypervisor.halt(vcpu);
        });
        try (VirtualMachine vm = machine(engine).build()) {
            vm.start();
            assertThat(vm.await(PATIENCE)).isEqualTo(new ExitReason.PoweredOff());
            assertThat(vm.state()).isEqualTo(VmState.ENDED);
            assertThat(new ExitReason.PoweredOff().exitCode()).isZero();
        }
        assertThat(engine.vmClosed()).isTrue();
        assertThat(engine.vcpu(0).closed()).isTrue();
    }

    @Test
    void debugExitGivesItsCode() throws Exception {
        var engine = new ScriptedHypervisor(vcpu -> {
            vcpu.io().writePort(0xf4, 4, 0x10);
            return ScriptedHypervisor.halt(vcpu);
        });
        try (VirtualMachine vm = machine(engine)
                .testDevice(new VmConfig.TestDevice.DebugExit(0xf4, 4))
                .build()) {
            vm.start();
            assertThat(vm.await(PATIENCE)).isEqualTo(new ExitReason.DebugExit(0x21));
            assertThat(new ExitReason.DebugExit(0x21).exitCode()).isEqualTo(0x21);
        }
    }

    @Test
    void resetEndsAMachineThatMayNotReboot() throws Exception {
        var engine = new ScriptedHypervisor(vcpu -> {
            vcpu.io().writePort(0xcf9, 1, 6);
            return ScriptedHypervisor.halt(vcpu);
        });
        try (VirtualMachine vm = machine(engine).reboot(false).build()) {
            vm.start();
            assertThat(vm.await(PATIENCE)).isEqualTo(new ExitReason.ResetRequested());
        }
    }

    @Test
    void tripleFaultIsReportedWithRegisters() throws Exception {
        var engine = new ScriptedHypervisor(_ -> new RunResult.TripleFault(0x1234));
        try (VirtualMachine vm = machine(engine).build()) {
            vm.start();
            ExitReason reason = vm.await(PATIENCE);
            assertThat(reason)
                    .isInstanceOfSatisfying(
                            ExitReason.TripleFault.class,
                            fault -> assertThat(fault.report())
                                    .contains("CPU 0 shut down (triple fault) at 0x1234", "RIP=", "CR3="));
            assertThat(reason.exitCode()).isEqualTo(ExitCodes.TRIPLE_FAULT);
        }
    }

    @Test
    void anEngineThatCannotGoOnIsReported() throws Exception {
        var engine = new ScriptedHypervisor(_ -> new RunResult.Stuck("no such instruction"));
        try (VirtualMachine vm = machine(engine).build()) {
            vm.start();
            ExitReason reason = vm.await(PATIENCE);
            assertThat(reason)
                    .isInstanceOfSatisfying(
                            ExitReason.EngineFailed.class,
                            failure ->
                                    assertThat(failure.report()).contains("CPU 0 cannot go on: no such instruction"));
            assertThat(reason.exitCode()).isEqualTo(ExitCodes.ENGINE_FAILED);
        }
    }

    @Test
    void aVcpuThreadThatDiesEndsTheMachineInsteadOfHangingIt() throws Exception {
        var engine = new ScriptedHypervisor(_ -> {
            throw new IllegalStateException("for the test");
        });
        try (VirtualMachine vm = machine(engine).cpus(2).build()) {
            vm.start();
            assertThat(vm.await(PATIENCE))
                    .isInstanceOfSatisfying(
                            ExitReason.EngineFailed.class,
                            failure -> assertThat(failure.report())
                                    .contains("The thread of CPU 0 failed", "for the test"));
        }
    }

    @Test
    void closingARunningMachineKillsItAndClosesItsBackends() throws Exception {
        var engine = new ScriptedHypervisor(ScriptedHypervisor::halt);
        var console = new MemoryConsole();
        VirtualMachine vm = machine(engine).cpus(3).serial(console).build();
        vm.start();
        vm.close();
        vm.close();
        assertThat(vm.await(PATIENCE)).isEqualTo(new ExitReason.Killed());
        assertThat(console.closed()).isTrue();
        assertThatThrownBy(vm::pause).isInstanceOf(IllegalStateException.class).hasMessage("The machine is closed");
    }

    // ---- pause, resume, reset

    @Test
    void pauseStopsProcessorsAndTimeUntilResume() throws Exception {
        var counter = new AtomicInteger();
        var seen = new AtomicReference<>(new CountDownLatch(1000));
        var engine = new ScriptedHypervisor(_ -> {
            counter.incrementAndGet();
            seen.get().countDown();
            return RunResult.KICKED;
        });
        try (VirtualMachine vm = machine(engine).build()) {
            vm.start();
            assertThat(seen.get().await(30, TimeUnit.SECONDS)).isTrue();
            for (int i = 0; i < 50; i++) {
                vm.pause();
                assertThat(vm.state()).isEqualTo(VmState.PAUSED);
                int before = counter.get();
                long ticks = engine.vcpu(0).spec().clock().nanos();
                assertThat(engine.vcpu(0).spec().clock().nanos()).isEqualTo(ticks);
                assertThat(counter.get()).isEqualTo(before);
                seen.set(new CountDownLatch(1));
                vm.resume();
                assertThat(seen.get().await(30, TimeUnit.SECONDS)).isTrue();
            }
        }
    }

    @Test
    void aBreakpointPausesTheMachineUntilItIsResumed() throws Exception {
        var resumed = new CountDownLatch(1);
        var runs = new AtomicInteger();
        var engine = new ScriptedHypervisor(vcpu -> {
            if (runs.incrementAndGet() == 1) {
                return new RunResult.Debug(0x1234);
            }
            resumed.countDown();
            return ScriptedHypervisor.halt(vcpu);
        });
        try (VirtualMachine vm = machine(engine).build()) {
            vm.start();
            while (vm.state() != VmState.PAUSED) {
                Thread.onSpinWait();
            }
            assertThat(runs).hasValue(1);
            vm.resume();
            assertThat(resumed.await(30, TimeUnit.SECONDS)).isTrue();
        }
    }

    @Test
    void startPausedWaitsForResume() throws Exception {
        var ran = new CountDownLatch(1);
        var engine = new ScriptedHypervisor(vcpu -> {
            ran.countDown();
            return ScriptedHypervisor.halt(vcpu);
        });
        try (VirtualMachine vm = machine(engine).startPaused().build()) {
            vm.start();
            assertThat(vm.state()).isEqualTo(VmState.PAUSED);
            assertThat(engine.vcpu(0).runs()).isZero();
            vm.resume();
            assertThat(ran.await(30, TimeUnit.SECONDS)).isTrue();
        }
    }

    @Test
    void aGuestsResetLoadsTheKernelAndTheProcessorsAgain() throws Exception {
        var boots = new AtomicInteger();
        var engine = new ScriptedHypervisor(vcpu -> {
            if (boots.get() == vcpu.loaded().size()) {
                return ScriptedHypervisor.halt(vcpu); // a kick came late, and the reset is still on its way
            }
            int boot = boots.incrementAndGet();
            assertThat(vcpu.spec().memory().readInt(0x100_0000)).isEqualTo(0xa5a5a5a5);
            vcpu.spec().memory().writeInt(0x100_0000, 0);
            vcpu.io().writePort(boot < 3 ? 0xcf9 : 0xf4, 1, 6);
            return ScriptedHypervisor.halt(vcpu);
        });
        try (VirtualMachine vm = machine(engine)
                .cpus(2)
                .testDevice(new VmConfig.TestDevice.DebugExit(0xf4, 1))
                .build()) {
            vm.start();
            assertThat(vm.await(PATIENCE)).isEqualTo(new ExitReason.DebugExit(13));
        }
        assertThat(boots).hasValue(3);
        assertThat(engine.vcpu(0).loaded()).hasSize(3);
        assertThat(engine.vcpu(1).loaded())
                .hasSize(3)
                .allSatisfy(state -> assertThat(state.activity()).isEqualTo(Activity.WAIT_FOR_SIPI));
    }

    @Test
    void theResetButtonWorksOnAHaltedMachine() throws Exception {
        var engine = new ScriptedHypervisor(ScriptedHypervisor::halt);
        try (VirtualMachine vm = machine(engine).build()) {
            vm.start();
            vm.reset();
            assertThat(vm.state()).isEqualTo(VmState.RUNNING);
            assertThat(engine.vcpu(0).loaded()).hasSize(2);
            vm.pause();
            vm.reset();
            assertThat(vm.state()).isEqualTo(VmState.PAUSED);
        }
    }

    @Test
    void thePowerButtonIsHeardOnlyByAGuestThatListens() throws Exception {
        var listening = new CountDownLatch(1);
        var engine = new ScriptedHypervisor(vcpu -> {
            vcpu.io().writePort(0xb2, 1, 2);
            vcpu.io().writePort(0x602, 2, 1 << 8);
            listening.countDown();
            return ScriptedHypervisor.halt(vcpu);
        });
        try (VirtualMachine vm = machine(engine).build()) {
            assertThat(vm.powerButton()).isFalse();
            vm.start();
            assertThat(listening.await(30, TimeUnit.SECONDS)).isTrue();
            assertThat(vm.powerButton()).isTrue();
        }
    }

    @Test
    void aMachineStartsOnce() throws Exception {
        try (VirtualMachine vm =
                machine(new ScriptedHypervisor(ScriptedHypervisor::halt)).build()) {
            vm.start();
            assertThatThrownBy(vm::start)
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessage("Cannot start the machine: it is RUNNING");
        }
    }

    // ---- what the guest finds

    @Test
    void theGuestFindsItsHardwareWhereAPcHasIt() throws Exception {
        String report = onGuest(vcpu -> {
            var io = vcpu.io();
            var text = new StringBuilder();
            text.append("lapic %08x ".formatted(io.readMmio(0xfee0_0030L, 4)));
            io.writeMmio(0xfec0_0000L, 4, 1);
            text.append("ioapic %08x ".formatted(io.readMmio(0xfec0_0010L, 4)));
            text.append("hpet %x ".formatted(io.readMmio(0xfed0_0000L, 4) & 0xf000));
            text.append("bridge %08x ".formatted(io.readMmio(0xb000_0000L, 4)));
            io.writePort(0xcf8, 4, 0x8000_f800L);
            text.append("lpc %08x ".formatted(io.readPort(0xcfc, 4)));
            io.writePort(0x510, 2, 0);
            text.append("fwcfg %c%c ".formatted((char) io.readPort(0x511, 1), (char) io.readPort(0x511, 1)));
            text.append("nothing %x".formatted(io.readPort(0x1234, 4)));
            return text.toString();
        });
        assertThat(report)
                .matches("lapic [0-9a-f]{6}14 ioapic 0017[0-9a-f]{2}20 hpet a000 bridge 29c08086 lpc 29188086 "
                        + "fwcfg QE nothing ffffffff");
    }

    @Test
    void everyBarOfEveryDeviceGetsAnAddressInAWindow() throws Exception {
        String report = onGuest(vcpu -> {
            var text = new StringBuilder();
            for (int device = 0; device < 32; device++) {
                long config = 0xb000_0000L + (device << 15);
                if (vcpu.io().readMmio(config, 2) == 0x1af4) {
                    long low = vcpu.io().readMmio(config + 0x20, 4) & ~0xfL;
                    long high = vcpu.io().readMmio(config + 0x24, 4);
                    long bar4 = high << 32 | low;
                    assertThat(bar4).isGreaterThanOrEqualTo(0x8000_0000L);
                    assertThat(vcpu.io().readMmio(config + 4, 2) & 2).isEqualTo(2);
                    // device_feature_select 1 shows VIRTIO_F_VERSION_1 as bit 0 of device_feature.
                    vcpu.io().writeMmio(bar4, 4, 1);
                    assertThat(vcpu.io().readMmio(bar4 + 4, 4) & 1).isEqualTo(1);
                    text.append("%d:%x ".formatted(device, vcpu.io().readMmio(config + 2, 2)));
                }
            }
            return text.toString();
        });
        assertThat(report).isEqualTo("1:1044 2:1043 8:1042 ");
    }

    @Test
    void tablesAreThereForAKernelWithoutFirmware() throws Exception {
        String report = onGuest(vcpu -> {
            byte[] rsdp = new byte[8];
            vcpu.spec().memory().read(0xe_0000, rsdp);
            var text = new StringBuilder(new String(rsdp, StandardCharsets.US_ASCII));
            for (long gpa = 0xe_0000; gpa < 0x10_0000; gpa += 16) {
                if (vcpu.spec().memory().readInt(gpa) == 0x334d535f) {
                    text.append("SMBIOS");
                }
            }
            return text.toString();
        });
        assertThat(report).isEqualTo("RSD PTR SMBIOS");
    }

    @Test
    void cpuidPromisesTheModel() throws Exception {
        String report = onGuest(vcpu -> vcpu.spec().cpuid().has(CpuFeature.SSE4_2) + " "
                + vcpu.spec().cpuid().has(CpuFeature.AVX2));
        assertThat(report).isEqualTo("true false");
    }

    @Test
    void serialOutputReachesItsBackend() throws Exception {
        var console = new MemoryConsole();
        var engine = new ScriptedHypervisor(vcpu -> {
            for (char c : "hello".toCharArray()) {
                vcpu.io().writePort(0x3f8, 1, c);
            }
            vcpu.io().writePort(0xcf9, 1, 6);
            return ScriptedHypervisor.halt(vcpu);
        });
        try (VirtualMachine vm = machine(engine).serial(console).reboot(false).build()) {
            vm.start();
            vm.await(PATIENCE);
        }
        assertThat(console.text()).isEqualTo("hello");
    }

    // ---- bad configurations

    @Test
    void impossibleConfigurationsAreRefusedAndTheirBackendsClosed() throws IOException {
        var console = new MemoryConsole();
        Path kernel = kernel();
        var engine = new ScriptedHypervisor(ScriptedHypervisor::halt);
        assertThatThrownBy(() -> VirtualMachine.builder()
                        .engine(engine)
                        .kernel(kernel)
                        .cpus(0)
                        .serial(console)
                        .build())
                .isInstanceOf(UserErrorException.class)
                .hasMessage("A machine has 1 to 255 CPUs, not 0: give another number");
        assertThat(console.closed()).isTrue();
        assertThatThrownBy(() -> VirtualMachine.builder()
                        .engine(engine)
                        .kernel(kernel)
                        .cpus(300)
                        .build())
                .isInstanceOf(UserErrorException.class)
                .hasMessageContaining("not 300");
        assertThatThrownBy(() -> VirtualMachine.builder()
                        .engine(engine)
                        .kernel(kernel)
                        .memory(0)
                        .build())
                .isInstanceOf(UserErrorException.class)
                .hasMessageContaining("too small for a PC");
        assertThatThrownBy(() -> VirtualMachine.builder().engine(engine).build())
                .isInstanceOf(UserErrorException.class)
                .hasMessageStartingWith("Nothing to boot");
        var second = new MemoryConsole();
        assertThatThrownBy(() -> VirtualMachine.builder()
                        .engine(engine)
                        .kernel(directory.resolve("nowhere"))
                        .serial(second)
                        .build())
                .isInstanceOf(UserErrorException.class)
                .hasMessageStartingWith("There is no kernel");
        assertThat(second.closed()).isTrue();
    }

    private String onGuest(Function<ScriptedVcpu, String> question) throws Exception {
        var answer = new AtomicReference<>("");
        var engine = new ScriptedHypervisor(vcpu -> {
            answer.set(question.apply(vcpu));
            vcpu.io().writePort(0xcf9, 1, 6);
            return ScriptedHypervisor.halt(vcpu);
        });
        try (VirtualMachine vm = machine(engine)
                .reboot(false)
                .rng()
                .console(new MemoryConsole())
                .disk(new RamDisk(1 << 20, false))
                .build()) {
            vm.start();
            assertThat(vm.await(PATIENCE)).isEqualTo(new ExitReason.ResetRequested());
        }
        return answer.get();
    }

    private VirtualMachineBuilder machine(ScriptedHypervisor engine) throws IOException {
        return VirtualMachine.builder().engine(engine).kernel(kernel()).memory(32);
    }

    private Path kernel() throws IOException {
        return Files.write(directory.resolve("vmlinuz"), KernelFiles.bzImage(4096, true));
    }
}

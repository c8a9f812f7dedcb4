package org.jvirt.machine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.jvirt.core.ExitHandler;
import org.jvirt.core.cpu.CpuidLeaf;
import org.jvirt.core.cpu.CpuidTable;
import org.jvirt.core.interrupt.PitState;
import org.jvirt.machine.boot.KernelFiles;
import org.jvirt.testkit.RecordingMsi.Message;

/// A machine on an engine that brings its own interrupt controllers, timer and clock.
@Timeout(60)
final class EngineInterruptsTest {
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final long HPET = 0xfed0_0000L;

    @TempDir
    private Path directory;

    @Test
    void theMachineLeavesOutWhatTheEngineHas() throws Exception {
        onGuest(io -> {
            for (int port : new int[] {0x20, 0x21, 0xa0, 0xa1, 0x40, 0x43, 0x61, 0x4d0, 0x4d1}) {
                assertThat(io.readPort(port, 1)).as("port 0x%x", port).isEqualTo(0xff);
            }
            assertThat(io.readMmio(0xfee0_0030L, 4)).as("local APIC").isEqualTo(0xffff_ffffL);
            assertThat(io.readMmio(0xfec0_0000L, 4)).as("IO-APIC").isEqualTo(0xffff_ffffL);
            assertThat(io.readMmio(HPET, 4) >>> 16).as("HPET").isEqualTo(0x8086);
        });
    }

    @Test
    void devicesInterruptThroughTheEnginesLines() throws Exception {
        ChipEngine engine = onGuest(io -> {
            // Enable the transmitter's interrupt: it is empty.
            io.writePort(0x3f8 + 4, 1, 8);
            io.writePort(0x3f8 + 1, 1, 2);
        });
        assertThat(engine.lines[4].high()).isTrue();
    }

    @Test
    void withoutFirmwareTheMachineMarksLevelTriggeredInterruptsInTheEnginesChips() throws Exception {
        ChipEngine engine = onGuest(_ -> {});
        assertThat(engine.loaded).hasSize(1);
        assertThat(engine.loaded.getFirst().slave().elcr()).isEqualTo(0x0e);
        assertThat(engine.loaded.getFirst().master().elcr()).isZero();
    }

    @Test
    void legacyReplacementTakesInterruptZeroFromTheEnginesTimer() throws Exception {
        ChipEngine engine = onGuest(io -> {
            io.writeMmio(HPET + 0x10, 4, 3);
            io.writeMmio(HPET + 0x10, 4, 3);
            io.writeMmio(HPET + 0x10, 4, 1);
        });
        assertThat(engine.pitHeld).containsExactly(false, true, false);
    }

    @Test
    void aNonMaskableInterruptIsAMessageForEveryProcessor() throws Exception {
        var engine = new ChipEngine(ScriptedHypervisor::halt);
        try (VirtualMachine vm = machine(engine).cpus(2).build()) {
            vm.start();
            vm.nmi();
            assertThat(engine.msi.take())
                    .containsExactly(new Message(0xfee0_0000L, 0x400), new Message(0xfee0_1000L, 0x400));
        }
    }

    @Test
    void nobodyReachesTheEngineAfterItsEnd() throws Exception {
        var console = new MemoryConsole();
        var enabled = new CountDownLatch(1);
        var engine = new ChipEngine(vcpu -> {
            // Interrupt when a character has come in.
            vcpu.io().writePort(0x3f8 + 4, 1, 8);
            vcpu.io().writePort(0x3f8 + 1, 1, 1);
            enabled.countDown();
            return ScriptedHypervisor.halt(vcpu);
        });
        VirtualMachine vm = machine(engine).serial(console).build();
        vm.start();
        assertThat(enabled.await(30, TimeUnit.SECONDS)).isTrue();
        vm.close();
        console.type("x");
        assertThat(engine.lines[4].risingEdges()).isZero();
        assertThatThrownBy(vm::nmi).isInstanceOf(IllegalStateException.class).hasMessage("The machine is closed");
        assertThat(engine.msi.take()).isEmpty();
    }

    @Test
    void theEnginesClockIsSetBeforeTheProcessorsRunAndAfterEveryPause() throws Exception {
        var engine = new ChipEngine(ScriptedHypervisor::halt);
        try (VirtualMachine vm = machine(engine).build()) {
            vm.start();
            assertThat(engine.clockSetAfterRuns).containsExactly(0);
            vm.pause();
            int runs = engine.scripted.vcpu(0).runs();
            assertThat(engine.pitLoaded).isEmpty();
            vm.resume();
            assertThat(engine.clockSetAfterRuns).containsExactly(0, runs);
            assertThat(engine.pitLoaded).as("as it was before the pause").containsExactly(ChipEngine.PIT);
        }
    }

    @Test
    void aResetReachesTheEnginesChips() throws Exception {
        var engine = new ChipEngine(ScriptedHypervisor::halt);
        try (VirtualMachine vm = machine(engine).build()) {
            vm.start();
            vm.reset();
            assertThat(engine.chipResets).hasValue(1);
            assertThat(engine.pitLoaded).containsExactly(PitState.RESET);
            assertThat(engine.loaded)
                    .as("level-triggered interrupts marked again")
                    .hasSize(2);
        }
    }

    @Test
    void cpuidShowsTheEnginesInterfaceAndItsFrequency() throws Exception {
        var table = new AtomicReference<CpuidTable>();
        var engine = new ChipEngine(vcpu -> {
            table.set(vcpu.spec().cpuid());
            vcpu.io().writePort(0xcf9, 1, 6);
            return ScriptedHypervisor.halt(vcpu);
        });
        try (VirtualMachine vm = machine(engine).reboot(false).build()) {
            vm.start();
            assertThat(vm.await(PATIENCE)).isEqualTo(new ExitReason.ResetRequested());
        }
        CpuidLeaf first = table.get().leaf(0x4000_0000, 0).orElseThrow();
        assertThat(first.eax()).isEqualTo(0x4000_0010);
        assertThat(first.ebx()).isEqualTo(0x4b4d564b);
        assertThat(table.get().leaf(0x4000_0001, 0).orElseThrow().eax()).isEqualTo(0x0100_007b);
        assertThat(table.get().leaf(0x4000_0010, 0).orElseThrow().eax()).isEqualTo((int) (ChipEngine.TSC_HZ / 1000));
        assertThat(engine.scripted.vcpu(0).spec().tsc().hz()).isEqualTo(ChipEngine.TSC_HZ);
    }

    private ChipEngine onGuest(Consumer<ExitHandler> guest) throws Exception {
        var failure = new AtomicReference<Throwable>();
        var engine = new ChipEngine(vcpu -> {
            try {
                guest.accept(vcpu.io());
            } catch (Throwable e) {
                failure.set(e);
            }
            vcpu.io().writePort(0xcf9, 1, 6);
            return ScriptedHypervisor.halt(vcpu);
        });
        try (VirtualMachine vm =
                machine(engine).serial(new MemoryConsole()).reboot(false).build()) {
            vm.start();
            assertThat(vm.await(PATIENCE)).isEqualTo(new ExitReason.ResetRequested());
        }
        assertThat(failure.get()).isNull();
        return engine;
    }

    private VirtualMachineBuilder machine(ChipEngine engine) throws IOException {
        Path kernel = Files.write(directory.resolve("vmlinuz"), KernelFiles.bzImage(4096, true));
        return VirtualMachine.builder().engine(engine).kernel(kernel).memory(32);
    }
}

package org.jvirt.machine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HexFormat;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.jvirt.core.UserErrorException;
import org.jvirt.machine.boot.KernelFiles;
import org.jvirt.machine.monitor.Monitor;

/// Guests of real machine code on the interpreter.
@Timeout(120)
final class InterpreterGuestTest {
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final Path SEABIOS = Path.of("/usr/share/seabios/bios-256k.bin");

    @TempDir
    private Path directory;

    private final MemoryConsole console = new MemoryConsole();

    @Test
    void aMultibootGuestWritesToItsSerialPortAndEndsTheMachine() throws Exception {
        // mov dx,0x3f8; mov al,'O'; out dx,al; mov al,'K'; out dx,al; mov dx,0xf4; mov al,0x15; out dx,al; hlt
        ExitReason reason = run("66baf803b04feeb04bee66baf400b015eef4");
        assertThat(reason).isEqualTo(new ExitReason.DebugExit(0x2b));
        assertThat(console.text()).isEqualTo("OK");
    }

    @Test
    void aGuestThatLoadsAnEmptyInterruptTableTripleFaults() throws Exception {
        // push 0; push 0; lidt [esp]; ud2 — with the stack pointer at 0x100000
        ExitReason reason = run("bc000010006a006a000f011c240f0b");
        assertThat(reason)
                .isInstanceOfSatisfying(
                        ExitReason.TripleFault.class,
                        fault -> assertThat(fault.report()).contains("CPU 0 shut down (triple fault) at 0x40001"));
    }

    @Test
    void aGuestThatJumpsIntoNowhereDoesNotTakeTheMachineAlong() throws Exception {
        // jmp 0xa0000000
        ExitReason reason = run("b8000000a0ffe0");
        assertThat(reason).isInstanceOf(ExitReason.TripleFault.class);
    }

    @Test
    void enlightenmentsOfHyperVAreRefusedByName() throws Exception {
        VirtualMachineBuilder machine = machine("f4").cpu("max,hv_relaxed,hv_time");
        assertThatThrownBy(machine::build)
                .isInstanceOf(UserErrorException.class)
                .hasMessage("CPU max,+hyperv asks for Hyper-V's enlightenments, which engine interpreter does not have:"
                        + " leave out hyperv, hv_*");
    }

    @Test
    void aHaltedGuestIsPausedLookedAtAndResumed() throws Exception {
        // hlt; jmp to it
        try (VirtualMachine vm = machine("f4ebfd").build()) {
            vm.start();
            var monitor = new Monitor(vm, "test");
            for (int i = 0; i < 20; i++) {
                vm.pause();
                vm.resume();
            }
            assertThat(monitor.execute("info cpus")).contains("pc=0x0000000000400");
            assertThat(monitor.execute("x/2i 0x40000c")).contains("hlt", "jmp 0x40000c");
            vm.reset();
            assertThat(vm.state()).isEqualTo(VmState.RUNNING);
            vm.kill();
            assertThat(vm.await(PATIENCE)).isEqualTo(new ExitReason.Killed());
        }
    }

    @Test
    void seaBiosFindsTheMachineAndLooksForADisk() throws Exception {
        Assumptions.assumeTrue(Files.exists(SEABIOS), SEABIOS + " is missing: apt-get install seabios");
        var debug = new MemoryConsole();
        try (VirtualMachine vm = VirtualMachine.builder()
                .name("bios")
                .engine(Engines.named("interpreter"))
                .firmware(SEABIOS)
                .memory(64)
                .cpus(2)
                .debugConsole(debug)
                .build()) {
            vm.start();
            debug.awaitText("No bootable device", PATIENCE);
        }
        assertThat(debug.text())
                .contains(
                        "Running on QEMU (q35)",
                        "Found QEMU fw_cfg",
                        "QEMU fw_cfg DMA interface supported",
                        "PCIe: using q35 mmconfig at 0xb0000000",
                        "Found 2 cpu(s) max supported 2 cpu(s)",
                        "Copying SMBIOS 3.0",
                        "ACPI: parse DSDT",
                        "PS2 keyboard initialized");
    }

    private ExitReason run(String code) throws Exception {
        try (VirtualMachine vm = machine(code).build()) {
            vm.start();
            return vm.await(PATIENCE);
        }
    }

    private VirtualMachineBuilder machine(String code) throws IOException {
        byte[] file = KernelFiles.multiboot32(0x40_0000, 4096, HexFormat.of().parseHex(code));
        return VirtualMachine.builder()
                .engine(Engines.named("interpreter"))
                .kernel(Files.write(directory.resolve("guest"), file))
                .memory(16)
                .serial(console)
                .testDevice(new VmConfig.TestDevice.DebugExit(0xf4, 4));
    }
}

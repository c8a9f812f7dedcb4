package org.jvirt.machine;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HexFormat;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.jvirt.core.Capability;
import org.jvirt.core.HostFailureException;
import org.jvirt.core.Hypervisor;
import org.jvirt.machine.boot.KernelFiles;
import org.jvirt.machine.monitor.Monitor;

/// Guests of real machine code on KVM. They are tiny, because a `/dev/kvm` without hardware behind it will do.
@Timeout(120)
final class KvmGuestTest {
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    /// Where [KernelFiles#multiboot32] puts the code, behind the place the file is loaded to.
    private static final int CODE_OFFSET = 12;
    private static final int HANDLER_OFFSET = 0x100;

    @TempDir
    private Path directory;

    private final MemoryConsole console = new MemoryConsole();

    @BeforeAll
    static void needsKvm() {
        try {
            var _ = Engines.choose("kvm");
        } catch (HostFailureException e) {
            Assumptions.abort(e.getMessage());
        }
    }

    @ParameterizedTest
    @EnumSource
    void aGuestWritesToItsSerialPortAndEndsTheMachine(InterruptHome home) throws Exception {
        // mov dx,0x3f8; mov al,'O'; out dx,al; mov al,'K'; out dx,al; mov dx,0xf4; mov al,0x15; out dx,al; hlt
        ExitReason reason = run(home, "66baf803b04feeb04bee66baf400b015eef4");
        assertThat(reason).isEqualTo(new ExitReason.DebugExit(0x2b));
        assertThat(console.text()).isEqualTo("OK");
    }

    @ParameterizedTest
    @EnumSource
    void theTimersInterruptArrives(InterruptHome home) throws Exception {
        String code = "bc00001000" // mov esp,0x100000
                + "c70508530000ffff0000" // a flat code segment at 0x5308: selector 8
                + "c7050c530000009bcf00"
                + "66c705105300000f00" // its table
                + "c7051253000000530000"
                + "0f011510530000" // lgdt [0x5310]
                + "c7050051000000010800" // gate 0x20 at 0x5100: to 8:0x400100
                + "c70504510000008e4000"
                + "66c70500520000ff07" // its table
                + "c7050252000000500000"
                + "0f011d00520000" // lidt [0x5200]
                + "b011e620b020e621b004e621b001e621" // the master 8259: ICW1 to ICW4, vectors from 0x20
                + "b0fee621" // all inputs masked but 0
                + "b034e643b000e640b004e640" // the 8254: channel 0, mode 2, count 0x400
                + "fbf4ebfd"; // sti; hlt; jmp to hlt
        String handler = "66baf400b007eef4"; // isa-debug-exit 7
        int room = HANDLER_OFFSET - CODE_OFFSET - code.length() / 2;
        String program = code + "90".repeat(room) + handler;
        assertThat(run(home, program)).isEqualTo(new ExitReason.DebugExit(15));
    }

    /// As Windows asks: leaf 0x4000_0001 names the interface.
    @Test
    void withHyperVTheGuestFindsItsInterface() throws Exception {
        Assumptions.assumeTrue(
                Engines.named("kvm").capabilities().contains(Capability.HYPERV), "this KVM is without Hyper-V");
        // mov eax,0x40000001; cpuid; mov dx,0x3f8; 4 times: out dx,al; shr eax,8; then as above
        String code = "b8010000400fa266baf803" + "eec1e808".repeat(4) + "66baf400b015eef4";
        try (VirtualMachine vm = machine(InterruptHome.ENGINE, code)
                .cpu("host,hv_relaxed,hv_time")
                .build()) {
            vm.start();
            assertThat(vm.await(PATIENCE)).isEqualTo(new ExitReason.DebugExit(0x2b));
        }
        assertThat(console.text()).isEqualTo("Hv#1");
    }

    @Test
    void aGuestThatLoadsAnEmptyInterruptTableTripleFaults() throws Exception {
        // push 0; push 0; lidt [esp]; ud2 — with the stack pointer at 0x100000
        ExitReason reason = run(InterruptHome.ENGINE, "bc000010006a006a000f011c240f0b");
        assertThat(reason).isInstanceOf(ExitReason.TripleFault.class);
    }

    @Test
    void aHaltedGuestIsPausedLookedAtResetAndKilled() throws Exception {
        // hlt; jmp to it
        try (VirtualMachine vm = machine(InterruptHome.ENGINE, "f4ebfd").cpus(2).build()) {
            vm.start();
            var monitor = new Monitor(vm, "test");
            for (int i = 0; i < 20; i++) {
                vm.pause();
                vm.resume();
            }
            assertThat(monitor.execute("info kvm")).startsWith("kvm support: enabled");
            assertThat(monitor.execute("info cpus")).contains("pc=0x00000000004000");
            vm.reset();
            assertThat(vm.state()).isEqualTo(VmState.RUNNING);
            vm.kill();
            assertThat(vm.await(PATIENCE)).isEqualTo(new ExitReason.Killed());
        }
    }

    private ExitReason run(InterruptHome home, String code) throws Exception {
        try (VirtualMachine vm = machine(home, code).build()) {
            vm.start();
            return vm.await(PATIENCE);
        }
    }

    private VirtualMachineBuilder machine(InterruptHome home, String code) throws IOException {
        byte[] file = KernelFiles.multiboot32(0x40_0000, 4096, HexFormat.of().parseHex(code));
        Hypervisor kvm = Engines.named("kvm");
        return VirtualMachine.builder()
                .engine(kvm)
                .cpu("host")
                .interrupts(home)
                .kernel(Files.write(directory.resolve("guest"), file))
                .memory(16)
                .serial(console)
                .testDevice(new VmConfig.TestDevice.DebugExit(0xf4, 4));
    }
}

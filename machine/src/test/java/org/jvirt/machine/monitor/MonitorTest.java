package org.jvirt.machine.monitor;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.jvirt.machine.ExitReason;
import org.jvirt.machine.ScriptedHypervisor;
import org.jvirt.machine.VirtualMachine;
import org.jvirt.machine.VmState;
import org.jvirt.machine.boot.KernelFiles;

@Timeout(60)
final class MonitorTest {
    @TempDir
    private Path directory;

    private VirtualMachine vm;
    private Monitor monitor;

    @BeforeEach
    void start() throws IOException {
        byte[] kernel = KernelFiles.bzImage(4096, true);
        // At the entry point: mov eax,0x2a; ret; then bytes that are no instruction.
        byte[] code = {(byte) 0xb8, 0x2a, 0, 0, 0, (byte) 0xc3, 0x0f, (byte) 0xff};
        System.arraycopy(code, 0, kernel, kernel.length - 4096 + 0x200, code.length);
        vm = VirtualMachine.builder()
                .name("watched")
                .engine(new ScriptedHypervisor(ScriptedHypervisor::halt))
                .kernel(Files.write(directory.resolve("vmlinuz"), kernel))
                .memory(32)
                .cpus(2)
                .rng()
                .build();
        vm.start();
        monitor = new Monitor(vm, "jvirt 1.2.3");
    }

    @AfterEach
    void close() {
        vm.close();
    }

    @Test
    void helpListsEveryCommand() {
        assertThat(monitor.execute("help"))
                .contains("info SUBJECT", "stop --", "cont --", "system_reset", "system_powerdown", "quit", "x /FMT");
        assertThat(monitor.execute("info")).contains("info status", "info cpus", "info mtree", "info pci");
        assertThat(monitor.execute("?")).isEqualTo(monitor.execute("help"));
    }

    @Test
    void tellsWhatTheEngineHasTranslated() {
        assertThat(monitor.execute("info jit"))
                .isEqualTo("Nothing is translated on engine %s\n".formatted(vm.engine()));
    }

    @Test
    void stopAndContChangeTheState() {
        assertThat(monitor.execute("info status")).isEqualTo("VM status: running\n");
        assertThat(monitor.execute("stop")).isEmpty();
        assertThat(monitor.execute("info status")).isEqualTo("VM status: paused\n");
        assertThat(monitor.execute("c")).isEmpty();
        assertThat(vm.state()).isEqualTo(VmState.RUNNING);
    }

    @Test
    void quitEndsTheMachine() throws Exception {
        assertThat(monitor.execute("quit")).isEmpty();
        assertThat(vm.await(Duration.ofSeconds(30))).isEqualTo(new ExitReason.Killed());
        assertThat(monitor.execute("info status")).isEqualTo("VM status: shutdown\n");
        assertThat(monitor.execute("system_powerdown")).startsWith("Error: ");
    }

    @Test
    void showsTheMachine() {
        assertThat(monitor.execute("info version")).isEqualTo("jvirt 1.2.3\n");
        assertThat(monitor.execute("info name")).isEqualTo("watched\n");
        assertThat(monitor.execute("info cpus"))
                .contains("* CPU #0: pc=0x0000000001000200", "  CPU #1: ", "(wait_for_sipi)");
        assertThat(monitor.execute("info registers"))
                .contains("CPU#0 RUNNING", "RIP=0000000001000200", "EFER=0000000000000500");
        assertThat(monitor.execute("info registers -a")).contains("CPU#0", "CPU#1");
        assertThat(monitor.execute("info mtree"))
                .contains(
                        "0000000000000000-000000000009ffff: ram 0",
                        "00000000fec00000-00000000fec00fff: io-apic",
                        "pci-ecam",
                        "rtc");
        assertThat(monitor.execute("info pic"))
                .contains("pic0: lines=", "ioapic: id=0", "  pin 23 0000000000010000 line=low vector=00 fixed edge")
                .contains(", masked\n");
        assertThat(monitor.execute("info lapic"))
                .startsWith("lapic 0: base=fee00900 ")
                .contains("  timer   00010000 vector=00 one-shot, masked\n")
                .endsWith("  requested (IRR): none\n  in service (ISR): none\n");
        assertThat(monitor.execute("info pci")).contains("8086:29c0", "1af4:1044 rng0");
        assertThat(monitor.execute("info unhandled")).startsWith("reads without a device: ");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "xp/2xw 0x1000200 | 0000000001000200: 0x00002ab8 0xff0fc300",
                "x /1xg 0x1000200 | 0000000001000200: 0xff0fc30000002ab8",
                "xp/4xb 16777728 | 0000000001000200: 0xb8 0x2a 0x00 0x00",
                "xp/1dh 0x1000204 | 0000000001000204: -15616",
                "xp/1uh 0x1000204 | 0000000001000204: 49920",
                "xp/2c 0x1000201 | 0000000001000201: '*' \\x00",
                "x 0x100000000 | 0000000100000000: Cannot access memory",
            })
    void dumpsMemory(String command, String answer) {
        assertThat(monitor.execute(command)).isEqualTo(answer + "\n");
    }

    @Test
    void disassemblesInTheProcessorsMode() {
        String[] lines = monitor.execute("x/3i 0x1000200").split("\n", -1);
        assertThat(lines[0]).isEqualTo("0x0000000001000200: mov eax,0x2a");
        assertThat(lines[1]).isEqualTo("0x0000000001000205: ret");
        assertThat(lines[2]).startsWith("0x0000000001000206: ");
    }

    @Test
    void wrongInputIsAnsweredNeverThrown() {
        assertThat(monitor.execute("")).isEmpty();
        assertThat(monitor.execute("nonsense")).isEqualTo("unknown command: 'nonsense' (try 'help')\n");
        assertThat(monitor.execute("info nonsense")).isEqualTo("unknown subject: 'nonsense' (try 'info')\n");
        assertThat(monitor.execute("x")).isEqualTo("Error: give an address\n");
        assertThat(monitor.execute("x/9999x 0")).startsWith("Error: At most 4096 items");
        assertThat(monitor.execute("x/z 0")).startsWith("Error: '/z' is no format");
        assertThat(monitor.execute("x zero")).startsWith("Error: 'zero' is no number");
        assertThat(monitor.execute("cpu 7")).isEqualTo("Error: give a CPU from 0 to 1\n");
        assertThat(monitor.execute("cpu 1")).isEmpty();
        assertThat(monitor.execute("info registers")).contains("CPU#1 WAIT_FOR_SIPI");
    }
}

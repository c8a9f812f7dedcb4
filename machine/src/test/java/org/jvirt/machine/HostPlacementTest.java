package org.jvirt.machine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.jvirt.core.HostFailureException;
import org.jvirt.core.UserErrorException;
import org.jvirt.machine.boot.KernelFiles;
import org.jvirt.machine.host.HostSettings;
import org.jvirt.machine.host.Priority;

/// Threads of a machine as the kernel shows them under `/proc/self/task`.
@Timeout(60)
final class HostPlacementTest {
    @TempDir
    private Path directory;

    @Test
    void processorsRunWhereTheyWereTold() throws Exception {
        try (VirtualMachine vm = machine("pin1").cpus(2).cpuAffinity(0, "0").build()) {
            vm.start();
            assertThat(status("pin1-vcpu0", "Cpus_allowed_list:")).isEqualTo("0");
            assertThat(status("pin1-vcpu1", "Cpus_allowed_list:"))
                    .isEqualTo(status("pin1-control", "Cpus_allowed_list:"));
        }
    }

    @Test
    void processorsHaveThePriorityTheyWereGiven() throws Exception {
        HostSettings nice = HostSettings.DEFAULT.withVcpuPriority(new Priority.Nice(9));
        try (VirtualMachine vm = machine("nice1").host(nice).build()) {
            vm.start();
            String stat = Files.readString(task("nice1-vcpu0").resolve("stat"));
            assertThat(stat.substring(stat.lastIndexOf(')') + 2).split(" ")[16]).isEqualTo("9");
        }
    }

    @Test
    void hostProcessorsThatDoNotExistAreRefusedWhenTheMachineIsMade() {
        assertThatThrownBy(() -> machine("pin2").cpuAffinity(0, "4000").build())
                .isInstanceOf(UserErrorException.class)
                .hasMessageStartingWith("This host has no CPUs 4000: it has ");
        assertThatThrownBy(() -> machine("pin3").ioAffinity("4000").build()).isInstanceOf(UserErrorException.class);
    }

    @Test
    void aThreadThatCannotBeSetUpEndsTheMachineWithTheReason() throws Exception {
        // Real time is refused to users and given to root: the machine has it, or says why not.
        HostSettings eager = HostSettings.DEFAULT.withVcpuPriority(new Priority.RealTime(true, 1));
        try (VirtualMachine vm = machine("rr1").host(eager).build()) {
            try {
                vm.start();
            } catch (HostFailureException e) {
                assertThat(e).hasMessageContaining("CAP_SYS_NICE");
                assertThat(vm.state()).isEqualTo(VmState.ENDED);
                return;
            }
            String stat = Files.readString(task("rr1-vcpu0").resolve("stat"));
            assertThat(stat.substring(stat.lastIndexOf(')') + 2).split(" ")[38]).isEqualTo("2");
        }
    }

    private VirtualMachineBuilder machine(String name) throws IOException {
        Path kernel = Files.write(directory.resolve("vmlinuz"), KernelFiles.bzImage(4096, true));
        return VirtualMachine.builder()
                .name(name)
                .engine(new ScriptedHypervisor(ScriptedHypervisor::halt))
                .kernel(kernel)
                .memory(32);
    }

    private static String status(String thread, String key) throws IOException {
        return Files.readAllLines(task(thread).resolve("status")).stream()
                .filter(line -> line.startsWith(key))
                .map(line -> line.substring(key.length()).strip())
                .findFirst()
                .orElseThrow();
    }

    private static Path task(String thread) throws IOException {
        try (var tasks = Files.list(Path.of("/proc/self/task"))) {
            List<Path> found = tasks.filter(task -> isNamed(task, thread)).toList();
            return found.getFirst();
        }
    }

    private static boolean isNamed(Path task, String thread) {
        try {
            return Files.readString(task.resolve("comm")).strip().equals(thread);
        } catch (IOException e) {
            // The thread has ended meanwhile.
            return false;
        }
    }
}

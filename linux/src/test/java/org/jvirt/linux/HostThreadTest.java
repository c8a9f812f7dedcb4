package org.jvirt.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.BitSet;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.Test;

/// Each test changes a thread of its own and reads back what the kernel says of it.
class HostThreadTest {
    @Test
    void aPinnedThreadMayRunOnItsProcessorsOnly() throws Exception {
        var one = new BitSet();
        one.set(0);
        String allowed = onOwnThread(() -> {
            HostThread.pin(one);
            return status("Cpus_allowed_list:");
        });
        assertThat(allowed).isEqualTo("0");
    }

    @Test
    void processorsThatTheHostHasNotAreRefused() {
        var far = new BitSet();
        far.set(1000);
        assertThatThrownBy(() -> onOwnThread(() -> {
                    HostThread.pin(far);
                    return "";
                }))
                .hasRootCauseInstanceOf(SystemCallException.class)
                .rootCause()
                .hasMessage("Cannot keep a thread on host CPUs {1000}: invalid argument (EINVAL); name CPUs that this"
                        + " process may use");
    }

    @Test
    void niceAndPolicyAreWhatTheKernelShows() throws Exception {
        String nice = onOwnThread(() -> {
            HostThread.nice(7);
            return stat(19);
        });
        assertThat(nice).isEqualTo("7");
        String policy = onOwnThread(() -> {
            HostThread.schedule(HostThread.Policy.BATCH, 0);
            return stat(41);
        });
        assertThat(policy).isEqualTo("3");
    }

    private static String onOwnThread(Callable<String> action) throws Exception {
        try (var executor = Executors.newSingleThreadExecutor()) {
            return executor.submit(action).get();
        }
    }

    private static String status(String key) throws Exception {
        return Files.readAllLines(Path.of("/proc/self/task/" + HostThread.id() + "/status")).stream()
                .filter(line -> line.startsWith(key))
                .map(line -> line.substring(key.length()).strip())
                .findFirst()
                .orElseThrow();
    }

    /// A field of `/proc/PID/stat`, counted from 1 as in `proc(5)`.
    private static String stat(int field) throws Exception {
        String line = Files.readString(Path.of("/proc/self/task/" + HostThread.id() + "/stat"));
        String behindName = line.substring(line.lastIndexOf(')') + 2);
        return behindName.split(" ")[field - 3];
    }
}

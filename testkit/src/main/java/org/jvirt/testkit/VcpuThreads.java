package org.jvirt.testkit;

import java.time.Duration;
import java.util.List;
import org.jvirt.core.Vcpu;

/// Threads in which the processors of a test's machine run.
public final class VcpuThreads {
    private static final Duration KICK_AGAIN = Duration.ofMillis(20);

    private VcpuThreads() {}

    /// Waits until no processor runs, which is to be so before a machine is closed: after a test that has failed,
    /// one may.
    public static void stop(List<Thread> threads, List<Vcpu> vcpus) {
        boolean interrupted = Thread.interrupted();
        for (Thread thread : threads) {
            while (thread.isAlive()) {
                vcpus.forEach(Vcpu::kick);
                try {
                    thread.join(KICK_AGAIN);
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}

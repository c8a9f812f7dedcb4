package org.jvirt.acceptance;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.jvirt.machine.ExitReason;

@Tag("acceptance")
final class FourProcessorsTest {
    /// With AVX2, whose state the kernel saves and restores through XSAVE.
    @Test
    void fourProcessorsWorkAndAPanicResetsTheMachine() throws InterruptedException {
        try (Guest guest = Guest.start(
                builder -> builder.cpus(4).cpu("x86-64-v3").memory(512).reboot(false))) {
            Shell shell = guest.shell();
            Processors.check(shell, 4);
            assertThat(shell.run("grep -m1 flags /proc/cpuinfo")).contains(" avx2 ");
            assertThat(KernelMessages.unexplained(shell.run("dmesg -r"))).isEmpty();
            guest.type("echo c > /proc/sysrq-trigger\n");
            assertThat(guest.end()).isEqualTo(new ExitReason.ResetRequested());
            assertThat(guest.transcript()).contains("Kernel panic - not syncing: sysrq triggered crash");
        }
    }
}

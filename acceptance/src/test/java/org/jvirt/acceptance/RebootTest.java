package org.jvirt.acceptance;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("acceptance")
final class RebootTest {
    @Test
    void aRebootAndAPanicStartTheGuestAgain() throws InterruptedException {
        try (Guest guest = Guest.start(builder -> builder)) {
            Shell shell = guest.shell();
            String first = shell.run("cat /proc/sys/kernel/random/boot_id");
            guest.type("reboot -f\n");
            shell = guest.shell();
            String second = shell.run("cat /proc/sys/kernel/random/boot_id");
            guest.type("echo c > /proc/sysrq-trigger\n");
            guest.expect("Kernel panic", Shell.PATIENCE);
            shell = guest.shell();
            String third = shell.run("cat /proc/sys/kernel/random/boot_id");
            assertThat(first).hasSize(36);
            assertThat(second).hasSize(36).isNotEqualTo(first);
            assertThat(third).hasSize(36).isNotEqualTo(first).isNotEqualTo(second);
            guest.powerOff();
        }
    }
}

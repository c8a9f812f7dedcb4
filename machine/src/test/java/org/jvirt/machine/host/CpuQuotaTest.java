package org.jvirt.machine.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.jvirt.core.HostFailureException;

class CpuQuotaTest {
    @TempDir
    private Path notControlGroups;

    @Test
    void whereGroupsAreNotTheUsersToMakeTheRemedyIsNamedAndNothingIsLeft() throws IOException {
        assertThatThrownBy(() -> CpuQuota.create(notControlGroups, "a/b", 50))
                .isInstanceOf(HostFailureException.class)
                .hasMessageStartingWith("Cannot limit CPU time with a control group below " + notControlGroups)
                .hasMessageContaining("Delegate=yes");
        try (var left = Files.list(notControlGroups)) {
            assertThat(left).isEmpty();
        }
    }

    @Test
    void aThreadUnderAQuotaIsInTheGroupWithItsLimit() throws Exception {
        CpuQuota quota;
        try {
            quota = CpuQuota.create("test", 150);
        } catch (HostFailureException e) {
            Assumptions.abort("This host does not let the user make control groups: " + e.getMessage());
            return;
        }
        try (quota) {
            assertThat(Files.readString(quota.group().resolve("cpu.max"))).isEqualTo("150000 100000\n");
            Thread thread = Thread.ofPlatform().start(() -> {
                quota.enter();
                assertThat(quota.group().resolve("cgroup.threads")).content().isNotBlank();
            });
            thread.join();
        }
        assertThat(quota.group()).doesNotExist();
    }
}

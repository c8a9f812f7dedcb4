package org.jvirt.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.jvirt.core.UserErrorException;
import org.jvirt.machine.host.HostSettings;
import org.jvirt.machine.host.NumberSet;
import org.jvirt.machine.host.Priority;
import org.jvirt.machine.host.RamSettings;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;

class HostOptionsTest {
    private static HostSettings settings(String... words) {
        var options = new HostOptions();
        var spec = CommandSpec.create().addMixin("host", CommandSpec.forAnnotatedObject(options));
        new CommandLine(spec).parseArgs(words);
        return options.settings();
    }

    @Test
    void withoutOptionsTheHostDoesAsItLikes() {
        assertThat(settings()).isEqualTo(HostSettings.DEFAULT);
    }

    @Test
    void eachOptionSetsItsPart() {
        HostSettings host = settings(
                "--cpu-affinity", "0=0-1,1=2", "--io-affinity", "3", "--cpu-priority", "nice=5", "--cpu-quota", "150");
        assertThat(host.vcpuAffinity().get(0)).hasToString("0-1");
        assertThat(host.vcpuAffinity().get(1)).hasToString("2");
        assertThat(host.ioAffinity()).contains(NumberSet.parse("", "3"));
        assertThat(host.vcpuPriority()).contains(new Priority.Nice(5));
        assertThat(host.cpuQuotaPercent()).hasValue(150);
        assertThat(settings("--memory-reserve", "--memory-lock", "--memory-merge")
                        .ram())
                .isEqualTo(
                        RamSettings.DEFAULT.withReserved(true).withLocked(true).withMergeable(true));
        assertThat(settings("--memory-pages", "2m").ram().pages()).isEqualTo(RamSettings.Pages.HUGE_2_MIB);
        assertThat(settings("--memory-dir", "/dev/hugepages").ram().directory()).contains(Path.of("/dev/hugepages"));
        assertThat(settings("--memory-nodes", "interleave:0-1").ram().nodes())
                .contains(new RamSettings.Nodes(RamSettings.Spread.INTERLEAVE, NumberSet.parse("", "0-1")));
        assertThat(settings("--memory-nodes", "1").ram().nodes())
                .contains(new RamSettings.Nodes(RamSettings.Spread.BIND, NumberSet.parse("", "1")));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "--memory-pages 4K",
                "--memory-nodes near:0",
                "--memory-nodes x",
                "--cpu-affinity 0",
                "--cpu-priority fast",
                "--cpu-quota 0",
                "--memory-merge --memory-pages 2M",
            })
    void whatMakesNoSenseIsRefused(String words) {
        assertThatThrownBy(() -> settings(words.split(" "))).isInstanceOf(UserErrorException.class);
    }
}

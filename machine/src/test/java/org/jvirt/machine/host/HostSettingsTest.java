package org.jvirt.machine.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.jvirt.core.UserErrorException;

class HostSettingsTest {
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {"0|0", "0-3|0-3", "0,1,2,8|0-2,8", "5,1|1,5", "7-7|7", "0-1,1-2|0-2"})
    void setsOfNumbersAreWrittenAsLinuxWritesThem(String text, String canonical) {
        assertThat(NumberSet.parse("--x", text)).hasToString(canonical);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "a", "1-", "-1", "3-1", "1,,2", "99999", "0-8192", "1 2", "123456"})
    void otherSetsAreRefused(String text) {
        assertThatThrownBy(() -> NumberSet.parse("--io-affinity", text))
                .isInstanceOf(UserErrorException.class)
                .hasMessage("--io-affinity: '%s' is no set of numbers: write 3, 0-3 or 0-1,8", text);
    }

    @Test
    void affinityHasASetForEachProcessorNamed() {
        Map<Integer, NumberSet> sets = HostSettings.parseAffinity("--cpu-affinity", "0=0-1,3,1=2");
        assertThat(sets).hasSize(2);
        assertThat(sets.get(0)).hasToString("0-1,3");
        assertThat(sets.get(1)).hasToString("2");
        for (String bad : new String[] {"", "0", "=1", "x=1", "0=", "0=1,1="}) {
            assertThatThrownBy(() -> HostSettings.parseAffinity("--cpu-affinity", bad))
                    .as(bad)
                    .isInstanceOf(UserErrorException.class);
        }
    }

    @Test
    void affinityOfAProcessorThatTheMachineHasNotIsRefused() {
        HostSettings settings = HostSettings.DEFAULT.withVcpuAffinity(HostSettings.parseAffinity("x", "0=0,2=1"));
        settings.check(3);
        assertThatThrownBy(() -> settings.check(2))
                .isInstanceOf(UserErrorException.class)
                .hasMessage("CPU affinity names processor 2 of a machine with 2, counted from 0");
    }

    @Test
    void prioritiesAreChecked() {
        assertThat(Priority.parse("x", "nice=-5")).isEqualTo(new Priority.Nice(-5));
        assertThat(Priority.parse("x", "fifo=10")).isEqualTo(new Priority.RealTime(false, 10));
        assertThat(Priority.parse("x", "rr=99")).isEqualTo(new Priority.RealTime(true, 99));
        assertThat(Priority.parse("x", "idle")).isEqualTo(new Priority.Idle());
        for (String bad : new String[] {"nice", "nice=20", "fifo=0", "rr=100", "fast", "nice=x", ""}) {
            assertThatThrownBy(() -> Priority.parse("x", bad)).as(bad).isInstanceOf(UserErrorException.class);
        }
    }

    @Test
    void memoryThatCannotBeSharedIsNotMerged() {
        RamSettings merged = RamSettings.DEFAULT.withMergeable(true);
        assertThatThrownBy(() -> merged.withPages(RamSettings.Pages.HUGE_2_MIB)).isInstanceOf(UserErrorException.class);
        assertThatThrownBy(() -> merged.withDirectory(Path.of("/dev/shm"))).isInstanceOf(UserErrorException.class);
        assertThatThrownBy(() -> new RamSettings.Nodes(RamSettings.Spread.PREFERRED, NumberSet.parse("x", "0-1")))
                .isInstanceOf(UserErrorException.class);
        assertThat(merged.withNodes(new RamSettings.Nodes(RamSettings.Spread.BIND, NumberSet.parse("x", "0-1")))
                        .nodes())
                .isNotEqualTo(Optional.empty());
    }
}

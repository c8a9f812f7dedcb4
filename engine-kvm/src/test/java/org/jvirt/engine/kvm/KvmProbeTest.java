package org.jvirt.engine.kvm;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class KvmProbeTest {
    @TempDir
    private Path directory;

    private Path cpuInfo(String flags) throws Exception {
        return Files.writeString(
                directory.resolve("cpuinfo"),
                "processor\t: 0\nflags\t\t: fpu %s lm\n\nprocessor\t: 1\n".formatted(flags));
    }

    @Test
    void aMissingDeviceNamesTheModule() throws Exception {
        KvmProbe probe = KvmProbe.probe(directory.resolve("kvm"), cpuInfo("vmx"));
        assertThat(probe.problem())
                .hasValueSatisfying(text -> assertThat(text)
                        .contains("there is no", "modprobe kvm_intel or kvm_amd")
                        .doesNotContain("\n"));
        assertThat(probe.recommended()).isFalse();
        assertThat(probe.warning()).isEmpty();
    }

    @Test
    void anotherDeviceIsNotTakenForKvm() throws Exception {
        assertThat(KvmProbe.probe(Path.of("/dev/null"), cpuInfo("svm")).problem())
                .hasValueSatisfying(text -> assertThat(text).contains("/dev/null is not the KVM device"));
    }

    @Test
    void onlyADeviceWithHardwareBehindItIsRecommended() throws Exception {
        assertThat(new KvmProbe(Optional.empty(), true).recommended()).isTrue();
        assertThat(new KvmProbe(Optional.empty(), true).warning()).isEmpty();
        assertThat(new KvmProbe(Optional.empty(), false).recommended()).isFalse();
        assertThat(new KvmProbe(Optional.empty(), false).warning())
                .hasValueSatisfying(text -> assertThat(text).contains("neither vmx nor svm", "--engine soft"));
        assertThat(KvmProbe.probe(directory, cpuInfo("vmx")).hardware()).isTrue();
        assertThat(KvmProbe.probe(directory, cpuInfo("svm")).hardware()).isTrue();
        assertThat(KvmProbe.probe(directory, cpuInfo("hypervisor svm_lock")).hardware())
                .isFalse();
        assertThat(KvmProbe.probe(directory, directory.resolve("none")).hardware())
                .isFalse();
    }
}

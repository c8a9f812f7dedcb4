package org.jvirt.cli.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.jvirt.cli.doctor.Finding.Grade;

class DoctorTest {
    @TempDir
    private Path root;

    private void file(String path, String content) throws IOException {
        Path file = root.resolve(path);
        Files.createDirectories(file.getParent());
        Files.writeString(file, content);
    }

    private Map<String, Finding> examine() {
        return new Doctor(new HostFiles(root))
                .examine().stream().collect(Collectors.toMap(Finding::subject, Function.identity()));
    }

    @Test
    void anEmptyHostIsExaminedWithoutFailing() {
        Map<String, Finding> findings = examine();
        assertThat(findings.get("KVM").grade()).isEqualTo(Grade.MISSING);
        assertThat(findings.get("KSM").grade()).isEqualTo(Grade.MISSING);
        assertThat(findings.get("Tap networking").remedy()).contains("modprobe tun");
    }

    @Test
    void hardwareWithoutTheModuleNamesTheModule() throws IOException {
        file("proc/cpuinfo", "processor\t: 0\nflags\t\t: fpu svm\n");
        assertThat(examine().get("KVM").remedy()).contains("modprobe kvm-amd");
        file("proc/cpuinfo", "processor\t: 0\nflags\t\t: fpu vmx\n");
        assertThat(examine().get("KVM").remedy()).contains("modprobe kvm-intel");
    }

    @Test
    void aNodeThatIsNoKvmIsNotTakenForOne() throws IOException {
        file("dev/kvm", "");
        Finding kvm = examine().get("KVM");
        assertThat(kvm.grade()).isEqualTo(Grade.MISSING);
        assertThat(kvm.detail()).contains("KVM_GET_API_VERSION");
    }

    @Test
    void processorLevelAndLimitsAreRead() throws IOException {
        file(
                "proc/cpuinfo",
                "model name\t: Test CPU\nflags\t\t: cx16 lahf_lm popcnt sse4_1 sse4_2 ssse3 avx avx2 bmi1 bmi2 f16c fma abm movbe xsave\n");
        file("sys/fs/cgroup/memory.max", "536870912\n");
        file("sys/kernel/mm/ksm/run", "1\n");
        file("sys/kernel/mm/transparent_hugepage/shmem_enabled", "always [advise] never\n");
        Map<String, Finding> findings = examine();
        assertThat(findings.get("Processor").detail()).contains("Test CPU").contains("x86-64-v3");
        assertThat(findings.get("Memory limit").detail()).isEqualTo("512 MiB for this control group");
        assertThat(findings.get("KSM").grade()).isEqualTo(Grade.GOOD);
        assertThat(findings.get("Huge pages").grade()).isEqualTo(Grade.GOOD);
    }
}

package org.jvirt.cli.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Assumptions;
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

    private Finding kvm() {
        return examine().get("KVM");
    }

    @Test
    void hardwareWithoutTheModuleNamesTheModule() throws IOException {
        file("proc/cpuinfo", "processor\t: 0\nflags\t\t: fpu svm\n");
        assertThat(kvm().detail()).contains("svm", "kvm_amd is not loaded");
        assertThat(kvm().remedy()).startsWith("sudo modprobe kvm_amd").contains("firmware");
        file("proc/cpuinfo", "processor\t: 0\nflags\t\t: fpu vmx\n");
        assertThat(kvm().remedy()).startsWith("sudo modprobe kvm_intel");
        file(".dockerenv", "");
        assertThat(kvm().remedy()).startsWith("on the host around this container: sudo modprobe kvm_intel");
    }

    @Test
    void aContainerWithoutTheDeviceIsTold() throws IOException {
        file("proc/cpuinfo", "processor\t: 0\nflags\t\t: fpu vmx\n");
        file("sys/module/kvm_intel/refcnt", "0\n");
        assertThat(kvm().detail()).contains("kvm_intel loaded", "a container without the device");
        assertThat(kvm().remedy()).contains("--device /dev/kvm");
    }

    @Test
    void aVirtualMachineWithoutNestingIsToldApartFromFirmwareThatSwitchedItOff() throws IOException {
        file("proc/cpuinfo", "processor\t: 0\nvendor_id\t: AuthenticAMD\nflags\t\t: fpu hypervisor\n");
        assertThat(kvm().detail()).contains("itself a virtual machine", "nested virtualization");
        assertThat(kvm().remedy()).contains("modprobe kvm_amd nested=1");
        file("proc/cpuinfo", "processor\t: 0\nvendor_id\t: AuthenticAMD\nflags\t\t: fpu\n");
        assertThat(kvm().remedy()).contains("firmware", "SVM Mode");
        file("proc/cpuinfo", "processor\t: 0\nvendor_id\t: GenuineIntel\nflags\t\t: fpu\n");
        assertThat(kvm().remedy()).contains("firmware", "VT-x");
    }

    @Test
    void aNodeThatIsNoKvmIsNotTakenForOne() throws IOException {
        file("dev/kvm", "");
        assertThat(kvm().grade()).isEqualTo(Grade.MISSING);
        assertThat(kvm().detail()).contains("KVM_GET_API_VERSION");
    }

    @Test
    void aNodeThatMayNotBeOpenedNamesItsGroup() throws IOException {
        file("dev/kvm", "");
        Path node = root.resolve("dev/kvm");
        Files.setPosixFilePermissions(node, Set.of());
        Assumptions.assumeFalse(Files.isReadable(node), "This user may open everything");
        String group = Files.getAttribute(node, "unix:group").toString();
        assertThat(kvm().detail()).contains("group " + group);
        assertThat(kvm().remedy()).contains("usermod -aG " + group);
    }

    @Test
    void aNodeWithoutDriverAsksForTheModule() throws IOException {
        file("proc/cpuinfo", "processor\t: 0\nflags\t\t: fpu vmx\n");
        // Opening a socket's name fails with ENXIO, as opening a device without driver does.
        Files.createDirectories(root.resolve("dev"));
        try (var socket = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            socket.bind(UnixDomainSocketAddress.of(root.resolve("dev/kvm")));
            assertThat(kvm().detail()).contains("no driver is behind it", "kvm_intel");
        }
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

package org.jvirt.cli.doctor;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/// Examines the host for running virtual machines.
public final class Doctor {
    private static final List<String> V2 = List.of("cx16", "lahf_lm", "popcnt", "sse4_1", "sse4_2", "ssse3");
    private static final List<String> V3 =
            List.of("avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "abm", "movbe", "xsave");
    private static final long UNLIMITED = 1L << 60;

    private final HostFiles host;

    public Doctor(HostFiles host) {
        this.host = host;
    }

    public List<Finding> examine() {
        Set<String> flags = host.field("/proc/cpuinfo", "flags")
                .map(f -> (Set<String>) new TreeSet<>(Arrays.asList(f.split("\\s+"))))
                .orElse(Set.of());
        var findings = new ArrayList<Finding>();
        findings.add(java());
        findings.add(processor(flags));
        findings.add(KvmCheck.examine(host, flags));
        findings.add(memory());
        findings.add(memoryLimit());
        findings.add(hugePages());
        findings.add(samePageMerging());
        findings.add(tun());
        findings.add(userNamespaces());
        return findings;
    }

    private static Finding java() {
        return Finding.good(
                "Java",
                "%s %s, %s"
                        .formatted(
                                System.getProperty("java.vm.name"), Runtime.version(), System.getProperty("os.arch")));
    }

    private Finding processor(Set<String> flags) {
        String model = host.field("/proc/cpuinfo", "model name").orElse(System.getProperty("os.arch"));
        int count = Runtime.getRuntime().availableProcessors();
        String level = flags.containsAll(V2) ? flags.containsAll(V3) ? "x86-64-v3" : "x86-64-v2" : "below x86-64-v2";
        String detail = "%s, %d available, %s".formatted(model, count, level);
        return count > 1
                ? Finding.good("Processor", detail)
                : Finding.fair(
                        "Processor",
                        detail,
                        "give the host or container a second processor: one is shared by "
                                + "the guest and its devices");
    }

    private Finding memory() {
        long total = kibibytes("MemTotal");
        long available = kibibytes("MemAvailable");
        String detail = "%d MiB, %d MiB available".formatted(total >> 10, available >> 10);
        return available > 1 << 20
                ? Finding.good("Memory", detail)
                : Finding.fair("Memory", detail, "give guests little memory, for example --memory 256M");
    }

    private Finding memoryLimit() {
        Optional<Long> limit = host.read("/sys/fs/cgroup/memory.max")
                .or(() -> host.read("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
                .flatMap(Doctor::number)
                .filter(bytes -> bytes < UNLIMITED);
        return limit.isEmpty()
                ? Finding.good("Memory limit", "none for this control group")
                : Finding.fair(
                        "Memory limit",
                        "%d MiB for this control group".formatted(limit.get() >> 20),
                        "keep all guests' memory, and 200 MiB for each, below it");
    }

    private Finding hugePages() {
        long reserved = host.field("/proc/meminfo", "HugePages_Total")
                .flatMap(Doctor::number)
                .orElse(0L);
        String shared = host.read("/sys/kernel/mm/transparent_hugepage/shmem_enabled")
                .map(Doctor::chosen)
                .orElse("unavailable");
        String detail = "transparent for shared memory: %s; reserved: %d".formatted(shared, reserved);
        boolean used = List.of("advise", "always", "within_size", "force").contains(shared);
        return used
                ? Finding.good("Huge pages", detail)
                : Finding.fair(
                        "Huge pages",
                        detail,
                        "faster guests: echo advise | sudo tee /sys/kernel/mm/transparent_hugepage/shmem_enabled");
    }

    private Finding samePageMerging() {
        Optional<String> run = host.read("/sys/kernel/mm/ksm/run");
        if (run.isEmpty()) {
            return Finding.missing("KSM", "this kernel has no same-page merging", "nothing to do for a few guests");
        }
        return run.get().equals("1")
                ? Finding.good("KSM", "on")
                : Finding.fair(
                        "KSM",
                        "off",
                        "many like guests need less memory with: echo 1 | sudo tee /sys/kernel/mm/ksm/run");
    }

    private Finding tun() {
        return host.exists("/dev/net/tun")
                ? Finding.good("Tap networking", "/dev/net/tun is there")
                : Finding.missing("Tap networking", "no /dev/net/tun", "sudo modprobe tun; not needed by this release");
    }

    private Finding userNamespaces() {
        long most = host.read("/proc/sys/user/max_user_namespaces")
                .flatMap(Doctor::number)
                .orElse(0L);
        boolean allowed = host.read("/proc/sys/kernel/unprivileged_userns_clone")
                .map(v -> v.equals("1"))
                .orElse(true);
        return most > 0 && allowed
                ? Finding.good("User namespaces", "available to users")
                : Finding.missing(
                        "User namespaces",
                        "not available to users",
                        "sudo sysctl user.max_user_namespaces=15000 kernel.unprivileged_userns_clone=1");
    }

    private long kibibytes(String key) {
        return host.field("/proc/meminfo", key)
                .flatMap(v -> number(v.replace(" kB", "")))
                .orElse(0L);
    }

    private static Optional<Long> number(String text) {
        try {
            return Optional.of(Long.parseLong(text));
        } catch (NumberFormatException e) {
            return Optional.empty();
        }
    }

    /// The word in brackets of a list such as `always [madvise] never`.
    private static String chosen(String list) {
        int open = list.indexOf('[');
        int close = list.indexOf(']', open + 1);
        return open < 0 || close < 0 ? list : list.substring(open + 1, close);
    }
}

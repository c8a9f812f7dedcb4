package org.jvirt.engine.kvm;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import org.jvirt.core.HostFailureException;

/// Whether KVM can be used on this host, and whether hardware stands behind it.
///
/// @param problem  why it cannot be used, with the remedy, as one line; empty if it can
/// @param hardware whether the host's processor shows Intel's or AMD's virtualization (`vmx`, `svm`); a `/dev/kvm`
///                 without it executes a few million instructions a second
public record KvmProbe(Optional<String> problem, boolean hardware) {
    private static final Path CPU_INFO = Path.of("/proc/cpuinfo");

    /// Looks at this host.
    public static KvmProbe probe() {
        return probe(KvmDevice.PATH, CPU_INFO);
    }

    static KvmProbe probe(Path device, Path cpuInfo) {
        Optional<String> problem = Optional.empty();
        if (!System.getProperty("os.arch").equals("amd64")) {
            problem = Optional.of("Cannot use KVM: jvirt's guests are x86-64, and this host's processor is "
                    + System.getProperty("os.arch"));
        } else {
            try {
                KvmDevice.open(device).close();
            } catch (HostFailureException e) {
                problem = Optional.of(String.valueOf(e.getMessage()));
            }
        }
        return new KvmProbe(problem, hasVirtualization(cpuInfo));
    }

    private static boolean hasVirtualization(Path cpuInfo) {
        try (var lines = Files.lines(cpuInfo)) {
            return lines.filter(line -> line.startsWith("flags"))
                    .limit(1)
                    .flatMap(line -> Arrays.stream(line.split("\\s+")))
                    .anyMatch(flag -> flag.equals("vmx") || flag.equals("svm"));
        } catch (IOException | UncheckedIOException e) {
            return false;
        }
    }

    /// Whether `auto` should choose KVM: it works, and at hardware speed.
    public boolean recommended() {
        return problem.isEmpty() && hardware;
    }

    /// What to tell a user who asks for KVM all the same; empty where all is well.
    public Optional<String> warning() {
        return problem.isEmpty() && !hardware
                ? Optional.of(
                        "/dev/kvm works here, but the processor shows neither vmx nor svm: guests will run at a few"
                                + " million instructions a second; --engine soft is much faster")
                : Optional.empty();
    }
}

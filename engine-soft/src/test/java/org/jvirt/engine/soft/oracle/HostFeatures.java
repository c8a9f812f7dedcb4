package org.jvirt.engine.soft.oracle;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;
import org.jvirt.x86.CpuFeature;

/// What the host's processor can execute, from `/proc/cpuinfo`.
final class HostFeatures {
    private final Set<String> flags;

    private HostFeatures(Set<String> flags) {
        this.flags = flags;
    }

    static HostFeatures read() throws IOException {
        return new HostFeatures(Files.readAllLines(Path.of("/proc/cpuinfo")).stream()
                .filter(line -> line.startsWith("flags"))
                .findFirst()
                .map(line -> Arrays.stream(
                                line.substring(line.indexOf(':') + 1).strip().split(" "))
                        .collect(Collectors.toSet()))
                .orElse(Set.of()));
    }

    boolean has(CpuFeature feature) {
        return switch (feature) {
            case BASE, X87, CPUID, CMOV, CX8, MSR, TSC, CLFLUSH, LONG_MODE, SEP, RDPMC, SYSCALL, FXSR -> true;
            case LZCNT -> flags.contains("abm");
            case PREFETCHW -> flags.contains("3dnowprefetch");
            case SSE3 -> flags.contains("pni");
            case SHA -> flags.contains("sha_ni");
            case AVX_AES -> flags.contains("avx") && flags.contains("aes");
            case AVX_PCLMULQDQ -> flags.contains("avx") && flags.contains("pclmulqdq");
            case PCLMULQDQ -> flags.contains("pclmulqdq");
            default -> flags.contains(feature.name().toLowerCase(Locale.ROOT));
        };
    }
}

package org.jvirt.engine.soft.translate.vector;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.jvirt.x86.CpuFeature;

/// What the processor under this program can execute.
///
/// @param features those that `/proc/cpuinfo` names; none where there is no such file
public record HostCpu(Set<CpuFeature> features) {
    private static final Path CPUINFO = Path.of("/proc/cpuinfo");

    public HostCpu {
        features = Set.copyOf(features);
    }

    /// The host's own.
    public static HostCpu read() {
        try {
            return parse(Files.readAllLines(CPUINFO));
        } catch (IOException e) {
            return new HostCpu(Set.of());
        }
    }

    /// From the lines of `/proc/cpuinfo`; all processors have what the first has.
    static HostCpu parse(List<String> lines) {
        var features = EnumSet.noneOf(CpuFeature.class);
        for (String line : lines) {
            if (line.startsWith("flags")) {
                var flags = new HashSet<>(
                        List.of(line.substring(line.indexOf(':') + 1).strip().split(" +")));
                for (CpuFeature feature : CpuFeature.values()) {
                    if (flags.containsAll(flagsOf(feature))) {
                        features.add(feature);
                    }
                }
                break;
            }
        }
        return new HostCpu(features);
    }

    /// Linux's names for it.
    private static List<String> flagsOf(CpuFeature feature) {
        return switch (feature) {
            case BASE, CPUID, LONG_MODE, RDPMC, SYSCALL -> List.of();
            case X87 -> List.of("fpu");
            case LZCNT -> List.of("abm");
            case PREFETCHW -> List.of("3dnowprefetch");
            case SSE3 -> List.of("pni");
            case SHA -> List.of("sha_ni");
            case AVX_AES -> List.of("avx", "aes");
            case AVX_PCLMULQDQ -> List.of("avx", "pclmulqdq");
            default -> List.of(feature.name().toLowerCase(Locale.ROOT));
        };
    }

    public boolean has(CpuFeature feature) {
        return features.contains(feature);
    }
}

package org.jvirt.machine.cpu;

import java.util.Arrays;
import java.util.Collections;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jvirt.core.Capability;
import org.jvirt.core.Hypervisor;
import org.jvirt.core.UserErrorException;
import org.jvirt.core.cpu.CpuFeature;
import org.jvirt.core.cpu.CpuidLeaf;

/// A user's choice of processor: a model, and features switched on or off.
///
/// @param changes by feature, whether it is wanted; in the order given
/// @param hyperV  whether Hyper-V's enlightenments are wanted
public record CpuChoice(CpuModel model, Map<CpuFeature, Boolean> changes, boolean hyperV) {
    public static final CpuChoice DEFAULT = new CpuChoice(CpuModel.X86_64_V2, Map.of(), false);

    /// Features that others offer and jvirt never promises: switching them off is granted, switching them on is
    /// not.
    private static final Set<String> NEVER = Set.of(
            "vmx",
            "svm",
            "hle",
            "rtm",
            "pku",
            "ospke",
            "mpx",
            "avx512f",
            "3dnow",
            "3dnowext",
            "spec-ctrl",
            "ssbd",
            "stibp",
            "arch-capabilities",
            "pmu",
            "monitor",
            "mwait",
            "waitpkg",
            "pks",
            "cet-ss",
            "cet-ibt",
            "npt",
            "ibpb",
            "virt-ssbd",
            "hv-evmcs",
            "hv-emsr-bitmap",
            "hv-tlbflush-direct",
            "hv-syndbg");

    /// QEMU's properties that ask for nothing that could be given or denied: features are always checked, and
    /// addresses have the width that the machine has.
    private static final Set<String> PROPERTIES = Set.of("host-phys-bits", "migratable", "check", "enforce");

    /// How QEMU spells what Linux calls otherwise.
    private static final Map<String, CpuFeature> ALIASES = Map.of(
            "lzcnt", CpuFeature.ABM,
            "sha", CpuFeature.SHA_NI,
            "pni", CpuFeature.SSE3,
            "lahf", CpuFeature.LAHF_LM,
            "cmpxchg16b", CpuFeature.CX16,
            "cmpxchg8b", CpuFeature.CX8,
            "xd", CpuFeature.NX,
            "tscdeadline", CpuFeature.TSC_DEADLINE,
            "rdtsc", CpuFeature.TSC,
            "nxe", CpuFeature.NX);

    public CpuChoice {
        changes = Collections.unmodifiableMap(new LinkedHashMap<>(changes));
        if (hyperV && !changes.getOrDefault(CpuFeature.HYPERVISOR, true)) {
            throw new UserErrorException(
                    "A guest finds Hyper-V's enlightenments only if it sees a hypervisor: leave out -hypervisor");
        }
    }

    /// Reads `MODEL[,+feature][,-feature][,feature=on|off][,+hyperv]`; for `hyperv` QEMU's `hv_time` and the like
    /// will do, too.
    public static CpuChoice parse(String text) {
        String[] parts = text.split(",", -1);
        CpuModel model = CpuModel.named(parts[0])
                .orElseThrow(() -> new UserErrorException("Unknown CPU model '%s': nearest is '%s'; there are %s"
                        .formatted(
                                parts[0],
                                nearest(parts[0], CpuModel.all().stream().map(CpuModel::name)),
                                CpuModel.all().stream().map(CpuModel::name).collect(Collectors.joining(", ")))));
        var changes = new LinkedHashMap<CpuFeature, Boolean>();
        List<String> words = List.of(parts).subList(1, parts.length);
        for (String word : words) {
            if (!HyperVWords.isOne(word)) {
                parseChange(word, changes);
            }
        }
        return new CpuChoice(model, changes, HyperVWords.askFor(words));
    }

    private static void parseChange(String part, Map<CpuFeature, Boolean> changes) {
        String name;
        boolean on;
        int equals = part.indexOf('=');
        if (part.startsWith("vendor=")) {
            if (!part.substring(equals + 1).equals(CpuIdentity.IN_ORDER.vendor())) {
                throw new UserErrorException("CPU vendor '%s' is not offered: the one that is: %s"
                        .formatted(part.substring(equals + 1), CpuIdentity.IN_ORDER.vendor()));
            }
            return;
        }
        if (part.startsWith("+") || part.startsWith("-")) {
            name = part.substring(1);
            on = part.charAt(0) == '+';
        } else if (equals > 0) {
            name = part.substring(0, equals);
            on = isOn(part, part.substring(equals + 1));
        } else {
            name = part;
            on = true;
        }
        Optional<CpuFeature> feature = feature(name);
        if (feature.isPresent()) {
            changes.put(feature.get(), on);
        } else if (PROPERTIES.contains(name.toLowerCase(Locale.ROOT).replace('_', '-'))) {
            return;
        } else if (!NEVER.contains(name.toLowerCase(Locale.ROOT).replace('_', '-'))) {
            throw new UserErrorException("Unknown CPU feature '%s': nearest is '%s'"
                    .formatted(
                            name,
                            nearest(name, Arrays.stream(CpuFeature.values()).map(CpuFeature::flag))));
        } else if (on) {
            throw new UserErrorException("CPU feature '%s' is not offered by any engine: leave it out".formatted(name));
        }
    }

    /// @param part  `name=value`, for messages
    static boolean isOn(String part, String value) {
        return switch (value.toLowerCase(Locale.ROOT)) {
            case "on", "true", "yes" -> true;
            case "off", "false", "no" -> false;
            default -> throw new UserErrorException("CPU feature '%s' is switched 'on' or 'off'".formatted(part));
        };
    }

    private static Optional<CpuFeature> feature(String name) {
        Optional<CpuFeature> exact = CpuFeature.ofFlag(name);
        return exact.isPresent()
                ? exact
                : Optional.ofNullable(ALIASES.get(
                        name.toLowerCase(Locale.ROOT).replace("-", "").replace("_", "")));
    }

    /// The features that a guest sees.
    ///
    /// @param engine    its name, for messages
    /// @param supported what it can give
    /// @throws UserErrorException if the model or a feature switched on needs what the engine lacks
    public Set<CpuFeature> resolve(String engine, Set<CpuFeature> supported) {
        EnumSet<CpuFeature> wanted = EnumSet.noneOf(CpuFeature.class);
        wanted.addAll(model.required());
        changes.forEach((feature, on) -> {
            if (on) {
                wanted.add(feature);
            } else {
                wanted.remove(feature);
            }
        });
        EnumSet<CpuFeature> missing = EnumSet.copyOf(wanted);
        // It says that there is a hypervisor; that is true on every engine.
        missing.remove(CpuFeature.HYPERVISOR);
        missing.removeAll(supported);
        if (!missing.isEmpty()) {
            throw new UserErrorException("CPU %s needs %s, which the engine %s does not have: choose %s"
                    .formatted(
                            this,
                            missing.stream().map(CpuFeature::flag).collect(Collectors.joining(", ")),
                            engine,
                            remedy(missing, supported)));
        }
        for (CpuFeature feature : model.everything() ? supported : model.optional()) {
            if (supported.contains(feature) && changes.getOrDefault(feature, true)) {
                wanted.add(feature);
            }
        }
        // Running state, not a promise: the engine shows CR4.OSXSAVE here.
        wanted.remove(CpuFeature.OSXSAVE);
        // A matter of how many processors there are, which the CPUID table is made from.
        wanted.remove(CpuFeature.HTT);
        if (changes.getOrDefault(CpuFeature.HYPERVISOR, true)) {
            wanted.add(CpuFeature.HYPERVISOR);
        }
        return dropOrphans(wanted);
    }

    /// The CPUID leaves in which the engine offers itself: see [Hypervisor#paravirtualLeaves].
    ///
    /// @throws UserErrorException if enlightenments are wanted that the engine lacks
    public List<CpuidLeaf> paravirtualLeaves(Hypervisor engine) {
        if (hyperV && !engine.capabilities().contains(Capability.HYPERV)) {
            throw new UserErrorException(
                    "CPU %s asks for Hyper-V's enlightenments, which engine %s does not have: leave out hyperv, hv_*"
                            .formatted(this, engine.name()));
        }
        return engine.paravirtualLeaves(hyperV);
    }

    /// Takes away what means nothing without a feature that is not there.
    private static Set<CpuFeature> dropOrphans(EnumSet<CpuFeature> features) {
        if (!features.contains(CpuFeature.XSAVE)) {
            features.removeAll(EnumSet.of(
                    CpuFeature.AVX, CpuFeature.XSAVEOPT, CpuFeature.XSAVEC, CpuFeature.XGETBV1, CpuFeature.XSAVES));
        }
        if (!features.contains(CpuFeature.AVX)) {
            features.removeAll(EnumSet.of(CpuFeature.AVX2, CpuFeature.FMA, CpuFeature.F16C));
        }
        if (!features.contains(CpuFeature.PCID)) {
            features.remove(CpuFeature.INVPCID);
        }
        if (!features.contains(CpuFeature.APIC)) {
            features.removeAll(EnumSet.of(CpuFeature.X2APIC, CpuFeature.TSC_DEADLINE, CpuFeature.ARAT));
        }
        return features;
    }

    private String remedy(Set<CpuFeature> missing, Set<CpuFeature> supported) {
        if (changes.keySet().containsAll(missing)) {
            return "without +" + missing.iterator().next().flag();
        }
        return CpuModel.all().reversed().stream()
                .filter(other -> supported.containsAll(other.required()))
                .findFirst()
                .map(CpuModel::name)
                .orElse("another engine");
    }

    private static String nearest(String wrong, Stream<String> names) {
        return names.min((a, b) -> Integer.compare(distance(wrong, a), distance(wrong, b)))
                .orElse("");
    }

    /// Levenshtein's distance.
    private static int distance(String a, String b) {
        int[] row = new int[b.length() + 1];
        Arrays.setAll(row, j -> j);
        for (int i = 1; i <= a.length(); i++) {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.length(); j++) {
                int substituted = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.min(substituted, Math.min(row[j], row[j - 1]) + 1);
            }
        }
        return row[b.length()];
    }

    @Override
    public String toString() {
        return model.name()
                + changes.entrySet().stream()
                        .map(change -> (change.getValue() ? ",+" : ",-")
                                + change.getKey().flag())
                        .collect(Collectors.joining())
                + (hyperV ? ",+hyperv" : "");
    }
}

package org.jvirt.engine.soft;

import java.util.EnumSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.jvirt.core.Capability;
import org.jvirt.core.Hypervisor;
import org.jvirt.core.TranslatorSettings;
import org.jvirt.core.UserErrorException;
import org.jvirt.core.Vm;
import org.jvirt.core.VmSpec;
import org.jvirt.core.cpu.CpuFeature;

/// The engine in software: the interpreter alone, or with the translator for hot 64-bit code. It has no interrupt
/// controllers of its own. Thread-safe.
public final class SoftHypervisor implements Hypervisor {
    private static final Set<Capability> CAPABILITIES = Set.of(Capability.DIRTY_LOG, Capability.SMP);

    private final String name;
    /// Null to interpret everything.
    private final @Nullable TranslatorSettings translator;

    /// The interpreter alone.
    public SoftHypervisor() {
        this("interpreter", null);
    }

    private SoftHypervisor(String name, @Nullable TranslatorSettings translator) {
        this.name = name;
        this.translator = translator;
    }

    /// With the translator, if the host's processor can execute what it makes; else the interpreter alone.
    public static SoftHypervisor translator() {
        return translator(TranslatorSettings.DEFAULT);
    }

    /// With the translator.
    ///
    /// @param threshold how often a block is interpreted before it is translated; 0 for at once
    public static SoftHypervisor translator(int threshold) {
        return translator(TranslatorSettings.DEFAULT.withThreshold(threshold));
    }

    /// With the translator, working as `settings` say.
    public static SoftHypervisor translator(TranslatorSettings settings) {
        return new SoftHypervisor("soft", isTranslatorPossible() ? settings : null);
    }

    /// Whether the host is an x86-64 Linux.
    public static boolean isTranslatorPossible() {
        return System.getProperty("os.arch").equals("amd64")
                && System.getProperty("os.name").equals("Linux");
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public Set<Capability> capabilities() {
        return CAPABILITIES;
    }

    @Override
    public Set<CpuFeature> supportedFeatures() {
        return EnumSet.copyOf(Features.IMPLEMENTED);
    }

    @Override
    public Vm createVm(VmSpec spec) {
        for (CpuFeature feature : CpuFeature.values()) {
            if (spec.cpuid().has(feature) && !Features.IMPLEMENTED.contains(feature)) {
                throw new UserErrorException(
                        "The interpreter has no %s: choose another CPU model, or switch it off with -%s"
                                .formatted(feature.flag(), feature.flag()));
            }
        }
        if (translator != null && translator.verification() > 0 && spec.vcpus() > 1) {
            throw new UserErrorException(
                    "Translations can be verified with one processor only, and VM %s has %d: use --cpus 1"
                            .formatted(spec.name(), spec.vcpus()));
        }
        return new SoftVm(
                spec,
                spec.interrupts()
                        .orElseThrow(() -> new UserErrorException(
                                "The interpreter needs interrupt controllers, and VM %s brings none"
                                        .formatted(spec.name()))),
                translator);
    }
}

package org.jvirt.engine.soft;

import java.util.EnumSet;
import java.util.Set;
import org.jvirt.core.Capability;
import org.jvirt.core.Hypervisor;
import org.jvirt.core.UserErrorException;
import org.jvirt.core.Vm;
import org.jvirt.core.VmSpec;
import org.jvirt.core.cpu.CpuFeature;

/// The engine in software: the interpreter alone, or with the translator for hot 64-bit code. It has no interrupt
/// controllers of its own. Thread-safe.
public final class SoftHypervisor implements Hypervisor {
    private static final Set<Capability> CAPABILITIES = Set.of(Capability.DIRTY_LOG, Capability.SMP);

    /// A threshold that no block reaches.
    static final int NEVER = Integer.MAX_VALUE;

    /// Executions of a block after which its translation pays.
    private static final int HOT = 16;

    private final String name;
    private final int threshold;

    /// The interpreter alone.
    public SoftHypervisor() {
        this("interpreter", NEVER);
    }

    private SoftHypervisor(String name, int threshold) {
        this.name = name;
        this.threshold = threshold;
    }

    /// With the translator, if the host's processor can execute what it makes; else the interpreter alone.
    public static SoftHypervisor translator() {
        return translator(HOT);
    }

    /// With the translator.
    ///
    /// @param threshold how often a block is interpreted before it is translated; 0 for at once
    public static SoftHypervisor translator(int threshold) {
        return new SoftHypervisor("soft", isTranslatorPossible() ? threshold : NEVER);
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
        return new SoftVm(
                spec,
                spec.interrupts()
                        .orElseThrow(() -> new UserErrorException(
                                "The interpreter needs interrupt controllers, and VM %s brings none"
                                        .formatted(spec.name()))),
                threshold);
    }
}

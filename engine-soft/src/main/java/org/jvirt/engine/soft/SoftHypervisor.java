package org.jvirt.engine.soft;

import java.util.EnumSet;
import java.util.Set;
import org.jvirt.core.Capability;
import org.jvirt.core.Hypervisor;
import org.jvirt.core.UserErrorException;
import org.jvirt.core.Vm;
import org.jvirt.core.VmSpec;
import org.jvirt.core.cpu.CpuFeature;

/// The interpreter as an engine. It has no interrupt controllers of its own. Thread-safe.
public final class SoftHypervisor implements Hypervisor {
    private static final Set<Capability> CAPABILITIES = Set.of(Capability.DIRTY_LOG, Capability.SMP);

    @Override
    public String name() {
        return "interpreter";
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
                                        .formatted(spec.name()))));
    }
}

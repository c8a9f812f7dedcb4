package org.jvirt.engine.kvm;

import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.jvirt.core.Capability;
import org.jvirt.core.Hypervisor;
import org.jvirt.core.UserErrorException;
import org.jvirt.core.Vm;
import org.jvirt.core.VmSpec;
import org.jvirt.core.cpu.CpuFeature;
import org.jvirt.core.cpu.CpuidLeaf;
import org.jvirt.core.cpu.CpuidTable;
import org.jvirt.linux.DeviceFile;

/// Linux KVM as an engine. Thread-safe. It holds no descriptor itself: each VM opens its own, so nothing is left
/// behind when a process ends, however it ends.
public final class KvmHypervisor implements Hypervisor {
    private static final long NANOS_PER_KHZ = 1000;
    /// How far a rate may be from the wish and still be it: what guests calibrate to.
    private static final double TSC_TOLERANCE = 250e-6;

    private final KvmOptions options;
    private final Set<Capability> capabilities;
    private final Set<CpuFeature> features;
    private final List<CpuidLeaf> kvmLeaves;
    private final List<CpuidLeaf> hyperVLeaves;
    private final boolean scalesTsc;
    private final long hostTscHz;

    /// @throws org.jvirt.core.HostFailureException if KVM cannot be used here; [KvmProbe] tells beforehand
    public KvmHypervisor() {
        this(KvmOptions.DEFAULT);
    }

    /// @throws org.jvirt.core.HostFailureException if KVM cannot be used here
    public KvmHypervisor(KvmOptions options) {
        this.options = options;
        try (var device = KvmDevice.open()) {
            List<CpuidLeaf> supported =
                    CpuidArray.read(device.file(), "KVM_GET_SUPPORTED_CPUID", Ioctls.KVM_GET_SUPPORTED_CPUID);
            capabilities = Collections.unmodifiableSet(capabilities(device));
            features = Collections.unmodifiableSet(features(device, supported));
            kvmLeaves = supported.stream()
                    .filter(leaf -> leaf.function() >>> 8 == 0x40_0000)
                    .toList();
            hyperVLeaves = device.has(KvmCapability.KVM_CAP_SYS_HYPERV_CPUID)
                    ? HyperV.leaves(CpuidArray.read(
                            device.file(), "KVM_GET_SUPPORTED_HV_CPUID", Ioctls.KVM_GET_SUPPORTED_HV_CPUID))
                    : List.of();
            scalesTsc = device.has(KvmCapability.KVM_CAP_TSC_CONTROL);
            hostTscHz = hostTscHz(device);
        }
    }

    private static Set<Capability> capabilities(KvmDevice device) {
        var found = EnumSet.of(Capability.DIRTY_LOG, Capability.SMP, Capability.OWN_CLOCK);
        boolean messages = device.has(KvmCapability.KVM_CAP_SIGNAL_MSI);
        if (messages && device.has(KvmCapability.KVM_CAP_SPLIT_IRQCHIP)) {
            found.add(Capability.LOCAL_APICS);
        }
        if (messages && device.has(KvmCapability.KVM_CAP_IRQCHIP)) {
            found.add(Capability.IN_KERNEL_INTERRUPTS);
            if (device.has(KvmCapability.KVM_CAP_PIT2) && device.has(KvmCapability.KVM_CAP_PIT_STATE2)) {
                found.add(Capability.IN_KERNEL_PIT);
            }
        }
        if (device.has(KvmCapability.KVM_CAP_IOEVENTFD) && device.has(KvmCapability.KVM_CAP_IOEVENTFD_NO_LENGTH)) {
            found.add(Capability.DOORBELLS);
        }
        if (device.has(KvmCapability.KVM_CAP_IRQFD) && device.has(KvmCapability.KVM_CAP_IRQ_ROUTING)) {
            found.add(Capability.MSI_ROUTES);
        }
        if (device.has(KvmCapability.KVM_CAP_SET_GUEST_DEBUG)) {
            found.add(Capability.GUEST_DEBUG);
        }
        if (device.has(KvmCapability.KVM_CAP_HYPERV)
                && device.has(KvmCapability.KVM_CAP_HYPERV_SYNIC2)
                && device.has(KvmCapability.KVM_CAP_SYS_HYPERV_CPUID)) {
            found.add(Capability.HYPERV);
        }
        return found;
    }

    /// What KVM announces, and what it gives without announcing it.
    private static Set<CpuFeature> features(KvmDevice device, List<CpuidLeaf> supported) {
        var table = new CpuidTable(supported);
        var found = EnumSet.noneOf(CpuFeature.class);
        for (CpuFeature feature : CpuFeature.values()) {
            if (table.has(feature)) {
                found.add(feature);
            }
        }
        found.add(CpuFeature.HYPERVISOR);
        found.add(CpuFeature.HTT);
        if (found.contains(CpuFeature.XSAVE)) {
            found.add(CpuFeature.OSXSAVE);
        } else {
            // their state cannot be saved
            found.removeAll(EnumSet.of(
                    CpuFeature.OSXSAVE,
                    CpuFeature.AVX,
                    CpuFeature.AVX2,
                    CpuFeature.FMA,
                    CpuFeature.F16C,
                    CpuFeature.XSAVEOPT,
                    CpuFeature.XSAVEC,
                    CpuFeature.XGETBV1,
                    CpuFeature.XSAVES));
        }
        if (device.has(KvmCapability.KVM_CAP_TSC_DEADLINE_TIMER)) {
            found.add(CpuFeature.TSC_DEADLINE);
        }
        return found;
    }

    private static long hostTscHz(KvmDevice device) {
        try (DeviceFile vm = device.file().create("a KVM VM", "KVM_CREATE_VM", Ioctls.KVM_CREATE_VM, 0);
                DeviceFile vcpu = vm.create("its vCPU", "KVM_CREATE_VCPU", Ioctls.KVM_CREATE_VCPU, 0)) {
            return vcpu.ioctl("KVM_GET_TSC_KHZ", Ioctls.KVM_GET_TSC_KHZ, 0) * NANOS_PER_KHZ;
        }
    }

    @Override
    public String name() {
        return "kvm";
    }

    @Override
    public Set<Capability> capabilities() {
        return capabilities;
    }

    @Override
    public Set<CpuFeature> supportedFeatures() {
        return features;
    }

    @Override
    public long tscHz(long wishedHz) {
        boolean same = Math.abs(wishedHz - hostTscHz) <= hostTscHz * TSC_TOLERANCE;
        return scalesTsc && !same ? wishedHz / NANOS_PER_KHZ * NANOS_PER_KHZ : hostTscHz;
    }

    @Override
    public List<CpuidLeaf> paravirtualLeaves(boolean hyperV) {
        if (!hyperV) {
            return kvmLeaves;
        }
        if (!capabilities.contains(Capability.HYPERV)) {
            throw new UserErrorException("This host's KVM does not offer Hyper-V's enlightenments: leave them out");
        }
        var both = new ArrayList<>(hyperVLeaves);
        for (CpuidLeaf leaf : kvmLeaves) {
            int eax = leaf.function() == HyperV.FIRST_LEAF ? leaf.eax() + HyperV.KVM_OFFSET : leaf.eax();
            both.add(new CpuidLeaf(leaf.function() + HyperV.KVM_OFFSET, 0, eax, leaf.ebx(), leaf.ecx(), leaf.edx()));
        }
        return both;
    }

    @Override
    public Vm createVm(VmSpec spec) {
        for (CpuFeature feature : CpuFeature.values()) {
            if (spec.cpuid().has(feature) && !features.contains(feature)) {
                throw new UserErrorException(
                        "This host's KVM has no %s: choose another CPU model, or switch it off with -%s"
                                .formatted(feature.flag(), feature.flag()));
            }
        }
        return KvmVm.create(spec, options, scalesTsc);
    }
}

package org.jvirt.core;

import java.util.List;
import java.util.Set;
import org.jvirt.core.cpu.CpuFeature;
import org.jvirt.core.cpu.CpuidLeaf;

/// An engine: something that can execute guest code. Thread-safe.
public interface Hypervisor {
    /// The name users give on the command line: `kvm`, `soft`, `interpreter`.
    String name();

    Set<Capability> capabilities();

    /// The processor features this engine can give a guest on this host.
    Set<CpuFeature> supportedFeatures();

    /// The rate at which a guest's time-stamp counter can run where the machine wishes for `wishedHz`: the wish, or
    /// what this host gives instead. The machine builds [VmSpec#tsc] and CPUID from the answer.
    default long tscHz(long wishedHz) {
        return wishedHz;
    }

    /// The CPUID leaves in which this engine offers itself to the guest (0x4000_0000 to 0x4000_01FF); none where
    /// the machine's own shall stand.
    ///
    /// @param hyperV with Hyper-V's enlightenments, which Windows looks for; needs [Capability#HYPERV]
    default List<CpuidLeaf> paravirtualLeaves(boolean hyperV) {
        return List.of();
    }

    /// Makes a VM whose memory is mapped and which has no vCPU yet.
    ///
    /// @throws UserErrorException if the engine cannot give what `spec` asks for
    /// @throws HostFailureException if the host lacks resources
    Vm createVm(VmSpec spec);
}

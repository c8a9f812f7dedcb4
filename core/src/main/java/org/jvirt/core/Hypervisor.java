package org.jvirt.core;

import java.util.Set;
import org.jvirt.core.cpu.CpuFeature;

/// An engine: something that can execute guest code. Thread-safe.
public interface Hypervisor {
    /// The name users give on the command line: `kvm`, `soft`, `interpreter`.
    String name();

    Set<Capability> capabilities();

    /// The processor features this engine can give a guest on this host.
    Set<CpuFeature> supportedFeatures();

    /// Makes a VM whose memory is mapped and which has no vCPU yet.
    ///
    /// @throws UserErrorException if the engine cannot give what `spec` asks for
    /// @throws HostFailureException if the host lacks resources
    Vm createVm(VmSpec spec);
}

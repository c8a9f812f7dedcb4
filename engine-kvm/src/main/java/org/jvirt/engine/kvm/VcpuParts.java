package org.jvirt.engine.kvm;

import org.jspecify.annotations.Nullable;
import org.jvirt.linux.DeviceFile;

/// What a vCPU is made of.
///
/// @param local     for a vCPU whose local APIC, or the 8259 pair behind it, is the machine's
/// @param signature CPUID.1:EAX
record VcpuParts(
        DeviceFile file,
        RunPage page,
        Attention attention,
        VcpuState states,
        TscKeeper tsc,
        @Nullable LocalDelivery local,
        int signature) {}

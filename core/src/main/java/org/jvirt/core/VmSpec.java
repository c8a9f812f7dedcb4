package org.jvirt.core;

import java.util.Optional;
import org.jvirt.core.cpu.CpuidTable;

/// What an engine must know to make a VM.
///
/// @param name       for thread names and messages
/// @param memory     all guest memory, its slots already placed
/// @param cpuid      what CPUID answers; the engine adds only what depends on running state (OSXSAVE, XSAVE sizes,
///                   APIC ids)
/// @param vcpus      how many vCPUs will be created, from 1
/// @param tsc        guest time and the invariant time-stamp counter made from it
/// @param interrupts the interrupt controllers, for engines without [Capability#IN_KERNEL_INTERRUPTS]
public record VmSpec(
        String name,
        GuestMemory memory,
        CpuidTable cpuid,
        int vcpus,
        TscClock tsc,
        Optional<InterruptController> interrupts) {
    public VmSpec {
        if (vcpus < 1) {
            throw new UserErrorException("A VM needs at least 1 vCPU, not %d".formatted(vcpus));
        }
    }

    public VmClock clock() {
        return tsc.clock();
    }
}

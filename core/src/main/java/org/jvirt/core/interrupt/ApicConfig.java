package org.jvirt.core.interrupt;

/// What the local APICs are. The APIC ID of vCPU `n` is `n`.
///
/// @param vcpus               how many, 1 to 32767; beyond 255 the guest must use x2APIC mode, and beyond 254
///                            interrupt messages need the extended destination (bits 11–5 of an MSI address, 55–49
///                            of an IO-APIC entry)
/// @param physicalAddressBits as CPUID 0x8000_0008 says; higher bits of `IA32_APIC_BASE` are reserved
/// @param x2apic              whether CPUID offers x2APIC mode
public record ApicConfig(int vcpus, int physicalAddressBits, boolean x2apic) {
    public ApicConfig {
        if (vcpus < 1 || vcpus > 32767) {
            throw new IllegalArgumentException("vcpus: %d is not within 1–32767".formatted(vcpus));
        }
        if (physicalAddressBits < 36 || physicalAddressBits > 52) {
            throw new IllegalArgumentException(
                    "physicalAddressBits: %d is not within 36–52".formatted(physicalAddressBits));
        }
        if (vcpus > 255 && !x2apic) {
            throw new IllegalArgumentException("%d vCPUs need x2APIC".formatted(vcpus));
        }
    }
}

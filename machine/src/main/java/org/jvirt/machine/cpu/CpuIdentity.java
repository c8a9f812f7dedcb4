package org.jvirt.machine.cpu;

/// Vendor, family, model and stepping: what operating systems decide about errata and mitigations by.
///
/// The vendor is Intel, because that is whose documented behaviour engines follow where processors differ (SYSCALL
/// from compatibility mode, null selectors, far pointers).
///
/// @param signature CPUID.1:EAX
public record CpuIdentity(String vendor, int signature) {
    /// For engines that execute guest instructions one after the other, without speculation: the signature of an
    /// in-order core (family 6, model 0x36, stepping 1). Kernels know that it needs none of the mitigations against
    /// speculation and leave page-table isolation, retpolines and buffer clearing switched off; they would only
    /// slow
    /// the guest down. It has no microcode quirk, and no frequency or idle driver looks for it.
    public static final CpuIdentity IN_ORDER = new CpuIdentity("GenuineIntel", 0x30661);

    /// For engines that run guest code on the host's processor: family 6, model 0x5E, stepping 3, for which kernels
    /// take all mitigations.
    public static final CpuIdentity SPECULATIVE = new CpuIdentity("GenuineIntel", 0x506e3);
}

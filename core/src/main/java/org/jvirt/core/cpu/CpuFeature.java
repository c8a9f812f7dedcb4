package org.jvirt.core.cpu;

import java.util.Locale;
import java.util.Optional;

/// The processor features a CPUID bit announces, under the names Linux shows in `/proc/cpuinfo`.
///
/// Source: Intel SDM volume 2, CPUID; AMD APM volume 3, appendix E.
public enum CpuFeature {
    FPU(1, 0, CpuidRegister.EDX, 0),
    VME(1, 0, CpuidRegister.EDX, 1),
    DE(1, 0, CpuidRegister.EDX, 2),
    PSE(1, 0, CpuidRegister.EDX, 3),
    TSC(1, 0, CpuidRegister.EDX, 4),
    MSR(1, 0, CpuidRegister.EDX, 5),
    PAE(1, 0, CpuidRegister.EDX, 6),
    MCE(1, 0, CpuidRegister.EDX, 7),
    CX8(1, 0, CpuidRegister.EDX, 8),
    APIC(1, 0, CpuidRegister.EDX, 9),
    SEP(1, 0, CpuidRegister.EDX, 11),
    MTRR(1, 0, CpuidRegister.EDX, 12),
    PGE(1, 0, CpuidRegister.EDX, 13),
    MCA(1, 0, CpuidRegister.EDX, 14),
    CMOV(1, 0, CpuidRegister.EDX, 15),
    PAT(1, 0, CpuidRegister.EDX, 16),
    PSE36(1, 0, CpuidRegister.EDX, 17),
    CLFLUSH(1, 0, CpuidRegister.EDX, 19),
    MMX(1, 0, CpuidRegister.EDX, 23),
    FXSR(1, 0, CpuidRegister.EDX, 24),
    SSE(1, 0, CpuidRegister.EDX, 25),
    SSE2(1, 0, CpuidRegister.EDX, 26),
    SS(1, 0, CpuidRegister.EDX, 27),
    HTT(1, 0, CpuidRegister.EDX, 28),
    SSE3(1, 0, CpuidRegister.ECX, 0),
    PCLMULQDQ(1, 0, CpuidRegister.ECX, 1),
    MONITOR(1, 0, CpuidRegister.ECX, 3),
    SSSE3(1, 0, CpuidRegister.ECX, 9),
    FMA(1, 0, CpuidRegister.ECX, 12),
    CX16(1, 0, CpuidRegister.ECX, 13),
    PDCM(1, 0, CpuidRegister.ECX, 15),
    PCID(1, 0, CpuidRegister.ECX, 17),
    SSE4_1(1, 0, CpuidRegister.ECX, 19),
    SSE4_2(1, 0, CpuidRegister.ECX, 20),
    X2APIC(1, 0, CpuidRegister.ECX, 21),
    MOVBE(1, 0, CpuidRegister.ECX, 22),
    POPCNT(1, 0, CpuidRegister.ECX, 23),
    TSC_DEADLINE(1, 0, CpuidRegister.ECX, 24),
    AES(1, 0, CpuidRegister.ECX, 25),
    XSAVE(1, 0, CpuidRegister.ECX, 26),
    OSXSAVE(1, 0, CpuidRegister.ECX, 27),
    AVX(1, 0, CpuidRegister.ECX, 28),
    F16C(1, 0, CpuidRegister.ECX, 29),
    RDRAND(1, 0, CpuidRegister.ECX, 30),
    HYPERVISOR(1, 0, CpuidRegister.ECX, 31),
    ARAT(6, 0, CpuidRegister.EAX, 2),
    FSGSBASE(7, 0, CpuidRegister.EBX, 0),
    TSC_ADJUST(7, 0, CpuidRegister.EBX, 1),
    BMI1(7, 0, CpuidRegister.EBX, 3),
    AVX2(7, 0, CpuidRegister.EBX, 5),
    SMEP(7, 0, CpuidRegister.EBX, 7),
    BMI2(7, 0, CpuidRegister.EBX, 8),
    ERMS(7, 0, CpuidRegister.EBX, 9),
    INVPCID(7, 0, CpuidRegister.EBX, 10),
    RDSEED(7, 0, CpuidRegister.EBX, 18),
    ADX(7, 0, CpuidRegister.EBX, 19),
    SMAP(7, 0, CpuidRegister.EBX, 20),
    CLFLUSHOPT(7, 0, CpuidRegister.EBX, 23),
    CLWB(7, 0, CpuidRegister.EBX, 24),
    SHA_NI(7, 0, CpuidRegister.EBX, 29),
    UMIP(7, 0, CpuidRegister.ECX, 2),
    LA57(7, 0, CpuidRegister.ECX, 16),
    RDPID(7, 0, CpuidRegister.ECX, 22),
    FSRM(7, 0, CpuidRegister.EDX, 4),
    XSAVEOPT(0xd, 1, CpuidRegister.EAX, 0),
    XSAVEC(0xd, 1, CpuidRegister.EAX, 1),
    XGETBV1(0xd, 1, CpuidRegister.EAX, 2),
    XSAVES(0xd, 1, CpuidRegister.EAX, 3),
    LAHF_LM(0x80000001, 0, CpuidRegister.ECX, 0),
    CR8_LEGACY(0x80000001, 0, CpuidRegister.ECX, 4),
    ABM(0x80000001, 0, CpuidRegister.ECX, 5),
    SSE4A(0x80000001, 0, CpuidRegister.ECX, 6),
    PREFETCHW(0x80000001, 0, CpuidRegister.ECX, 8),
    SYSCALL(0x80000001, 0, CpuidRegister.EDX, 11),
    NX(0x80000001, 0, CpuidRegister.EDX, 20),
    PDPE1GB(0x80000001, 0, CpuidRegister.EDX, 26),
    RDTSCP(0x80000001, 0, CpuidRegister.EDX, 27),
    LM(0x80000001, 0, CpuidRegister.EDX, 29),
    INVTSC(0x80000007, 0, CpuidRegister.EDX, 8);

    private final int function;
    private final int index;
    private final CpuidRegister register;
    private final int bit;

    CpuFeature(int function, int index, CpuidRegister register, int bit) {
        this.function = function;
        this.index = index;
        this.register = register;
        this.bit = bit;
    }

    public int function() {
        return function;
    }

    public int index() {
        return index;
    }

    public CpuidRegister register() {
        return register;
    }

    public int bit() {
        return bit;
    }

    /// The name users write: `sse4_2`, `x2apic`.
    public String flag() {
        return name().toLowerCase(Locale.ROOT);
    }

    /// Finds a feature by its flag; `-` and `.` count as `_`, so that QEMU's spelling `sse4.2` works too.
    public static Optional<CpuFeature> ofFlag(String flag) {
        String wanted = flag.toUpperCase(Locale.ROOT).replace('-', '_').replace('.', '_');
        for (CpuFeature feature : values()) {
            if (feature.name().equals(wanted)) {
                return Optional.of(feature);
            }
        }
        return Optional.empty();
    }
}

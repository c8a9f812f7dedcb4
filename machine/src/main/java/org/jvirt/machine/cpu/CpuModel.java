package org.jvirt.machine.cpu;

import static org.jvirt.core.cpu.CpuFeature.*;

import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jvirt.core.cpu.CpuFeature;

/// A named set of processor features.
///
/// @param required   what the name promises: an engine without one of them cannot give the model
/// @param optional   what makes a PC pleasant and is added where the engine has it
/// @param everything whether the model takes all that the engine has
public record CpuModel(
        String name, String description, Set<CpuFeature> required, Set<CpuFeature> optional, boolean everything) {
    private static final Set<CpuFeature> LEVEL_1 = EnumSet.of(
            FPU, DE, PSE, TSC, MSR, PAE, MCE, CX8, APIC, SEP, MTRR, PGE, MCA, CMOV, PAT, PSE36, CLFLUSH, MMX, FXSR, SSE,
            SSE2, SYSCALL, NX, LM);
    private static final Set<CpuFeature> LEVEL_2 =
            union(LEVEL_1, EnumSet.of(CX16, LAHF_LM, POPCNT, SSE3, SSE4_1, SSE4_2, SSSE3));
    private static final Set<CpuFeature> LEVEL_3 =
            union(LEVEL_2, EnumSet.of(AVX, AVX2, BMI1, BMI2, F16C, FMA, ABM, MOVBE, XSAVE));

    /// What the platform offers whatever the model: clocks, interrupts, the hypervisor bit.
    private static final Set<CpuFeature> PLATFORM =
            EnumSet.of(HYPERVISOR, X2APIC, TSC_DEADLINE, ARAT, INVTSC, TSC_ADJUST, RDTSCP, VME, RDRAND, RDSEED);
    /// As [#PLATFORM], and what kernels use to protect or speed up themselves.
    private static final Set<CpuFeature> MODERN = union(
            PLATFORM,
            EnumSet.of(PCID, INVPCID, SMEP, UMIP, FSGSBASE, PDPE1GB, ERMS, FSRM, PREFETCHW, RDPID, CLFLUSHOPT));
    private static final Set<CpuFeature> MODERN_AVX =
            union(MODERN, EnumSet.of(SMAP, AES, PCLMULQDQ, ADX, SHA_NI, XSAVEOPT, XSAVEC, XGETBV1, CLWB));

    public static final CpuModel X86_64_V1 =
            new CpuModel("x86-64-v1", "the first x86-64 processors", LEVEL_1, PLATFORM, false);
    public static final CpuModel X86_64_V2 =
            new CpuModel("x86-64-v2", "SSE4.2 and POPCNT, about 2008; the default", LEVEL_2, MODERN, false);
    public static final CpuModel X86_64_V3 =
            new CpuModel("x86-64-v3", "AVX2, BMI and FMA, about 2013", LEVEL_3, MODERN_AVX, false);
    public static final CpuModel QEMU64 = new CpuModel(
            "qemu64",
            "what scripts written for QEMU's default expect",
            union(LEVEL_1, EnumSet.of(SSE3, CX16)),
            PLATFORM,
            false);
    public static final CpuModel MAX =
            new CpuModel("max", "everything the engine can do", LEVEL_1, EnumSet.noneOf(CpuFeature.class), true);
    public static final CpuModel HOST = new CpuModel(
            "host", "everything the engine can do on this host", LEVEL_1, EnumSet.noneOf(CpuFeature.class), true);

    private static final List<CpuModel> ALL = List.of(X86_64_V1, X86_64_V2, X86_64_V3, QEMU64, MAX, HOST);

    public CpuModel {
        required = Collections.unmodifiableSet(copy(required));
        optional = Collections.unmodifiableSet(copy(optional));
    }

    /// All models, the weaker first.
    public static List<CpuModel> all() {
        return ALL;
    }

    public static Optional<CpuModel> named(String name) {
        return ALL.stream().filter(model -> model.name.equals(name)).findFirst();
    }

    private static Set<CpuFeature> union(Set<CpuFeature> first, Set<CpuFeature> second) {
        EnumSet<CpuFeature> both = copy(first);
        both.addAll(second);
        return both;
    }

    private static EnumSet<CpuFeature> copy(Set<CpuFeature> features) {
        EnumSet<CpuFeature> copy = EnumSet.noneOf(CpuFeature.class);
        copy.addAll(features);
        return copy;
    }
}

package org.jvirt.engine.soft.cpu;

import java.util.SortedMap;
import java.util.TreeMap;
import org.jvirt.core.InvalidMsrException;
import org.jvirt.core.LocalInterrupts;
import org.jvirt.core.cpu.CpuFeature;
import org.jvirt.core.cpu.CpuidLeaf;

/// The model-specific registers. Those that nobody knows answer with `#GP(0)`, as on hardware.
///
/// Source: Intel SDM volume 4, chapter 2; AMD APM volume 2, appendix A.
public final class Msrs {
    private static final int TSC = 0x10;
    private static final int PLATFORM_ID = 0x17;
    private static final int APIC_BASE = 0x1B;
    private static final int FEATURE_CONTROL = 0x3A;
    private static final int TSC_ADJUST = 0x3B;
    private static final int BIOS_UPDATE_TRIGGER = 0x79;
    private static final int BIOS_SIGN_ID = 0x8B;
    private static final int PLATFORM_INFO = 0xCE;
    private static final int MTRR_CAP = 0xFE;
    private static final int SYSENTER_CS = 0x174;
    private static final int SYSENTER_ESP = 0x175;
    private static final int SYSENTER_EIP = 0x176;
    private static final int MCG_CAP = 0x179;
    private static final int MCG_STATUS = 0x17A;
    private static final int MCG_CTL = 0x17B;
    private static final int MISC_ENABLE = 0x1A0;
    private static final int DEBUG_CONTROL = 0x1D9;
    private static final int MTRR_VARIABLE = 0x200;
    private static final int MTRR_FIXED_64K = 0x250;
    private static final int MTRR_FIXED_16K = 0x258;
    private static final int MTRR_FIXED_4K = 0x268;
    private static final int PAT = 0x277;
    private static final int MTRR_DEFAULT = 0x2FF;
    private static final int MC0_CTL = 0x400;
    private static final int TSC_DEADLINE = 0x6E0;
    private static final int X2APIC_FIRST = 0x800;
    private static final int X2APIC_LAST = 0x8FF;
    private static final int XSS = 0xDA0;
    private static final int EFER = 0xC000_0080;
    private static final int STAR = 0xC000_0081;
    private static final int LSTAR = 0xC000_0082;
    private static final int CSTAR = 0xC000_0083;
    private static final int FMASK = 0xC000_0084;
    private static final int FS_BASE = 0xC000_0100;
    private static final int GS_BASE = 0xC000_0101;
    private static final int KERNEL_GS_BASE = 0xC000_0102;
    private static final int TSC_AUX = 0xC000_0103;
    private static final int AMD_SYSTEM_CONFIG = 0xC001_0010;
    private static final int AMD_HARDWARE_CONFIG = 0xC001_0015;
    private static final int AMD_NB_CONFIG = 0xC001_001F;
    private static final int AMD_PATCH_LOADER = 0xC001_0020;
    private static final int AMD_INTERRUPT_PENDING = 0xC001_0055;
    private static final int AMD_VM_CR = 0xC001_0114;
    private static final int AMD_DE_CONFIG = 0xC001_1029;

    private static final int VARIABLE_RANGES = 8;
    private static final int BANKS = 10;
    private static final long MISC_ENABLE_RESET = 1;
    private static final long PAT_RESET = 0x0007_0406_0007_0406L;
    private static final int INTEL = 0x756E_6547;
    private static final int AMD = 0x6874_7541;

    private final Cpu cpu;
    private final boolean intel;
    private final boolean amd;
    private final boolean machineChecks;
    /// Registers that just keep what is written.
    private final TreeMap<Integer, Long> kept = new TreeMap<>();

    private long tscAdjust;
    private long star;
    private long lstar;
    private long cstar;
    private long fmask;
    private long kernelGsBase;
    private long tscAux;
    private long sysenterCs;
    private long sysenterEsp;
    private long sysenterEip;

    Msrs(Cpu cpu) {
        this.cpu = cpu;
        int vendor = cpu.cpuid().leaf(0, 0).map(CpuidLeaf::ebx).orElse(0);
        intel = vendor == INTEL;
        amd = vendor == AMD;
        machineChecks = cpu.has(CpuFeature.MCA);
        reset(true);
    }

    /// Power-on values; INIT keeps the MTRRs and machine-check banks, and the time-stamp counter.
    void reset(boolean powerOn) {
        if (powerOn) {
            kept.clear();
            tscAdjust = 0;
            keep(PAT, PAT_RESET);
            keep(MISC_ENABLE, MISC_ENABLE_RESET);
            keep(MTRR_DEFAULT, 0);
            for (int i = 0; i < 2 * VARIABLE_RANGES; i++) {
                keep(MTRR_VARIABLE + i, 0);
            }
            keep(MTRR_FIXED_64K, 0);
            keep(MTRR_FIXED_16K, 0);
            keep(MTRR_FIXED_16K + 1, 0);
            for (int i = 0; i < 8; i++) {
                keep(MTRR_FIXED_4K + i, 0);
            }
            keep(DEBUG_CONTROL, 0);
            if (machineChecks) {
                keep(MCG_STATUS, 0);
                keep(MCG_CTL, -1L);
                for (int i = 0; i < 4 * BANKS; i++) {
                    keep(MC0_CTL + i, i % 4 == 0 ? -1L : 0);
                }
            }
            if (amd) {
                keep(AMD_SYSTEM_CONFIG, 0);
                keep(AMD_HARDWARE_CONFIG, 1L << 24);
                keep(AMD_DE_CONFIG, 2);
            }
        }
        star = 0;
        lstar = 0;
        cstar = 0;
        fmask = 0;
        kernelGsBase = 0;
        tscAux = 0;
        sysenterCs = 0;
        sysenterEsp = 0;
        sysenterEip = 0;
        cpu.newSystemGeneration();
    }

    private void keep(int msr, long value) {
        kept.put(msr, value);
    }

    private long kept(int msr) {
        Long value = kept.get(msr);
        if (value == null) {
            throw cpu.gp(0);
        }
        return value;
    }

    private LocalInterrupts local() {
        return cpu.processors().local(cpu.index());
    }

    // ---------------------------------------------------------------- what other units use

    /// The time-stamp counter as this processor reads it.
    public long tsc() {
        return cpu.processors().tsc().ticks() + tscAdjust;
    }

    /// What the guest's counter is ahead of the machine's.
    public long tscAdjust() {
        return tscAdjust;
    }

    public long tscAux() {
        return tscAux;
    }

    long star() {
        return star;
    }

    long lstar() {
        return lstar;
    }

    long cstar() {
        return cstar;
    }

    long fmask() {
        return fmask;
    }

    long sysenterCs() {
        return sysenterCs;
    }

    long sysenterEsp() {
        return sysenterEsp;
    }

    long sysenterEip() {
        return sysenterEip;
    }

    /// What SWAPGS exchanges GS's base with.
    public long kernelGsBase() {
        return kernelGsBase;
    }

    public void setKernelGsBase(long value) {
        kernelGsBase = value;
    }

    /// SWAPGS.
    public void swapGs() {
        long old = cpu.segments.base[Segments.GS];
        cpu.segments.base[Segments.GS] = kernelGsBase;
        kernelGsBase = old;
    }

    boolean isAmd() {
        return amd;
    }

    boolean isIntel() {
        return intel;
    }

    // ---------------------------------------------------------------- RDMSR

    /// @throws GuestFault `#GP(0)` if there is no such register
    public long read(int msr) {
        try {
            return switch (msr) {
                case TSC -> tsc();
                case TSC_ADJUST -> require(CpuFeature.TSC_ADJUST, tscAdjust);
                case APIC_BASE -> require(CpuFeature.APIC, local().apicBase());
                case TSC_DEADLINE -> require(CpuFeature.TSC_DEADLINE, deadline());
                case SYSENTER_CS -> sysenterCs;
                case SYSENTER_ESP -> sysenterEsp;
                case SYSENTER_EIP -> sysenterEip;
                case EFER -> cpu.control.efer();
                case STAR -> star;
                case LSTAR -> lstar;
                case CSTAR -> cstar;
                case FMASK -> fmask;
                case FS_BASE -> cpu.segments.base[Segments.FS];
                case GS_BASE -> cpu.segments.base[Segments.GS];
                case KERNEL_GS_BASE -> kernelGsBase;
                case TSC_AUX -> require(CpuFeature.RDTSCP, tscAux);
                case XSS -> require(CpuFeature.XSAVES, 0);
                case MTRR_CAP -> require(CpuFeature.MTRR, 0x500 | VARIABLE_RANGES);
                case MCG_CAP -> require(CpuFeature.MCA, 0x100 | BANKS);
                case BIOS_SIGN_ID -> kept.getOrDefault(BIOS_SIGN_ID, 0L);
                default -> readOther(msr);
            };
        } catch (InvalidMsrException e) {
            throw cpu.gp(0);
        }
    }

    private long require(CpuFeature feature, long value) {
        if (!cpu.has(feature)) {
            throw cpu.gp(0);
        }
        return value;
    }

    private long deadline() {
        long deadline = local().tscDeadline();
        return deadline == 0 ? 0 : deadline + tscAdjust;
    }

    private long readOther(int msr) {
        if (msr >= X2APIC_FIRST && msr <= X2APIC_LAST) {
            return local().readMsr(msr);
        }
        if (Paravirtual.owns(msr)) {
            return cpu.paravirtual.read(msr);
        }
        if (intel) {
            switch (msr) {
                case PLATFORM_ID, PLATFORM_INFO -> {
                    return 0;
                }
                case FEATURE_CONTROL -> {
                    return 1;
                }
                default -> {
                    // kept or unknown
                }
            }
        }
        if (amd) {
            switch (msr) {
                case AMD_NB_CONFIG, AMD_INTERRUPT_PENDING -> {
                    return 0;
                }
                case AMD_VM_CR -> {
                    return 0x18;
                }
                default -> {
                    // kept or unknown
                }
            }
        }
        return kept(msr);
    }

    // ---------------------------------------------------------------- WRMSR

    /// @throws GuestFault `#GP(0)` if there is no such register or it does not take the value
    public void write(int msr, long value) {
        try {
            switch (msr) {
                case TSC -> setTscAdjust(value - cpu.processors().tsc().ticks());
                case TSC_ADJUST -> setTscAdjust(require(CpuFeature.TSC_ADJUST, value));
                case APIC_BASE -> {
                    local().setApicBase(require(CpuFeature.APIC, value));
                    cpu.endBlock();
                }
                case TSC_DEADLINE ->
                    local().setTscDeadline(
                                    require(CpuFeature.TSC_DEADLINE, value) == 0 ? 0 : nonZero(value - tscAdjust));
                case SYSENTER_CS -> sysenterCs = value;
                case SYSENTER_ESP -> sysenterEsp = canonical(value);
                case SYSENTER_EIP -> sysenterEip = canonical(value);
                case EFER -> cpu.control.setEfer(value);
                case STAR -> {
                    star = value;
                    cpu.newSystemGeneration();
                }
                case LSTAR -> {
                    lstar = canonical(value);
                    cpu.newSystemGeneration();
                }
                case CSTAR -> cstar = canonical(value);
                case FMASK -> {
                    fmask = value & 0xFFFF_FFFFL;
                    cpu.newSystemGeneration();
                }
                case FS_BASE -> cpu.segments.base[Segments.FS] = canonical(value);
                case GS_BASE -> cpu.segments.base[Segments.GS] = canonical(value);
                case KERNEL_GS_BASE -> kernelGsBase = canonical(value);
                case TSC_AUX -> {
                    if (value >>> 32 != 0) {
                        throw cpu.gp(0);
                    }
                    tscAux = require(CpuFeature.RDTSCP, value);
                }
                case XSS -> {
                    if (require(CpuFeature.XSAVES, value) != 0) {
                        throw cpu.gp(0);
                    }
                }
                case BIOS_SIGN_ID -> keep(BIOS_SIGN_ID, value);
                case BIOS_UPDATE_TRIGGER, AMD_PATCH_LOADER -> {
                    // a microcode update that changes nothing
                }
                default -> writeOther(msr, value);
            }
        } catch (InvalidMsrException e) {
            throw cpu.gp(0);
        }
    }

    /// A deadline that the difference between the two counters makes zero has long passed: the earliest there is.
    private static long nonZero(long deadline) {
        return deadline == 0 ? 1 : deadline;
    }

    private void setTscAdjust(long value) {
        tscAdjust = value;
        cpu.paravirtual.tscChanged();
    }

    private long canonical(long value) {
        if (!cpu.isCanonicalBase(value)) {
            throw cpu.gp(0);
        }
        return value;
    }

    private void writeOther(int msr, long value) {
        if (msr >= X2APIC_FIRST && msr <= X2APIC_LAST) {
            local().writeMsr(msr, value);
            return;
        }
        if (Paravirtual.owns(msr)) {
            cpu.paravirtual.write(msr, value);
            return;
        }
        kept(msr);
        if (!accepts(msr, value)) {
            throw cpu.gp(0);
        }
        keep(msr, value);
    }

    private boolean accepts(int msr, long value) {
        if (msr == PAT) {
            return memoryTypes(value, 0xF3);
        }
        if (msr == MTRR_DEFAULT) {
            return (value & ~0xCFFL) == 0 && memoryType((int) value & 0xFF, 0x73);
        }
        if (msr >= MTRR_VARIABLE && msr < MTRR_VARIABLE + 2 * VARIABLE_RANGES) {
            long reserved = ~cpu.physicalMask();
            return (msr & 1) == 0
                    ? (value & (reserved | 0xF00)) == 0 && memoryType((int) value & 0xFF, 0x73)
                    : (value & (reserved | 0x7FF)) == 0;
        }
        if (msr >= MTRR_FIXED_64K && msr <= MTRR_FIXED_4K + 7) {
            return memoryTypes(value, 0x73);
        }
        if (msr >= MC0_CTL && msr < MC0_CTL + 4 * BANKS) {
            boolean control = (msr & 3) == 0;
            return control ? value == 0 || value == -1L || (value | 1L << 10) == -1L : value == 0;
        }
        if (msr == MCG_STATUS) {
            return (value & ~7) == 0;
        }
        return true;
    }

    /// @param allowed bit n: type n exists
    private static boolean memoryTypes(long value, int allowed) {
        for (int i = 0; i < 64; i += 8) {
            if (!memoryType((int) (value >>> i) & 0xFF, allowed)) {
                return false;
            }
        }
        return true;
    }

    private static boolean memoryType(int type, int allowed) {
        return type < 8 && (allowed >>> type & 1) != 0;
    }

    // ---------------------------------------------------------------- state

    SortedMap<Integer, Long> save() {
        var all = new TreeMap<>(kept);
        all.put(TSC_ADJUST, tscAdjust);
        all.put(STAR, star);
        all.put(LSTAR, lstar);
        all.put(CSTAR, cstar);
        all.put(FMASK, fmask);
        all.put(KERNEL_GS_BASE, kernelGsBase);
        all.put(TSC_AUX, tscAux);
        all.put(SYSENTER_CS, sysenterCs);
        all.put(SYSENTER_ESP, sysenterEsp);
        all.put(SYSENTER_EIP, sysenterEip);
        cpu.paravirtual.save(all);
        return all;
    }

    /// Registers that are not mentioned get their power-on values; those that do not exist here are left out.
    void load(SortedMap<Integer, Long> saved) {
        reset(true);
        cpu.paravirtual.reset();
        if (saved.containsKey(TSC) && !saved.containsKey(TSC_ADJUST)) {
            tscAdjust = saved.get(TSC) - cpu.processors().tsc().ticks();
        }
        saved.forEach((msr, value) -> {
            switch (msr) {
                case TSC_ADJUST -> tscAdjust = value;
                case STAR -> star = value;
                case LSTAR -> lstar = value;
                case CSTAR -> cstar = value;
                case FMASK -> fmask = value;
                case KERNEL_GS_BASE -> kernelGsBase = value;
                case TSC_AUX -> tscAux = value;
                case SYSENTER_CS -> sysenterCs = value;
                case SYSENTER_ESP -> sysenterEsp = value;
                case SYSENTER_EIP -> sysenterEip = value;
                case BIOS_SIGN_ID -> keep(BIOS_SIGN_ID, value);
                default -> {
                    if (Paravirtual.owns(msr)) {
                        cpu.paravirtual.load(msr, value);
                    } else if (kept.containsKey(msr)) {
                        keep(msr, value);
                    }
                }
            }
        });
        cpu.newSystemGeneration();
    }
}

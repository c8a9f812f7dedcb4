package org.jvirt.engine.soft.cpu;

import org.jvirt.core.cpu.ControlRegisters;
import org.jvirt.core.cpu.CpuFeature;
import org.jvirt.core.cpu.CpuidLeaf;
import org.jvirt.core.cpu.Segment;

/// CR0, CR2, CR3, CR4, CR8, EFER and XCR0, with the checks of every change and the questions that follow from them.
///
/// Source: Intel SDM volume 3, 2.5, 4.1; volume 2, MOV to control registers.
public final class Control {
    public static final long PE = 1;
    public static final long MP = 1 << 1;
    public static final long EM = 1 << 2;
    public static final long TS = 1 << 3;
    public static final long ET = 1 << 4;
    public static final long NE = 1 << 5;
    public static final long WP = 1 << 16;
    public static final long AM = 1 << 18;
    public static final long NW = 1 << 29;
    public static final long CD = 1 << 30;
    public static final long PG = 1L << 31;
    private static final long CR0_BITS = PE | MP | EM | TS | ET | NE | WP | AM | NW | CD | PG;

    public static final long VME = 1;
    public static final long PVI = 1 << 1;
    public static final long TSD = 1 << 2;
    public static final long DE = 1 << 3;
    public static final long PSE = 1 << 4;
    public static final long PAE = 1 << 5;
    public static final long MCE = 1 << 6;
    public static final long PGE = 1 << 7;
    public static final long PCE = 1 << 8;
    public static final long OSFXSR = 1 << 9;
    public static final long OSXMMEXCPT = 1 << 10;
    public static final long UMIP = 1 << 11;
    public static final long LA57 = 1 << 12;
    public static final long FSGSBASE = 1 << 16;
    public static final long PCIDE = 1 << 17;
    public static final long OSXSAVE = 1 << 18;
    public static final long SMEP = 1 << 20;
    public static final long SMAP = 1 << 21;

    public static final long EFER_SCE = 1;
    public static final long EFER_LME = 1 << 8;
    public static final long EFER_LMA = 1 << 10;
    public static final long EFER_NXE = 1 << 11;

    private static final long NO_FLUSH = 1L << 63;

    private final Cpu cpu;
    private final long allowedCr4;
    private final long allowedEfer;
    private final long physicalMask;
    private final boolean hugePages;
    private final long[] pageDirectoryPointers = new long[4];
    private long cr0 = 0x6000_0010;
    private long cr2;
    private long cr3;
    private long cr4;
    private long efer;
    private long xcr0 = 1;

    Control(Cpu cpu) {
        this.cpu = cpu;
        allowedCr4 = cr4Bits();
        allowedEfer = (cpu.has(CpuFeature.SYSCALL) ? EFER_SCE : 0)
                | (cpu.has(CpuFeature.LM) ? EFER_LME | EFER_LMA : 0)
                | (cpu.has(CpuFeature.NX) ? EFER_NXE : 0);
        int width = cpu.cpuid().leaf(0x8000_0008, 0).map(CpuidLeaf::eax).orElse(36) & 0xFF;
        physicalMask = (1L << Math.clamp(width, 32, 52)) - 1;
        hugePages = cpu.has(CpuFeature.PDPE1GB);
    }

    private long cr4Bits() {
        return (cpu.has(CpuFeature.VME) ? VME | PVI : 0)
                | (cpu.has(CpuFeature.TSC) ? TSD : 0)
                | (cpu.has(CpuFeature.DE) ? DE : 0)
                | (cpu.has(CpuFeature.PSE) ? PSE : 0)
                | (cpu.has(CpuFeature.PAE) ? PAE : 0)
                | (cpu.has(CpuFeature.MCE) ? MCE : 0)
                | (cpu.has(CpuFeature.PGE) ? PGE : 0)
                | PCE
                | (cpu.has(CpuFeature.FXSR) ? OSFXSR : 0)
                | (cpu.has(CpuFeature.SSE) ? OSXMMEXCPT : 0)
                | (cpu.has(CpuFeature.UMIP) ? UMIP : 0)
                | (cpu.has(CpuFeature.LA57) ? LA57 : 0)
                | (cpu.has(CpuFeature.FSGSBASE) ? FSGSBASE : 0)
                | (cpu.has(CpuFeature.PCID) ? PCIDE : 0)
                | (cpu.has(CpuFeature.XSAVE) ? OSXSAVE : 0)
                | (cpu.has(CpuFeature.SMEP) ? SMEP : 0)
                | (cpu.has(CpuFeature.SMAP) ? SMAP : 0);
    }

    public long cr0() {
        return cr0;
    }

    public long cr2() {
        return cr2;
    }

    public long cr3() {
        return cr3;
    }

    public long cr4() {
        return cr4;
    }

    public long efer() {
        return efer;
    }

    public long xcr0() {
        return xcr0;
    }

    public void setCr2(long value) {
        cr2 = value;
    }

    // ---------------------------------------------------------------- changes

    /// MOV to CR0, and CLTS and LMSW.
    ///
    /// @throws GuestFault `#GP(0)`
    public void setCr0(long requested) {
        cpu.takeExtended();
        if (requested >>> 32 != 0) {
            throw cpu.gp(0);
        }
        long value = requested & CR0_BITS | ET;
        boolean enablesPaging = (value & ~cr0 & PG) != 0;
        boolean disablesPaging = (~value & cr0 & PG) != 0;
        if ((value & PG) != 0 && (value & PE) == 0
                || (value & NW) != 0 && (value & CD) == 0
                || disablesPaging && ((cr4 & PCIDE) != 0 || cpu.longMode64())) {
            throw cpu.gp(0);
        }
        if (enablesPaging && (efer & EFER_LME) != 0) {
            if ((cr4 & PAE) == 0 || (cpu.segments.attributes(Segments.CS) & Segment.LONG) != 0) {
                throw cpu.gp(0);
            }
            efer |= EFER_LMA;
        } else if (enablesPaging && (cr4 & PAE) != 0) {
            loadPageDirectoryPointers(cr3);
        } else if (((value ^ cr0) & (CD | NW)) != 0 && (value & PG) != 0 && (cr4 & PAE) != 0 && !longModeActive()) {
            loadPageDirectoryPointers(cr3);
        }
        if (disablesPaging) {
            efer &= ~EFER_LMA;
        }
        long changed = cr0 ^ value;
        cr0 = value;
        cpu.newSystemGeneration();
        if ((changed & (PG | PE)) != 0) {
            cpu.mmu.tlb.flushAll();
            cpu.mmu.tlb.flushFast();
        } else if ((changed & WP) != 0) {
            cpu.mmu.tlb.flushFast();
        }
        if ((changed & (PG | PE | AM | WP)) != 0) {
            cpu.updateMode();
        }
    }

    /// CR0.TS set by a task switch.
    void setTaskSwitched() {
        cpu.takeExtended();
        cr0 |= TS;
    }

    /// CLTS.
    public void clearTaskSwitched() {
        cr0 &= ~TS;
    }

    /// MOV to CR3; bit 63 keeps the translations of the new process context where PCIDs are in use.
    ///
    /// @throws GuestFault `#GP(0)`
    public void setCr3(long requested) {
        boolean pcids = (cr4 & PCIDE) != 0;
        boolean keep = pcids && requested < 0;
        long value = keep ? requested & ~NO_FLUSH : requested;
        if (longModeActive()) {
            if ((value & ~physicalMask) != 0) {
                throw cpu.gp(0);
            }
        } else {
            value &= 0xFFFF_FFFFL;
            if (paging() && pae()) {
                loadPageDirectoryPointers(value);
            }
        }
        cr3 = value;
        int pcid = pcids ? (int) value & 0xFFF : 0;
        if (!keep) {
            cpu.mmu.tlb.flushContext(pcid);
        }
        cpu.mmu.tlb.switchContext(pcid);
        cpu.endBlock();
    }

    private void loadPageDirectoryPointers(long root) {
        long reserved = ~physicalMask | 0x1E6L;
        long[] loaded = new long[4];
        for (int i = 0; i < 4; i++) {
            loaded[i] = cpu.mmu.physicalLoad((root & 0xFFFF_FFE0L) + 8L * i, 8);
            if ((loaded[i] & 1) != 0 && (loaded[i] & reserved) != 0) {
                throw cpu.gp(0);
            }
        }
        System.arraycopy(loaded, 0, pageDirectoryPointers, 0, 4);
    }

    /// MOV to CR4.
    ///
    /// @throws GuestFault `#GP(0)`
    public void setCr4(long value) {
        cpu.takeExtended();
        if ((value & ~allowedCr4) != 0) {
            throw cpu.gp(0);
        }
        long changed = cr4 ^ value;
        if (longModeActive() && ((value & PAE) == 0 || (changed & LA57) != 0)) {
            throw cpu.gp(0);
        }
        if ((value & ~cr4 & PCIDE) != 0 && (!longModeActive() || (cr3 & 0xFFF) != 0)) {
            throw cpu.gp(0);
        }
        if (paging() && !longModeActive() && (value & PAE) != 0 && (changed & (PAE | PGE | PSE | SMEP)) != 0) {
            loadPageDirectoryPointers(cr3);
        }
        cr4 = value;
        cpu.newSystemGeneration();
        if ((changed & (PSE | PAE | PGE | PCIDE | SMEP | SMAP | LA57)) != 0) {
            cpu.mmu.tlb.flushAll();
            if ((changed & PCIDE) != 0) {
                cpu.mmu.tlb.switchContext((value & PCIDE) != 0 ? (int) cr3 & 0xFFF : 0);
            }
            if ((changed & (SMEP | SMAP)) != 0) {
                cpu.mmu.tlb.flushFast();
            }
        }
        cpu.updateMode();
    }

    /// WRMSR to EFER.
    ///
    /// @throws GuestFault `#GP(0)`
    public void setEfer(long value) {
        if ((value & ~allowedEfer) != 0 || paging() && ((value ^ efer) & EFER_LME) != 0) {
            throw cpu.gp(0);
        }
        long changed = efer ^ value;
        efer = value & ~EFER_LMA | efer & EFER_LMA;
        cpu.newSystemGeneration();
        if ((changed & EFER_NXE) != 0) {
            cpu.mmu.tlb.flushAll();
        }
        cpu.endBlock();
    }

    /// XSETBV.
    ///
    /// @throws GuestFault `#GP(0)`
    public void setXcr0(long value) {
        cpu.takeExtended();
        if ((value & ~cpu.xsave.supported()) != 0 || (value & 1) == 0 || (value & 6) == 4) {
            throw cpu.gp(0);
        }
        xcr0 = value;
        cpu.endBlock();
    }

    /// Loads all registers as saved, without the checks of single changes.
    void load(ControlRegisters saved) {
        cpu.takeExtended();
        cr0 = saved.cr0();
        cr2 = saved.cr2();
        cr3 = saved.cr3();
        cr4 = saved.cr4();
        efer = saved.efer();
        xcr0 = saved.xcr0();
        cpu.newSystemGeneration();
        cpu.mmu.tlb.flushAll();
        cpu.mmu.tlb.flushFast();
        cpu.mmu.tlb.switchContext((cr4 & PCIDE) != 0 ? (int) cr3 & 0xFFF : 0);
        if (paging() && pae() && !longModeActive()) {
            for (int i = 0; i < 4; i++) {
                pageDirectoryPointers[i] = cpu.mmu.physicalLoad((cr3 & 0xFFFF_FFE0L) + 8L * i, 8);
            }
        }
    }

    // ---------------------------------------------------------------- questions

    boolean protectionEnabled() {
        return (cr0 & PE) != 0;
    }

    boolean paging() {
        return (cr0 & PG) != 0;
    }

    boolean longModeActive() {
        return (efer & EFER_LMA) != 0;
    }

    boolean pae() {
        return (cr4 & PAE) != 0;
    }

    boolean pageSizeExtension() {
        return (cr4 & PSE) != 0;
    }

    boolean globalPages() {
        return (cr4 & PGE) != 0;
    }

    boolean fiveLevels() {
        return (cr4 & LA57) != 0;
    }

    boolean hugePages() {
        return hugePages;
    }

    boolean noExecuteEnabled() {
        return (efer & EFER_NXE) != 0;
    }

    boolean smep() {
        return (cr4 & SMEP) != 0 && paging();
    }

    boolean smap() {
        return (cr4 & SMAP) != 0 && paging();
    }

    boolean writeProtect() {
        return (cr0 & WP) != 0;
    }

    boolean alignmentMask() {
        return (cr0 & AM) != 0;
    }

    /// CR4.UMIP.
    public boolean preventsUserInstructions() {
        return (cr4 & UMIP) != 0;
    }

    long physicalMask() {
        return physicalMask;
    }

    long pageDirectoryPointer(int i) {
        return pageDirectoryPointers[i];
    }

    boolean emulation() {
        return (cr0 & EM) != 0;
    }

    boolean x87Trapped() {
        return (cr0 & (EM | TS)) != 0;
    }

    boolean fwaitTrapped() {
        return (cr0 & (MP | TS)) == (MP | TS);
    }

    boolean sseTrapped() {
        return (cr0 & (EM | TS)) != 0 || (cr4 & OSFXSR) == 0;
    }

    boolean sseUndefined() {
        return (cr0 & EM) != 0 || (cr4 & OSFXSR) == 0;
    }

    boolean avxTrapped() {
        return (cr0 & TS) != 0 || avxUndefined();
    }

    boolean avxUndefined() {
        return (cr4 & OSXSAVE) == 0 || (xcr0 & 6) != 6;
    }

    boolean simdExceptions() {
        return (cr4 & OSXMMEXCPT) != 0;
    }
}

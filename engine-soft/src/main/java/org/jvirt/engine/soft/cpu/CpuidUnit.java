package org.jvirt.engine.soft.cpu;

import java.util.Optional;
import org.jvirt.core.cpu.CpuFeature;
import org.jvirt.core.cpu.CpuidLeaf;
import org.jvirt.core.cpu.CpuidTable;

/// CPUID: the machine's table, and what in it depends on the processor and its state.
///
/// Source: Intel SDM volume 2, CPUID.
public final class CpuidUnit {
    private static final int APIC_ENABLED = 1 << 11;

    private final Cpu cpu;
    private final CpuidTable table;
    private final int lastBasic;
    private final int lastExtended;
    private final int lastHypervisor;

    CpuidUnit(Cpu cpu) {
        this.cpu = cpu;
        table = cpu.cpuid();
        lastBasic = table.leaf(0, 0).map(CpuidLeaf::eax).orElse(0);
        lastExtended = table.leaf(0x8000_0000, 0).map(CpuidLeaf::eax).orElse(0);
        lastHypervisor = table.leaf(0x4000_0000, 0).map(CpuidLeaf::eax).orElse(0);
    }

    /// Executes CPUID on the general registers.
    public void execute() {
        CpuidLeaf leaf = answer((int) cpu.r[Cpu.RAX], (int) cpu.r[Cpu.RCX]);
        cpu.r[Cpu.RAX] = leaf.eax() & 0xFFFF_FFFFL;
        cpu.r[Cpu.RBX] = leaf.ebx() & 0xFFFF_FFFFL;
        cpu.r[Cpu.RCX] = leaf.ecx() & 0xFFFF_FFFFL;
        cpu.r[Cpu.RDX] = leaf.edx() & 0xFFFF_FFFFL;
    }

    /// What the processor answers now.
    CpuidLeaf answer(int function, int index) {
        int f = function;
        boolean known = switch (function >>> 28) {
            case 0 -> function <= lastBasic;
            case 4 -> lastHypervisor != 0 && function <= Math.max(lastHypervisor, 0x4000_0001);
            case 8 -> Integer.compareUnsigned(function, lastExtended) <= 0;
            default -> false;
        };
        if (!known) {
            if (!cpu.msrs.isIntel()) {
                return new CpuidLeaf(function, index, 0, 0, 0, 0);
            }
            // Intel's answer as for the highest basic function
            f = lastBasic;
        }
        CpuidLeaf leaf = find(f, index);
        return adapt(leaf, f, index);
    }

    private CpuidLeaf find(int function, int index) {
        Optional<CpuidLeaf> exact = table.leaf(function, index);
        if (exact.isPresent()) {
            return exact.get();
        }
        if (!looksAtIndex(function)) {
            Optional<CpuidLeaf> first = table.leaf(function, 0);
            if (first.isPresent()) {
                return first.get();
            }
        }
        return new CpuidLeaf(function, index, 0, 0, 0, 0);
    }

    private static boolean looksAtIndex(int function) {
        return switch (function) {
            case 4, 7, 0xB, 0xD, 0xF, 0x10, 0x12, 0x14, 0x17, 0x18, 0x1D, 0x1F, 0x8000_001D -> true;
            default -> false;
        };
    }

    private CpuidLeaf adapt(CpuidLeaf leaf, int function, int index) {
        int eax = leaf.eax();
        int ebx = leaf.ebx();
        int ecx = leaf.ecx();
        int edx = leaf.edx();
        switch (function) {
            case 1 -> {
                ebx = ebx & 0xFF_FFFF | cpu.index() << 24;
                ecx &= ~(1 << 27);
                if ((cpu.control.cr4() & Control.OSXSAVE) != 0) {
                    ecx |= 1 << 27;
                }
                if (cpu.has(CpuFeature.APIC)
                        && (cpu.processors().local(cpu.index()).apicBase() & APIC_ENABLED) == 0) {
                    edx &= ~(1 << 9);
                }
            }
            case 0xB, 0x1F -> {
                ecx = ecx & ~0xFF | index & 0xFF;
                edx = cpu.index();
            }
            case 0xD -> {
                if (index == 0 && cpu.has(CpuFeature.XSAVE)) {
                    ebx = XsaveUnit.standardBytes(cpu.control.xcr0());
                } else if (index == 1 && (eax & 0xA) != 0) {
                    ebx = XsaveUnit.compactedBytes(cpu.control.xcr0());
                }
            }
            case 0x8000_001E -> eax = cpu.index();
            default -> {
                // nothing depends on the processor
            }
        }
        return new CpuidLeaf(function, index, eax, ebx, ecx, edx);
    }
}

package org.jvirt.engine.soft.cpu;

import org.jvirt.core.cpu.CpuFeature;
import org.jvirt.core.cpu.CpuidTable;
import org.jvirt.x86.CodeSize;

/// What decoding may depend on: a block is found again only by a processor in the same context.
///
/// @param codeSize      16-, 32- or 64-bit code
/// @param stackBytes    width of the stack pointer: 2, 4 or 8
/// @param protectedMode CR0.PE is set and this is not virtual-8086 mode
/// @param virtual8086   EFLAGS.VM is set
/// @param user          the privilege level is 3
/// @param cpuid         which features there are
public record OpContext(
        CodeSize codeSize, int stackBytes, boolean protectedMode, boolean virtual8086, boolean user, CpuidTable cpuid) {

    /// Whether this is 64-bit mode.
    public boolean long64() {
        return codeSize == CodeSize.CODE64;
    }

    public boolean has(CpuFeature feature) {
        return cpuid.has(feature);
    }
}

package org.jvirt.engine.kvm;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.MemorySegment;

/// Interrupt messages as KVM takes them: address_lo, address_hi, data.
///
/// A PCI function writes the destination's bits 14–8 to bits 11–5 of the address; KVM wants them in bits 31–8 of
/// the upper half, as x2APIC's commands have them.
///
/// Source: API, 4.71; Linux, arch/x86/include/asm/msi.h (extended destination).
final class Msi {
    private static final int EXTENDED_SHIFT = 5;
    private static final int EXTENDED_MASK = 0x7F;

    private Msi() {}

    static void fill(MemorySegment message, long address, int data) {
        int extended = (int) (address >>> EXTENDED_SHIFT) & EXTENDED_MASK;
        message.set(JAVA_INT, 0, (int) address & ~(EXTENDED_MASK << EXTENDED_SHIFT));
        message.set(JAVA_INT, 4, (int) (address >>> 32) | extended << 8);
        message.set(JAVA_INT, 8, data);
    }
}

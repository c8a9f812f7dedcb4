package org.jvirt.devices.pci;

/// The types of base address register (PCI 3.0 §6.2.5.1).
public enum BarKind {
    IO(0x1, 0x3, false),
    MEMORY_32(0x0, 0xf, false),
    MEMORY_64(0x4, 0xf, true),
    MEMORY_64_PREFETCHABLE(0xc, 0xf, true);

    private final int typeBits;
    private final int typeMask;
    private final boolean wide;

    BarKind(int typeBits, int typeMask, boolean wide) {
        this.typeBits = typeBits;
        this.typeMask = typeMask;
        this.wide = wide;
    }

    int typeBits() {
        return typeBits;
    }

    int typeMask() {
        return typeMask;
    }

    /// Takes two registers.
    public boolean wide() {
        return wide;
    }

    long smallestSize() {
        return this == IO ? 4 : 16;
    }
}

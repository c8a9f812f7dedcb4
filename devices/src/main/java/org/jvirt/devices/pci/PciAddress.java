package org.jvirt.devices.pci;

/// Where a function sits: bus 0–255, device 0–31, function 0–7.
public record PciAddress(int bus, int device, int function) {
    public PciAddress {
        if ((bus & ~0xff) != 0 || (device & ~0x1f) != 0 || (function & ~7) != 0) {
            throw new IllegalArgumentException(
                    "No PCI address: bus %d, device %d, function %d".formatted(bus, device, function));
        }
    }

    /// Bus 0.
    public static PciAddress of(int device, int function) {
        return new PciAddress(0, device, function);
    }

    int devfn() {
        return device << 3 | function;
    }

    /// As `lspci -D` writes it: `0000:00:1f.0`.
    @Override
    public String toString() {
        return "0000:%02x:%02x.%x".formatted(bus, device, function);
    }
}

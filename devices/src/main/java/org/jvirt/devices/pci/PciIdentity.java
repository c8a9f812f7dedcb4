package org.jvirt.devices.pci;

/// What a function says it is.
///
/// @param classCode base class, subclass and programming interface: 0xBBSSPP
public record PciIdentity(
        int vendor, int device, int revision, int classCode, int subsystemVendor, int subsystemDevice) {
    public PciIdentity {
        if (((vendor | device | subsystemVendor | subsystemDevice) & ~0xffff) != 0
                || (revision & ~0xff) != 0
                || (classCode & ~0xffffff) != 0) {
            throw new IllegalArgumentException("PCI identity out of range: %04x:%04x rev %x class %x"
                    .formatted(vendor, device, revision, classCode));
        }
    }
}

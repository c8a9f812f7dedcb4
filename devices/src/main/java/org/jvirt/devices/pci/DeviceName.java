package org.jvirt.devices.pci;

import java.util.List;

/// A device as a user names it on a command line.
///
/// @param name        as in QEMU: `virtio-blk-pci`
/// @param aliases     shorter names that mean the same
/// @param description one line
public record DeviceName(String name, List<String> aliases, String description) {
    public DeviceName {
        aliases = List.copyOf(aliases);
    }

    public boolean matches(String given) {
        return name.equals(given) || aliases.contains(given);
    }
}

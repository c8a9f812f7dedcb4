package org.jvirt.machine;

import java.nio.file.Path;
import java.util.Optional;

/// What a machine starts with.
public sealed interface BootConfig {
    /// A kernel, loaded without firmware.
    ///
    /// @param initrd      its initial RAM disk, or multiboot module
    /// @param commandLine without the kernel's name
    record Kernel(Path kernel, Optional<Path> initrd, String commandLine) implements BootConfig {}

    /// Firmware, which looks for something to boot itself; a kernel is offered to it through fw_cfg.
    record Firmware(Path image, Optional<Kernel> kernel) implements BootConfig {}
}

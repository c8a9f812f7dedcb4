package org.jvirt.machine.boot;

import java.nio.file.Path;
import java.util.Optional;
import org.jvirt.core.EntropySource;
import org.jvirt.machine.layout.MemoryMap;

/// What a directly booted kernel gets.
///
/// @param rsdpGpa where the ACPI root pointer lies
/// @param entropy seeds the kernel's random numbers
public record BootRequest(
        Path kernel,
        Optional<Path> initrd,
        String commandLine,
        MemoryMap memory,
        long rsdpGpa,
        EntropySource entropy) {}

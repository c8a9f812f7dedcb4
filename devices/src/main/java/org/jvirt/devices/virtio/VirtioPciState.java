package org.jvirt.devices.virtio;

import org.jvirt.devices.pci.PciFunctionState;

/// A virtio device on PCI, whole. The device's own part, `core().device()`, goes to the constructor of the new
/// device.
public record VirtioPciState(PciFunctionState function, VirtioCoreState core) {}

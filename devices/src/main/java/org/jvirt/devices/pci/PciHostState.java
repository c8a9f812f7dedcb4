package org.jvirt.devices.pci;

/// @param addressLatch the register at port 0xCF8
public record PciHostState(int addressLatch) {}

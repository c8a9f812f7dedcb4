package org.jvirt.core.cpu;

/// GDTR or IDTR.
public record DescriptorTable(long base, int limit) {}

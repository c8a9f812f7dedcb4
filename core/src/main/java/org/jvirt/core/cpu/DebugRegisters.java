package org.jvirt.core.cpu;

public record DebugRegisters(long dr0, long dr1, long dr2, long dr3, long dr6, long dr7) {}

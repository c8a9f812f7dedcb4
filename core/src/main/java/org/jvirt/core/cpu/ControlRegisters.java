package org.jvirt.core.cpu;

/// CR0–CR4, CR8, EFER and XCR0.
public record ControlRegisters(long cr0, long cr2, long cr3, long cr4, long cr8, long efer, long xcr0) {}

package org.jvirt.x86;

/// An immediate; where a branch wants a target, the absolute address to go to.
///
/// @param value as a signed or unsigned number of the operand's size
public record Imm(long value) implements Operand {}

package org.jvirt.x86;

/// What the [Assembler] takes as an operand.
public sealed interface Operand permits Reg, Mem, Imm, LabelRef, FarPointer {}

/// All integer instructions: what they compute, and the operations that bind it to registers and memory.
///
/// - [org.jvirt.engine.soft.integer.IntegerOps] is the only door: it makes the
///   [org.jvirt.engine.soft.cpu.Op] of a decoded instruction.
/// - One class per family holds the operations: `MoveOps`, `ArithmeticOps`, `ShiftOps`, `BitOps`, `MultiplyOps`,
///   `DivideOps`, `StackOps`, `BranchOps`, `StringOps`, and so on. Frequent combinations of operands (`Shape`)
///   have classes of their own with nothing left to decide (`AddOps`, `CmpOps`, …); all others go through
///   `Operand`.
/// - What is computed stands apart from where operands live, in functions of flags and numbers:
///   [org.jvirt.engine.soft.cpu.Flags] itself, `Alu`, `ShiftKind`, `Rotates`, `WideDivision`, `DecimalAdjust`,
///   `Crc32c`.
///
/// Every operation finds all its faults before it changes anything: it locates memory operands, computes, stores,
/// and only then writes registers. Start reading at `IntegerOps` and `Operand`.
@NullMarked
package org.jvirt.engine.soft.integer;

import org.jspecify.annotations.NullMarked;

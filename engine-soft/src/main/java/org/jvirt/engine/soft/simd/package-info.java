/// All vector instructions (MMX, SSE, AVX and their extensions) and the x87 instructions.
///
/// - [org.jvirt.engine.soft.simd.SimdOps] and [org.jvirt.engine.soft.simd.X87Ops] are the only doors: they make the
///   [org.jvirt.engine.soft.cpu.Op] of a decoded instruction.
/// - What is computed stands apart from where operands live, in pure functions: of single 64-bit words
///   (`PackedIntegers`, `PackedShifts`), of 128-bit lanes (`LaneFunctions`, `Aes`, `Sha`), of floating-point
///   elements (`FpFunctions`). MMX has one word, XMM two, YMM two lanes: every function serves all widths.
/// - `VectorOp` binds such a function to registers and memory, in its legacy form (the destination is the first
///   source and the upper half of the YMM register stays) and in its VEX form (three operands, the rest of the
///   register becomes zero). `HotIntegerOps` and `HotFpOps` have the frequent instructions with nothing left to
///   decide.
///
/// Every operation finds all its faults before it changes anything: it loads its operands, computes, and only then
/// writes. Start reading at `SimdOps` and `VectorOp`.
@NullMarked
package org.jvirt.engine.soft.simd;

import org.jspecify.annotations.NullMarked;

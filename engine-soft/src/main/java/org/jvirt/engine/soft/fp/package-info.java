/// The guest's floating-point arithmetic, bit for bit and flag for flag, in portable Java.
///
/// - [org.jvirt.engine.soft.fp.Fp32], [org.jvirt.engine.soft.fp.Fp64], [org.jvirt.engine.soft.fp.Fp16]: what SSE,
///   AVX, FMA and F16C compute, as functions from bits to bits, under an [org.jvirt.engine.soft.fp.Mxcsr];
///   [org.jvirt.engine.soft.fp.FpEstimate] has the two approximations.
/// - [org.jvirt.engine.soft.fp.X87]: the x87 unit, one method per instruction, with the MMX registers;
///   [org.jvirt.engine.soft.fp.X87Image] lays it out in memory. Its arithmetic is [org.jvirt.engine.soft.fp.Fp80].
///
/// Two ways lead to each SSE result: a general one on integers, which is the definition, and a fast one on Java's
/// own `float` and `double` for ordinary operands rounded to nearest, whose exceptions are found exactly or are
/// known to be set already. Start reading at [org.jvirt.engine.soft.fp.FpEnvironment] and
/// [org.jvirt.engine.soft.fp.IeeeFormat#round].
@NullMarked
package org.jvirt.engine.soft.fp;

import org.jspecify.annotations.NullMarked;

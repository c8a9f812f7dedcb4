/// Vector and x87 instructions in translated code, and whose their registers are.
///
/// A guest's XMM and YMM registers are the host's own while translated code runs, with the guest's MXCSR: nearly
/// all SSE and AVX instructions are then emitted as they are, and give the results and exception flags that the
/// guest's own processor would. [org.jvirt.engine.soft.translate.vector.VectorInstructions] says which;
/// [org.jvirt.engine.soft.translate.vector.VectorState] moves the registers between the processor in Java and the
/// host. No host exception can arise: blocks with vector instructions run only while all of MXCSR's exceptions are
/// masked.
///
/// The x87 unit, which the MMX registers are part of, moves likewise, but by itself and only when it is used:
/// [org.jvirt.engine.soft.translate.vector.X87State] and
/// [org.jvirt.engine.soft.translate.vector.X87Instructions].
@NullMarked
package org.jvirt.engine.soft.translate.vector;

import org.jspecify.annotations.NullMarked;

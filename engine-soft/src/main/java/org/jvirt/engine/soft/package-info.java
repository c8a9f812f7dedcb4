/// The software engine: executes guest code on any host that has a Java machine.
///
/// [org.jvirt.engine.soft.SoftHypervisor] is the door. A [org.jvirt.core.Vcpu] of this engine is a processor
/// ([org.jvirt.engine.soft.cpu.Cpu]) and a run loop ([org.jvirt.engine.soft.code.Interpreter]); instructions are in
/// the packages `integer`, `simd`, `fp` and `system`. On an x86-64 Linux host the translator
/// ([org.jvirt.engine.soft.translate.Translator]) runs 64-bit code that is hot.
@NullMarked
package org.jvirt.engine.soft;

import org.jspecify.annotations.NullMarked;

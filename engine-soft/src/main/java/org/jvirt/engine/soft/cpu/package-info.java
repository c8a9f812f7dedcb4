/// The processor of the software engine: registers, memory management, modes, faults, interrupts.
///
/// Start at [org.jvirt.engine.soft.cpu.Cpu], which holds the units, and [org.jvirt.engine.soft.cpu.Mmu], through
/// which every access to guest memory goes. An instruction is an [org.jvirt.engine.soft.cpu.Op]. What the
/// processors of one VM share is in [org.jvirt.engine.soft.cpu.Processors].
@NullMarked
package org.jvirt.engine.soft.cpu;

import org.jspecify.annotations.NullMarked;

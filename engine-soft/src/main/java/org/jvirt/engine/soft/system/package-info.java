/// Instructions that concern the processor as a whole: segments, descriptor tables, control, debug and
/// model-specific registers, ports, interrupts, far transfers, XSAVE.
///
/// [org.jvirt.engine.soft.system.SystemOps] is the only door. What they do is in the units of
/// [org.jvirt.engine.soft.cpu.Cpu]; here are operands, privilege and the order of checks.
@NullMarked
package org.jvirt.engine.soft.system;

import org.jspecify.annotations.NullMarked;

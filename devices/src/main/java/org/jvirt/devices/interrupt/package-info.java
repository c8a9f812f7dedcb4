/// The interrupt controllers of a PC: the 8259 pair, the IO-APIC and one local APIC for each processor.
/// [PcInterrupts] assembles them and is where to start reading; everything else is reached through it. What they
/// remember are records of [org.jvirt.core.interrupt], which engines with such controllers of their own share.
///
/// ```
///  line(0–15) ──┬──► 8259 pair ── INTR ──► LINT0 of every local APIC, IO-APIC pin 0
///               └──► IO-APIC ─┐
///  line(16–23) ────► IO-APIC ─┤
///  msi() ─────────────────────┼──► ApicBus ──► local APIC ──► VcpuSignals
///  ICR writes (IPIs) ─────────┘
/// ```
///
/// *Locks.* The 8259 pair, the IO-APIC and each local APIC has one small lock of its own, and none is held while
/// another controller or a [org.jvirt.core.VcpuSignals] is called: there is no order to keep between them. What one
/// tells another is either an event (a message) or a volatile level that the receiver reads again under its own
/// lock, so that the last notification always sees the newest level. Devices may call in with their own locks held.
/// A local
/// APIC sets its [org.jvirt.core.VmClock.Timer] with its lock held: a clock must not run alarms under a lock that
/// setting them needs.
///
/// Sources: Intel 8259A data sheet (231468); Intel I/O Controller Hub 9 data sheet (316972), 13.4 and 13.5; Intel
/// SDM volume 3, chapter "Advanced Programmable Interrupt Controller (APIC)" (10 in older editions, 12 or 13 in
/// newer).
@NullMarked
package org.jvirt.devices.interrupt;

import org.jspecify.annotations.NullMarked;

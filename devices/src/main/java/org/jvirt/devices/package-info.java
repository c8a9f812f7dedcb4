/// The devices of a q35-compatible PC. Each sits on a [org.jvirt.core.Bus] as an [org.jvirt.core.IoDevice], and one
/// package holds what belongs together:
///
/// - `interrupt`: 8259 pair, IO-APIC, local APICs; start at `PcInterrupts`.
/// - `time`: 8254, real-time clock, HPET.
/// - `acpi`: ACPI power management and the reset register.
/// - `legacy`: serial port, keyboard controller, debug and exit ports, DMA controller.
/// - `fwcfg`: how firmware learns about the machine.
/// - `pci`, `virtio`, `testdev`: the PCI bus and what is on it.
///
/// A device knows its clock, its lines and its backend through interfaces of `core` only. Every device locks
/// itself, may drive an [org.jvirt.core.InterruptLine] with its own lock held (interrupt controllers never call
/// devices back), and never holds its lock while it calls a backend. Its saved state is one record, and building
/// it from that record restores it; times in a record are guest nanoseconds of [org.jvirt.core.VmClock], which
/// must stand still, at the time of the saving, until all devices are built.
///
/// Here are only the helpers that all share: [ByteDevice], [SharedLine] and [TickRate].
@NullMarked
package org.jvirt.devices;

import org.jspecify.annotations.NullMarked;

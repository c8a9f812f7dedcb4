/// A running virtual PC. [VirtualMachine] is the door; [VmConfig] says what a machine is made of, [ExitReason] why
/// it ended, [Engines] what can run it, [Inspection] what can be seen of it.
///
/// Inside: `PcMachine` wires a configuration to an engine, with `BoardInterrupts` (the interrupt controllers:
/// jvirt's own, or the engine's), `PcBoard` (chipset and legacy ports), `PcDevices` (fw_cfg, virtio) and
/// `FirmwareTables`; `VcpuGroup` runs the processors' threads and `ControlThread` everything
/// that changes the machine's state.
///
/// ```
/// user, device ── request ──► ControlThread ── pause, resume, stop ──► VcpuGroup ── run, kick ──► Vcpu
///                                  │                                                               │ exits
///                                  └── boot, reset ──► PcMachine ◄── PcBoard, PcDevices ◄── BusExits
/// ```
///
/// Start reading at [VirtualMachine], then `PcMachine`.
@NullMarked
package org.jvirt.machine;

import org.jspecify.annotations.NullMarked;

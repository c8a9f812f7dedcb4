/// The words of a virtual machine, without any machine: what an engine, a device and a backend promise one another.
///
/// - *Engines* implement [Hypervisor], [Vm] and [Vcpu]; they reach the outside only through [ExitHandler].
/// - *Devices* implement [IoDevice], sit on a [Bus], raise an [InterruptLine] or send through an [MsiSink],
///   move data through [GuestMemory] and measure time with a [VmClock].
/// - *Backends* ([BlockBackend], [CharBackend]) are what a device's data goes to on the host.
///
/// Only the `machine` module sees engines and devices together. Start reading at [VmSpec] and [Vm], then
/// [GuestMemory], then [Bus].
///
/// Addresses: `gpa` is guest-physical, `gva` guest-virtual, `hva` host-virtual. All multi-byte guest data is
/// little-endian.
@NullMarked
package org.jvirt.core;

import org.jspecify.annotations.NullMarked;

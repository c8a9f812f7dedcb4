/// The PCI side of a q35-compatible PC: how a guest finds functions, programs them and is interrupted by them.
///
/// - [PciHost] answers the configuration ports 0xCF8–0xCFF and the memory-mapped (ECAM) window, and knows all
///   functions.
/// - [PciFunction] is one function: a [ConfigSpace] with write masks, up to six base address registers mapped on
///   the machine's [org.jvirt.core.Bus], capabilities, and one INTx pin.
/// - [MsiCapability], [MsixCapability], [PcieCapability] are capabilities a function may carry.
/// - [PirqRouter] carries INTx pins to interrupt lines as ICH9 does; [Ich9Lpc] holds its registers.
/// - [Q35HostBridge], [Ich9Lpc], [Ich9Smbus] are the chipset; [PciAllocator] does a firmware's address assignment
///   where no firmware runs.
///
/// Start reading at [PciHost], then [PciFunction]. Sources: PCI Local Bus Specification 3.0, PCI Express Base
/// Specification 3.0, Intel 3 Series Express Chipset (Q35) and I/O Controller Hub 9 data sheets.
///
/// Locks: [PciHost] has one lock for all configuration space. It is taken before a device's own lock, never after;
/// the router's and the capabilities' locks are leaves.
@NullMarked
package org.jvirt.devices.pci;

import org.jspecify.annotations.NullMarked;

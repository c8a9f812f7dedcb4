/// The two devices that test programs for virtual machines are written against: [PcTestDevice] and [PciTestDevice],
/// with the ports, registers and behaviour those programs know from QEMU.
@NullMarked
package org.jvirt.devices.testdev;

import org.jspecify.annotations.NullMarked;

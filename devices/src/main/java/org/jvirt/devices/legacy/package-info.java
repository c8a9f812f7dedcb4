/// The PC's old ports: serial line ([Uart16550]), keyboard and mouse ([I8042]), port 0x92 ([SystemControlPortA]),
/// DMA registers ([DmaController]), debug output ([DebugPort]), POST codes ([PostCode]) and the port that ends the
/// program ([DebugExit]).
///
/// Sources: National Semiconductor PC16550D data sheet; Intel 8237A data sheet (231466); Intel I/O Controller Hub 9
/// data sheet (316972), 13.2 and 13.7; IBM PS/2 Hardware Interface Technical Reference, keyboard and auxiliary
/// device controller.
@NullMarked
package org.jvirt.devices.legacy;

import org.jspecify.annotations.NullMarked;

/// What tells the guest the time: the 8254 timer with port 0x61 ([Pit8254]), the real-time clock with its CMOS
/// memory ([Rtc]), and the high precision event timers ([Hpet]). Counters are never stepped: every reading is
/// computed from guest time, so that it is exact and an idle timer costs nothing.
///
/// Sources: Intel 8254 data sheet (231164); Motorola MC146818A data sheet; IA-PC HPET specification 1.0a; Intel I/O
/// Controller Hub 9 data sheet (316972), 13.3, 13.6, 13.7.1 and 20.
@NullMarked
package org.jvirt.devices.time;

import org.jspecify.annotations.NullMarked;

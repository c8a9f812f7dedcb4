/// ACPI's fixed hardware as ICH9 has it: [PowerManagement] with the event, control, timer and general-purpose-event
/// blocks and the port that switches to ACPI mode, and [ResetControl], the reset register.
///
/// Sources: ACPI specification 6.5, 4.8; Intel I/O Controller Hub 9 data sheet (316972), 13.7.2, 13.8.3 and 13.7.5.
@NullMarked
package org.jvirt.devices.acpi;

import org.jspecify.annotations.NullMarked;

/// The tables by which firmware describes the machine to an operating system: ACPI ([AcpiTables], with its byte
/// code from [Dsdt] and [Aml]) and SMBIOS ([SmbiosTables]).
///
/// Both come in two forms: placed in RAM, for kernels that are booted directly, and as fw_cfg files with a
/// [TableLoader] script, for firmware that places them itself. Start at [AcpiTables].
///
/// Source: ACPI 6.5; PCI Firmware 3.3; SMBIOS 3.0.
@NullMarked
package org.jvirt.machine.firmware;

import org.jspecify.annotations.NullMarked;

/// SCSI commands, whatever carries them: virtio's SCSI controller, or ATA's PACKET command.
///
/// ```
/// transport ── Cdb, DataBuffers ──► LogicalUnit ─┬─ DiskUnit ──► BlockBackend
///           ◄─ bytes moved, or ScsiFailure ──────┴─ CdromUnit ─► Tray ─► BlockBackend
/// ```
///
/// A [LogicalUnit] keeps unit attentions and what is locked; its commands run on the transport's queue threads,
/// several at once. A command that cannot be is a [CheckCondition] with the standard's [Sense]. Start reading at
/// [LogicalUnit].
///
/// Sources: SCSI Primary Commands 4 (SPC-4), SCSI Block Commands 3 (SBC-3), Multi-Media Commands 6 (MMC-6), all of
/// INCITS T10.
@NullMarked
package org.jvirt.devices.scsi;

import org.jspecify.annotations.NullMarked;

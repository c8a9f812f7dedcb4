/// Serial ATA: the chipset's AHCI controller, disks and CD-ROM drives.
///
/// ```
/// vCPU thread ── PxCI ──► AhciController ─► AhciPort ── wake ──► worker (vm7-ahci0-p0)
///                                                                 │ CommandSlot: header, FIS, PRDs, read once
///                                                  AtaDevice ◄────┤
///                              AtaDisk ─► BlockBackend            │ received FIS, PxCI, PxIS
///                              AtapiDrive ─► scsi.CdromUnit       └─► MSI or INTx
/// ```
///
/// Each port has a worker, which carries out one command at a time: reads and writes of native command queuing too,
/// in the order of their slots. Start reading at [AhciController], then [AhciPort].
///
/// Sources: Serial ATA AHCI 1.3.1 ("AHCI §"); ATA/ATAPI Command Set 2 (ACS-2, T13/2015-D) for commands and for what
/// IDENTIFY tells; Serial ATA 3.0 for FISes.
@NullMarked
package org.jvirt.devices.ahci;

import org.jspecify.annotations.NullMarked;

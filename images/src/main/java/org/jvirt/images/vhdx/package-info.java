/// VHDX, the format of Hyper-V: two headers, two region tables, metadata, a block allocation table, blocks of 1 to
/// 256 MiB, and a log through which every change of the table goes.
///
/// ```
/// VhdxDriver ── VhdxHeaders ── which of the two headers is valid, and what they say is changed in turns
///     │         VhdxRegions, VhdxMetadata ── where the parts are, how large disk and blocks are
///     │         VhdxReplay ── brings what the log holds into the file, when it was not closed cleanly
///     └─ VhdxImage ── VhdxMap ── the table; saves through VhdxLog
/// ```
///
/// Names and layout: *[MS-VHDX] Virtual Hard Disk v2 (VHDX) File Format*. Differencing disks are refused.
@NullMarked
package org.jvirt.images.vhdx;

import org.jspecify.annotations.NullMarked;

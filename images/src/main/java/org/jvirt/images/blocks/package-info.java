/// What formats share that divide a disk into blocks and keep a table of where each one lies: VDI, VHD, VHDX,
/// Parallels and VMDK.
///
/// ```
/// BlockImage ── what every such DiskImage does alike
///     └─ BlockStore ── splits requests into runs, allots blocks, orders what a flush writes
///            ├─ ImageFile                    data, read and written outside of any lock
///            └─ BlockMap ── of each format   block → place, under the store's lock
///                  └─ EntryTable             the table in the file: a bounded cache of its pages
/// ```
///
/// **Why a crash does no harm.** A table in memory is ahead of the one in the file. A flush first takes what has
/// changed in memory, then makes all data durable, and only then writes the changes, in the order that the format
/// needs, and makes them durable as well. So the file's tables never name a block whose content is not there; what
/// had not been flushed is lost, and at worst space at the end of the file is.
@NullMarked
package org.jvirt.images.blocks;

import org.jspecify.annotations.NullMarked;

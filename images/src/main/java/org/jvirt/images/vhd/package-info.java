/// VHD, the format of Virtual PC and older Hyper-V, which QEMU calls vpc: fixed disks are raw with a footer;
/// dynamic ones have a table with one entry for each block of 2 MiB; differencing ones say for each sector whether
/// it is theirs
/// or their parent's, and are read-only here, as nobody but Microsoft writes them.
///
/// Start reading at [VhdFooter]. Layout and names: *Virtual Hard Disk Image Format Specification* 1.0.
@NullMarked
package org.jvirt.images.vhd;

import org.jspecify.annotations.NullMarked;

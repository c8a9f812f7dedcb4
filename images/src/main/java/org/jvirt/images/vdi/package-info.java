/// VDI, the format of VirtualBox: a header, a table with one 32-bit entry for each block of 1 MiB, and the blocks
/// in the order in which they were first written. Start reading at [VdiHeader].
@NullMarked
package org.jvirt.images.vdi;

import org.jspecify.annotations.NullMarked;

/// The expanding images of Parallels, version 2, in both ways of counting: a header, a table with one 32-bit entry
/// for each cluster, and the clusters. Start reading at [ParallelsHeader]. Layout: QEMU's *Parallels Expandable
/// Image File
/// Format*.
@NullMarked
package org.jvirt.images.parallels;

import org.jspecify.annotations.NullMarked;

/// Disks that keep what is written to themselves: [SnapshotOverlay].
@NullMarked
package org.jvirt.images.overlay;

import org.jspecify.annotations.NullMarked;

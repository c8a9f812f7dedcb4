/// The virtio entropy device (virtio §5.4).
@NullMarked
package org.jvirt.devices.virtio.rng;

import org.jspecify.annotations.NullMarked;

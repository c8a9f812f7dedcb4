/// The virtio block device (virtio §5.2): [VirtioBlock] is the device, [BlockConfig] its configuration structure,
/// `BlockRequest` parses requests and `BlockIo` carries them out on a [org.jvirt.core.BlockBackend].
@NullMarked
package org.jvirt.devices.virtio.block;

import org.jspecify.annotations.NullMarked;

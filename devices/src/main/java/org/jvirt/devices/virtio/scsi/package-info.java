/// Virtio's SCSI controller (virtio §5.6): [VirtioScsi] is the device, `ScsiRequest` one command in a queue,
/// `TaskManagement` the control queue. The units behind it are in [org.jvirt.devices.scsi].
@NullMarked
package org.jvirt.devices.virtio.scsi;

import org.jspecify.annotations.NullMarked;

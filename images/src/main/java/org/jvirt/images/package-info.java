/// Disk images on the host, each a [org.jvirt.core.BlockBackend].
///
/// ```
/// org.jvirt.images          ImageAccess opens and makes images; DiskImages knows the formats
///          ├── format       what every format is: FormatDriver, DiskImage
///          ├── raw, qcow2, vmdk, …   one folder for each format
///          ├── file         HostFile: the host file below, its lock, its holes
///          ├── tool         convert, compare, commit, rebase: what works with any format
///          └── overlay      SnapshotOverlay: writes to memory, the image below stays as it is
/// ```
///
/// Start reading at [ImageAccess]. A new format is a folder beside `raw` with a
/// [org.jvirt.images.format.FormatDriver], and one constant in [org.jvirt.images.format.ImageFormat].
///
/// Names of images, given by users or by images, lead to files of this host only.
@NullMarked
package org.jvirt.images;

import org.jspecify.annotations.NullMarked;

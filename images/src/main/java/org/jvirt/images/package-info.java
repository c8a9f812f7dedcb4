/// Disk images on the host, each a [org.jvirt.core.BlockBackend].
///
/// ```
/// org.jvirt.images          DiskImages opens a file as an ImageFormat
///          ├── raw          one folder for each format
///          ├── overlay      SnapshotOverlay: writes to memory, the image below stays as it is
///          └── file         what formats share: the host file, its lock, vectored I/O, messages
/// ```
///
/// Start reading at [DiskImages]. A new format is a folder beside `raw` with one class that implements
/// [org.jvirt.core.BlockBackend] on a `file.HostFile`, and one constant in [ImageFormat].
///
/// Threads that call a backend must never be interrupted: Java then closes the file they work on.
@NullMarked
package org.jvirt.images;

import org.jspecify.annotations.NullMarked;

/// What every image format is, seen from above: a [FormatDriver] that opens and creates, and the [DiskImage] it
/// gives.
///
/// ```
/// DiskImages ── probes, resolves names and backing chains (ImageOpener)
///     │
/// FormatDriver.open(ImageFile, OpenRequest) ──> DiskImage ── Extent, ImageInfo, CheckReport
///     │                                             │
/// one folder per format                      ImageFile (a host file, a recorder of tests, a network disk)
/// ```
@NullMarked
package org.jvirt.images.format;

import org.jspecify.annotations.NullMarked;

/// `jvirt image build`: bootable disks of Debian, made without root.
///
/// The host selects and downloads packages with its own apt ([AptSelection]) and lays them on a read-only disc
/// ([PackageDisc] on an [Iso9660Writer]). A machine of jvirt's own then boots Debian's kernel with a small
/// initramfs ([BuilderInitrd], `init` and `build.sh` among the resources) that formats the disk, installs the
/// packages with dpkg, and makes the disk bootable; [BuildConsole] reads how far it is. Start at
/// [DebianImageBuilder].
@NullMarked
package org.jvirt.cli.image;

import org.jspecify.annotations.NullMarked;

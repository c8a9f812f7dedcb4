/// Debian's own kernel and busybox as a first guest: fetched through the machine's package tools, unpacked into the
/// cache, and made into an initramfs. Start at [DebianGuest].
@NullMarked
package org.jvirt.cli.debian;

import org.jspecify.annotations.NullMarked;

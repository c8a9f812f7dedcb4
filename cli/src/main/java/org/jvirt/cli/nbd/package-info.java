/// `jvirt nbd`, with qemu-nbd's words.
@NullMarked
package org.jvirt.cli.nbd;

import org.jspecify.annotations.NullMarked;

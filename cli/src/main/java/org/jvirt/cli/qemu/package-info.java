/// QEMU's command line, for scripts and test kernels written for it: the common options mean here what they mean
/// there, and everything else is refused by name. Start at [QemuCommandLine].
///
/// Source: QEMU's manual page, "Invocation".
@NullMarked
package org.jvirt.cli.qemu;

import org.jspecify.annotations.NullMarked;

/// What both ways of starting a virtual machine from the command line have in common: the wishes ([LaunchOptions])
/// and their fulfilment ([Launcher]). The front ends are `jvirt run` and `jvirt qemu-system-x86_64`.
@NullMarked
package org.jvirt.cli.launch;

import org.jspecify.annotations.NullMarked;

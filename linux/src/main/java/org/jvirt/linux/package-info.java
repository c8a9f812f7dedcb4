/// What jvirt asks of the Linux kernel and Java does not offer: shared guest memory ([HostMemory]), terminal modes
/// ([TerminalMode], [PseudoTerminal]), device files with their ioctls ([DeviceFile]), event descriptors
/// ([EventFd]), a
/// signal to interrupt a blocking call ([KickSignal]) and, for tests that take the host's own processor as their
/// oracle, [TracedProcess].
///
/// Every native function is linked in [LibC]; every failure is a [SystemCallException] that names the call, its
/// object and the errno. Nothing here knows what the memory or descriptors are used for.
@NullMarked
package org.jvirt.linux;

import org.jspecify.annotations.NullMarked;

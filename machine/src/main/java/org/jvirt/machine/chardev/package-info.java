/// The host's end of serial lines and consoles: file, Unix socket, pseudo-terminal, memory, nothing.
///
/// All share [BufferedBackend]: a bounded buffer and a writer thread towards the host, so that a vCPU never waits
/// for a slow peer, and back-pressure towards the guest, so that pasted input is not lost.
@NullMarked
package org.jvirt.machine.chardev;

import org.jspecify.annotations.NullMarked;

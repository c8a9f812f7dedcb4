/// What all disk controllers share, whatever they look like to the guest.
///
/// [StorageDevice] is a drive as the machine's owner sees it, [Tray] holds a medium that can be changed,
/// [DataBuffers] is the guest memory of one command, and [ScatterList] the usual form of it.
@NullMarked
package org.jvirt.devices.storage;

import org.jspecify.annotations.NullMarked;

/// The virtio console device (virtio §5.3): [VirtioConsole] is the device, [ConsolePort] one port of it on a
/// [org.jvirt.core.CharBackend], `ControlChannel` the conversation about ports.
@NullMarked
package org.jvirt.devices.virtio.console;

import org.jspecify.annotations.NullMarked;

/// Guest time made from the host's: [HostClock].
@NullMarked
package org.jvirt.machine.clock;

import org.jspecify.annotations.NullMarked;

/// What the host gives a machine: on which processors its threads run and how they are scheduled, where its RAM
/// lies and whether it is there for certain, how much processor time it gets. [HostSettings] is the whole; nothing
/// of it is
/// visible to the guest.
@NullMarked
package org.jvirt.machine.host;

import org.jspecify.annotations.NullMarked;

/// Where everything lies in the guest-physical address space of the PC: [MemoryMap], and what the guest is told
/// about it: [E820Entry]. Start at [MemoryMap].
@NullMarked
package org.jvirt.machine.layout;

import org.jspecify.annotations.NullMarked;

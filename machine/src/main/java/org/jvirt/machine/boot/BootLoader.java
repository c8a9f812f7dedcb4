package org.jvirt.machine.boot;

import org.jvirt.core.GuestMemory;
import org.jvirt.core.cpu.CpuState;

/// Something that can be booted. All that a user can get wrong is checked when it is made. Not thread-safe.
public interface BootLoader {
    /// For a person: what is booted, and how.
    String description();

    /// Whether firmware runs in the guest, and so finds and sets up the hardware itself.
    boolean firmware();

    /// Puts everything into guest memory. May be called again, at each reset.
    ///
    /// @param signature CPUID.1:EAX
    /// @return the state of the first processor
    CpuState load(GuestMemory memory, int signature);
}

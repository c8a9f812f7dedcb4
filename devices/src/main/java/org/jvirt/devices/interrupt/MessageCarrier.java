package org.jvirt.devices.interrupt;

/// Where the IO-APIC's messages go.
interface MessageCarrier {
    /// Carries a message; answers whether some local APIC took it.
    boolean interrupt(int destination, boolean logical, int mode, int vector, boolean level, boolean redirectionHint);

    /// The redirection entry of a pin was written, and no message of it was sent since. Without lock.
    default void programmed(int pin, long entry) {
        // local APICs of the same board tell about every end of interrupt
    }
}

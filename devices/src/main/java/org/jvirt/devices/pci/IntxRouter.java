package org.jvirt.devices.pci;

/// Carries the INTx pins of bus 0 to interrupt lines. Thread-safe; called by any thread that raises an interrupt.
@FunctionalInterface
public interface IntxRouter {
    /// A pin's level changed.
    ///
    /// @param pin 0 (INTA#) to 3
    void pin(int device, int pin, boolean high);
}

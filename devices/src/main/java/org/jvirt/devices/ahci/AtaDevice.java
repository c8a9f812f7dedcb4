package org.jvirt.devices.ahci;

import org.jvirt.core.GuestAddressException;

/// What is connected to a port. The port's worker carries out its commands, one at a time; the rest is any
/// thread's.
public sealed interface AtaDevice permits AtaDisk, AtapiDrive {
    /// What the device shows after a reset: sector count, LBA low, mid and high.
    int signature();

    /// Status after a reset.
    int resetStatus();

    /// Carries out a command and leaves its outcome in `registers`.
    ///
    /// @throws GuestAddressException if the guest's buffers are not RAM
    void execute(Exchange exchange);

    /// After a reset by the link (hard), or by software.
    void reset(boolean hard);

    /// One command with its registers and its data; the port's own, handed out for the time of a command.
    final class Exchange {
        private final TaskFile registers;
        private final CommandSlot slot;

        Exchange(TaskFile registers, CommandSlot slot) {
            this.registers = registers;
            this.slot = slot;
        }

        TaskFile registers() {
            return registers;
        }

        CommandSlot slot() {
            return slot;
        }
    }
}

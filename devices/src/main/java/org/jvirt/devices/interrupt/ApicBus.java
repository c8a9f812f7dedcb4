package org.jvirt.devices.interrupt;

import org.jvirt.core.MsiSink;

/// Carries interrupt messages to the local APICs they name. Has no state and no lock of its own; allocates nothing.
///
/// Source: Intel SDM volume 3, "Determining IPI destination", "Message signalled interrupts".
final class ApicBus implements MsiSink, MessageCarrier {
    /// Physical destination for everybody, in interrupt messages and IPIs of xAPIC mode.
    private static final int BROADCAST = 0xff;

    private static final int X2APIC_BROADCAST = -1;

    private static final long MSI_REDIRECTION_HINT = 8;
    private static final long MSI_LOGICAL = 4;

    private final PcInterrupts controllers;
    private final LocalApic[] apics;

    /// @param apics filled by the caller before the first message
    ApicBus(PcInterrupts controllers, LocalApic[] apics) {
        this.controllers = controllers;
        this.apics = apics;
    }

    /// The level of INTR from the 8259 pair.
    boolean intr() {
        return controllers.intr();
    }

    /// The INTA cycles with the 8259 pair.
    int acknowledgeIntr() {
        return controllers.acknowledgeIntr();
    }

    /// The EOI message of a local APIC.
    void endOfInterrupt(int vector) {
        controllers.endOfInterrupt(vector);
    }

    @Override
    public void send(long address, int data) {
        if (address >>> 20 != 0xfee) {
            return;
        }
        int destination = (int) (address >>> 12 & 0xff | (address << 3 & 0x7f00));
        interrupt(
                destination,
                (address & MSI_LOGICAL) != 0,
                data >> 8 & 7,
                data & 0xff,
                (data & 0x8000) != 0,
                (address & MSI_REDIRECTION_HINT) != 0);
    }

    /// A message of a device or IO-APIC.
    @Override
    public boolean interrupt(
            int destination, boolean logical, int mode, int vector, boolean level, boolean redirectionHint) {
        int target = destination == BROADCAST ? X2APIC_BROADCAST : destination;
        int effectiveMode = redirectionHint && mode == DeliveryMode.FIXED ? DeliveryMode.LOWEST_PRIORITY : mode;
        // INIT, NMI, SMI and ExtINT are edges whatever the trigger mode says; a start-up message does not exist here.
        return mode != DeliveryMode.STARTUP && deliver(target, logical, effectiveMode, vector, level);
    }

    /// An IPI of `sender`.
    ///
    /// @param shorthand bits 19–18 of ICR
    void ipi(LocalApic sender, int shorthand, int destination, boolean logical, int mode, int vector) {
        switch (shorthand) {
            case 0 -> deliver(broadcast(sender, destination), logical, mode, vector, false);
            case 1 -> sender.accept(mode, vector, false);
            case 2 -> {
                for (LocalApic apic : apics) {
                    apic.accept(mode, vector, false);
                }
            }
            default -> {
                for (LocalApic apic : apics) {
                    if (apic != sender) {
                        apic.accept(mode, vector, false);
                    }
                }
            }
        }
    }

    private static int broadcast(LocalApic sender, int destination) {
        return !sender.inX2apicMode() && destination == BROADCAST ? X2APIC_BROADCAST : destination;
    }

    private boolean deliver(int destination, boolean logical, int mode, int vector, boolean level) {
        if (mode == DeliveryMode.LOWEST_PRIORITY) {
            return deliverToLowestPriority(destination, logical, vector, level);
        }
        if (!logical && destination != X2APIC_BROADCAST) {
            return destination >= 0 && destination < apics.length && apics[destination].accept(mode, vector, level);
        }
        boolean taken = false;
        for (LocalApic apic : apics) {
            if (matches(apic, destination, logical)) {
                taken |= apic.accept(mode, vector, level);
            }
        }
        return taken;
    }

    /// Among the least busy ones the vector chooses, which spreads vectors over processors and keeps each in place.
    private boolean deliverToLowestPriority(int destination, boolean logical, int vector, boolean level) {
        int lowest = Integer.MAX_VALUE;
        int count = 0;
        for (LocalApic apic : apics) {
            if (matches(apic, destination, logical) && apic.takesInterrupts()) {
                int priority = apic.arbitrationPriority() >> 4;
                if (priority < lowest) {
                    lowest = priority;
                    count = 1;
                } else if (priority == lowest) {
                    count++;
                }
            }
        }
        if (count == 0) {
            return false;
        }
        int chosen = vector % count;
        LocalApic last = null;
        for (LocalApic apic : apics) {
            if (matches(apic, destination, logical) && apic.takesInterrupts()) {
                last = apic;
                if (apic.arbitrationPriority() >> 4 <= lowest && chosen-- == 0) {
                    break;
                }
            }
        }
        // Priorities may have changed since they were counted: the last candidate will do then.
        return last != null && last.accept(DeliveryMode.FIXED, vector, level);
    }

    private static boolean matches(LocalApic apic, int destination, boolean logical) {
        return destination == X2APIC_BROADCAST
                || (logical ? apic.matchesLogical(destination) : apic.id() == destination);
    }
}

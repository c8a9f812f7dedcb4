package org.jvirt.devices.interrupt;

/// The delivery modes of interrupt messages, as encoded in bits 10–8 of ICR, LVT, IO-APIC entry and MSI data.
final class DeliveryMode {
    static final int FIXED = 0;
    static final int LOWEST_PRIORITY = 1;
    static final int SMI = 2;
    static final int NMI = 4;
    static final int INIT = 5;
    static final int STARTUP = 6;
    static final int EXTINT = 7;

    private DeliveryMode() {}
}

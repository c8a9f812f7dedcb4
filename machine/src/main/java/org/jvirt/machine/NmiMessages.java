package org.jvirt.machine;

import org.jvirt.core.MsiSink;

/// A non-maskable interrupt as messages to the engine's local APICs, which no local vector table can mask.
final class NmiMessages {
    private static final long MSI_GPA = 0xfee0_0000L;
    private static final int DESTINATION_SHIFT = 12;
    /// Delivery mode NMI, in the data of a message.
    private static final int NMI = 4 << 8;

    private NmiMessages() {}

    /// To every processor.
    static void send(MsiSink messages, int vcpus) {
        for (int cpu = 0; cpu < vcpus; cpu++) {
            messages.send(MSI_GPA | (long) cpu << DESTINATION_SHIFT, NMI);
        }
    }
}

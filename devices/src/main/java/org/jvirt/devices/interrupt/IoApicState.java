package org.jvirt.devices.interrupt;

import java.util.List;

/// What the IO-APIC remembers.
///
/// @param select  IOREGSEL
/// @param id      bits 27–24 of IOAPICID
/// @param entries the 24 redirection table entries
/// @param sources for each pin one bit for each source that holds it high
public record IoApicState(int select, int id, List<Long> entries, List<Integer> sources) {
    public IoApicState {
        entries = List.copyOf(entries);
        sources = List.copyOf(sources);
        if (entries.size() != IoApic.PINS || sources.size() != IoApic.PINS) {
            throw new IllegalArgumentException("An IO-APIC has %d pins".formatted(IoApic.PINS));
        }
    }
}

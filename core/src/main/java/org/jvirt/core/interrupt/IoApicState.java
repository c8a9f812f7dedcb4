package org.jvirt.core.interrupt;

import java.util.List;

/// What the IO-APIC remembers.
///
/// @param select  IOREGSEL
/// @param id      bits 27–24 of IOAPICID
/// @param entries the 24 redirection table entries
/// @param sources for each pin one bit for each source that holds it high
public record IoApicState(int select, int id, List<Long> entries, List<Integer> sources) {
    /// Redirection table entries, and inputs, of the ICH9's IO-APIC.
    public static final int PINS = 24;

    public IoApicState {
        entries = List.copyOf(entries);
        sources = List.copyOf(sources);
        if (entries.size() != PINS || sources.size() != PINS) {
            throw new IllegalArgumentException("An IO-APIC has %d pins".formatted(PINS));
        }
    }
}

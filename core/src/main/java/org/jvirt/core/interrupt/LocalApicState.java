package org.jvirt.core.interrupt;

import java.util.List;

/// What a local APIC remembers.
///
/// @param errors        errors detected since ESR was last written
/// @param lvt           timer, thermal, performance counter, LINT0, LINT1, error
/// @param irr           four words of 64 vectors, as `isr` and `tmr`
/// @param extInt        whether an ExtINT message waits
/// @param lint0         last seen level of LINT0
/// @param deadlineNanos guest time at which the counting timer reaches 0, 0 when it stands
/// @param tscDeadline   `IA32_TSC_DEADLINE`
public record LocalApicState(
        int id,
        long apicBase,
        int taskPriority,
        int logicalDestination,
        int destinationFormat,
        int spuriousVector,
        int errorStatus,
        int errors,
        long interruptCommand,
        List<Integer> lvt,
        List<Long> irr,
        List<Long> isr,
        List<Long> tmr,
        boolean extInt,
        boolean lint0,
        int initialCount,
        int divideConfiguration,
        long deadlineNanos,
        long tscDeadline) {
    /// Entries of the local vector table.
    public static final int LVT_ENTRIES = 6;

    public LocalApicState {
        lvt = List.copyOf(lvt);
        irr = List.copyOf(irr);
        isr = List.copyOf(isr);
        tmr = List.copyOf(tmr);
        if (lvt.size() != LVT_ENTRIES || irr.size() != 4 || isr.size() != 4 || tmr.size() != 4) {
            throw new IllegalArgumentException("Local APIC %d: state of wrong shape".formatted(id));
        }
    }
}

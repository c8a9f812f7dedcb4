package org.jvirt.devices.time;

import java.util.List;

/// What the event timers remember.
///
/// @param config     GEN_CONF
/// @param status     GINTR_STA
/// @param counter    the main counter when it stands, else how far it is ahead of the oscillator's ticks
/// @param pitLevel   level of the 8254's output, kept for the end of legacy replacement
/// @param rtcLevel   the same of the real-time clock
public record HpetState(
        long config, int status, long counter, boolean pitLevel, boolean rtcLevel, List<TimerState> timers) {
    public HpetState {
        timers = List.copyOf(timers);
    }

    /// One comparator.
    ///
    /// @param config     the writable bits of Tn_CONF
    /// @param comparator the value that matches next
    /// @param period     last value written while periodic
    /// @param route      Tn_FSB_ROUTE
    /// @param due        tick of the oscillator at the match waited for, -1 for none
    public record TimerState(int config, long comparator, long period, long route, long due) {}
}

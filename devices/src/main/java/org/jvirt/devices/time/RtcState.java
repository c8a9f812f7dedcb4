package org.jvirt.devices.time;

import java.util.List;

/// What the real-time clock remembers.
///
/// @param index         selected register of the first 128
/// @param extendedIndex selected register of the second 128
/// @param cmos          256 bytes; clock registers count while the clock is stopped
/// @param offsetNanos   how far the clock is ahead of the host's
/// @param dayShift      how far its day of the week is ahead of the calendar, 0–6
/// @param flags         PF, AF, UF of register C
/// @param seenSecond    the last second whose update the flags tell of
/// @param seenPeriod    the last period whose end the flags tell of
public record RtcState(
        int index,
        int extendedIndex,
        List<Byte> cmos,
        long offsetNanos,
        int dayShift,
        int flags,
        long seenSecond,
        long seenPeriod) {
    public RtcState {
        cmos = List.copyOf(cmos);
        if (cmos.size() != 256) {
            throw new IllegalArgumentException("CMOS memory has 256 bytes, not %d".formatted(cmos.size()));
        }
    }
}

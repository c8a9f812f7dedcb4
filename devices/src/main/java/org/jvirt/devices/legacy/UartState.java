package org.jvirt.devices.legacy;

import java.util.List;

/// What a 16550A remembers.
///
/// @param fifo          received characters with their error bits (LSR 4–2) in bits 12–10
/// @param threPending   whether the transmitter-empty interrupt waits
/// @param timedOut      whether the character timeout has passed
/// @param timeoutNanos  guest time at which it will, 0 for never
public record UartState(
        int ier,
        int fcr,
        int lcr,
        int mcr,
        int lsrErrors,
        int msrDeltas,
        int scr,
        int divisor,
        List<Integer> fifo,
        boolean threPending,
        boolean timedOut,
        long timeoutNanos) {
    /// After power-on.
    public static final UartState RESET = new UartState(0, 0, 0, 0, 0, 0, 0, 12, List.of(), false, false, 0);

    public UartState {
        fifo = List.copyOf(fifo);
        if (fifo.size() > Uart16550.FIFO_BYTES) {
            throw new IllegalArgumentException("A 16550A holds 16 characters, not %d".formatted(fifo.size()));
        }
    }
}

package org.jvirt.core.interrupt;

/// What one channel of the 8254 remembers.
///
/// @param control      bits 5–0 of the control word: RW, mode, BCD
/// @param gate         level of GATE
/// @param loaded       whether a count was written since the control word
/// @param count        ticks of a cycle, 1–65536
/// @param nextCount    the count that the next cycle takes, 0 for none
/// @param started      whether the counter has begun
/// @param startTick    tick of the oscillator at which it began
/// @param pausedTicks  how far it was when GATE stopped it, -1 while it counts
/// @param writeLow     the first byte of a two-byte write, -1 for none
/// @param readHigh     whether the next read of two gives the high byte
/// @param latchedCount -1 for none
/// @param latchedStatus -1 for none
public record PitChannelState(
        int control,
        boolean gate,
        boolean loaded,
        int count,
        int nextCount,
        boolean started,
        long startTick,
        long pausedTicks,
        int writeLow,
        boolean readHigh,
        int latchedCount,
        int latchedStatus) {
    /// Read and write the low byte, then the high one; mode 0.
    private static final int BOTH_BYTES = 3 << 4;

    /// After power-on.
    ///
    /// @param gate level of GATE
    public static PitChannelState reset(boolean gate) {
        return new PitChannelState(BOTH_BYTES, gate, false, 65536, 0, false, 0, -1, -1, false, -1, -1);
    }

    public PitChannelState {
        if ((control & ~0x3f) != 0 || count < 1 || count > 65536 || nextCount < 0 || nextCount > 65536) {
            throw new IllegalArgumentException("8254 channel state out of range");
        }
    }
}

package org.jvirt.devices.time;

import org.jvirt.core.interrupt.PitChannelState;

/// One counter of the 8254. Guarded by the lock of its [Pit8254]; `now` is the oscillator's tick.
///
/// A count is taken over one tick after it was written. A new count for a running mode 2 or 3 waits for the end of
/// the cycle (in mode 3 hardware already looks at the end of the half-cycle).
final class PitChannel {
    private static final int READ_WRITE_LOW = 1;
    private static final int READ_WRITE_HIGH = 2;
    private static final int READ_WRITE_BOTH = 3;

    private int control;
    private boolean gate;
    private boolean loaded;
    private int count;
    private int nextCount;
    private boolean started;
    private long startTick;
    private long pausedTicks;
    private int writeLow;
    private boolean readHigh;
    private int latchedCount;
    private int latchedStatus;

    PitChannel(PitChannelState s) {
        control = s.control();
        gate = s.gate();
        loaded = s.loaded();
        count = s.count();
        nextCount = s.nextCount();
        started = s.started();
        startTick = s.startTick();
        pausedTicks = s.pausedTicks();
        writeLow = s.writeLow();
        readHigh = s.readHigh();
        latchedCount = s.latchedCount();
        latchedStatus = s.latchedStatus();
    }

    PitChannelState save() {
        return new PitChannelState(
                control,
                gate,
                loaded,
                count,
                nextCount,
                started,
                startTick,
                pausedTicks,
                writeLow,
                readHigh,
                latchedCount,
                latchedStatus);
    }

    private int mode() {
        int mode = control >> 1 & 7;
        return mode > 5 ? mode - 4 : mode;
    }

    private int access() {
        return control >> 4 & 3;
    }

    private boolean isPeriodic() {
        return mode() == 2 || mode() == 3;
    }

    private boolean isTriggered() {
        return mode() == 1 || mode() == 5;
    }

    boolean gate() {
        return gate;
    }

    // ---- programming

    /// A control word other than a latch command.
    void control(int word) {
        control = word & 0x3f;
        loaded = false;
        started = false;
        nextCount = 0;
        pausedTicks = -1;
        writeLow = -1;
        readHigh = false;
        latchedCount = -1;
        latchedStatus = -1;
    }

    void write(int value, long now) {
        switch (access()) {
            case READ_WRITE_LOW -> load(value, now);
            case READ_WRITE_HIGH -> load(value << 8, now);
            default -> {
                if (writeLow < 0) {
                    writeLow = value;
                    if (mode() == 0) {
                        // The first byte stops the count and lowers OUT.
                        loaded = false;
                        started = false;
                    }
                } else {
                    int low = writeLow;
                    writeLow = -1;
                    load(value << 8 | low, now);
                }
            }
        }
    }

    private void load(int raw, long now) {
        int value = (control & 1) == 0 ? raw : fromBcd(raw);
        int ticks = value != 0 ? value : (control & 1) == 0 ? 65536 : 10000;
        boolean first = !loaded;
        loaded = true;
        if (isTriggered()) {
            // Taken over by the next trigger; a count under way is not disturbed.
            nextCount = ticks;
            return;
        }
        if (isPeriodic() && !first) {
            settle(now);
            if (pausedTicks < 0 && now >= startTick) {
                // From here on the end of this cycle is startTick + count.
                startTick += (now - startTick) / count * count;
            }
            nextCount = ticks;
            return;
        }
        count = ticks;
        start(now);
    }

    private void start(long now) {
        started = true;
        startTick = now + 1;
        pausedTicks = gate ? -1 : 0;
    }

    void setGate(boolean high, long now) {
        if (high == gate) {
            return;
        }
        settle(now);
        if (!high && started && !isTriggered()) {
            pausedTicks = Math.max(0, now - startTick);
        }
        gate = high;
        if (!high || !loaded) {
            return;
        }
        if (isTriggered() || isPeriodic()) {
            if (nextCount != 0) {
                count = nextCount;
                nextCount = 0;
            }
            start(now);
        } else if (started && pausedTicks >= 0) {
            startTick = now - pausedTicks;
            pausedTicks = -1;
        }
    }

    // ---- time

    /// Lets a waiting count take over at the end of a cycle.
    private void settle(long now) {
        if (nextCount != 0 && isPeriodic() && started && pausedTicks < 0 && now >= startTick + count) {
            startTick += count;
            count = nextCount;
            nextCount = 0;
        }
    }

    private long elapsed(long now) {
        return pausedTicks >= 0 ? pausedTicks : Math.max(0, now - startTick);
    }

    boolean output(long now) {
        settle(now);
        int mode = mode();
        if (!started) {
            return mode != 0;
        }
        long elapsed = elapsed(now);
        return switch (mode) {
            case 0 -> elapsed >= count;
            case 1 -> now < startTick || elapsed >= count;
            case 2 -> !gate || elapsed % count != count - 1;
            case 3 -> !gate || elapsed % count < (count + 1) / 2;
            default -> elapsed != count || now < startTick;
        };
    }

    /// The next tick after `now` at which OUT rises, or -1.
    long nextRise(long now) {
        settle(now);
        if (!started || pausedTicks >= 0 || !gate && !isTriggered()) {
            return -1;
        }
        return switch (mode()) {
            case 0, 1 -> now < startTick + count ? startTick + count : -1;
            case 2, 3 -> now < startTick ? startTick + count : now + count - (now - startTick) % count;
            default -> now < startTick + count + 1 ? startTick + count + 1 : -1;
        };
    }

    private int counter(long now) {
        settle(now);
        if (!started) {
            return encode(nextCount != 0 ? nextCount : count);
        }
        long elapsed = elapsed(now);
        return switch (mode()) {
            case 2 -> encode(count - (int) (elapsed % count));
            case 3 -> {
                int half = (int) (elapsed % count);
                int high = (count + 1) / 2;
                int even = count & ~1;
                yield encode(even - 2 * (half < high ? half : half - high));
            }
            default -> {
                int base = (control & 1) == 0 ? 65536 : 10000;
                yield encode((int) Math.floorMod(count - elapsed, (long) base));
            }
        };
    }

    private int encode(int value) {
        return (control & 1) == 0 ? value & 0xffff : toBcd(value % 10000);
    }

    // ---- reading

    void latchCount(long now) {
        if (latchedCount < 0) {
            latchedCount = counter(now);
        }
    }

    void latchStatus(long now) {
        if (latchedStatus < 0) {
            boolean isNull = !loaded || nextCount != 0 || started && now < startTick;
            latchedStatus = (output(now) ? 0x80 : 0) | (isNull ? 0x40 : 0) | control;
        }
    }

    int read(long now) {
        if (latchedStatus >= 0) {
            int status = latchedStatus;
            latchedStatus = -1;
            return status;
        }
        int value = latchedCount >= 0 ? latchedCount : counter(now);
        boolean high = access() == READ_WRITE_HIGH || access() == READ_WRITE_BOTH && readHigh;
        if (access() == READ_WRITE_BOTH) {
            readHigh = !readHigh;
        }
        if (!readHigh) {
            latchedCount = -1;
        }
        return high ? value >> 8 : value & 0xff;
    }

    private static int fromBcd(int bcd) {
        return (bcd >> 12 & 15) * 1000 + (bcd >> 8 & 15) * 100 + (bcd >> 4 & 15) * 10 + (bcd & 15);
    }

    private static int toBcd(int value) {
        return value / 1000 << 12 | value / 100 % 10 << 8 | value / 10 % 10 << 4 | value % 10;
    }
}

package org.jvirt.devices.time;

import java.util.List;
import org.jvirt.core.InterruptLine;
import org.jvirt.core.IoDevice;
import org.jvirt.core.Snapshottable;
import org.jvirt.core.VmClock;
import org.jvirt.core.interrupt.PitState;
import org.jvirt.devices.ByteDevice;
import org.jvirt.devices.TickRate;

/// The 8254 programmable interval timer at 1.193182 MHz: channel 0 drives interrupt 0, channel 1 is free, channel 2
/// feeds the speaker and is gated and read through port 0x61. As [IoDevice] it is ports 0x40–0x43.
///
/// The interrupt line shows rising edges of OUT exactly; its low phase in modes 2 to 5 is as short as a pulse.
/// Edges that come more often than every 20 µs, or that the host could not keep up with, are merged; counts stay
/// exact.
///
/// Thread-safe: one lock, held while the line is driven.
public final class Pit8254 implements ByteDevice, Snapshottable<PitState> {
    /// The oscillator.
    public static final TickRate RATE = TickRate.hz(1_193_182);

    private static final long MIN_PERIOD_NANOS = 20_000;

    /// Port 0x61 bit 4 follows the memory refresh of old: it changes every 15.085 µs.
    private static final long REFRESH_NANOS = 15_085;

    private static final int PORT_B_GATE2 = 1;
    private static final int PORT_B_WRITABLE = 0x0f;
    private static final int PORT_B_REFRESH = 0x10;
    private static final int PORT_B_OUT2 = 0x20;

    private final VmClock clock;
    private final InterruptLine irq0;
    private final VmClock.Timer alarm;
    private final PitChannel[] channels;
    private int portB;
    /// The tick of the next rising edge of OUT0, or -1.
    private long dueTick = -1;

    public Pit8254(VmClock clock, InterruptLine irq0) {
        this.clock = clock;
        this.irq0 = irq0;
        channels = channels(PitState.RESET);
        alarm = clock.timer("pit", this::expired);
    }

    public Pit8254(VmClock clock, InterruptLine irq0, PitState saved) {
        this.clock = clock;
        this.irq0 = irq0;
        channels = channels(saved);
        portB = saved.portB();
        alarm = clock.timer("pit", this::expired);
        synchronized (this) {
            dueTick = saved.dueTick();
            irq0.set(channels[0].output(now()));
            armLocked();
        }
    }

    private static PitChannel[] channels(PitState state) {
        return state.channels().stream().map(PitChannel::new).toArray(PitChannel[]::new);
    }

    @Override
    public String id() {
        return "pit";
    }

    @Override
    public synchronized PitState save() {
        return new PitState(List.of(channels[0].save(), channels[1].save(), channels[2].save()), portB, dueTick);
    }

    public synchronized void reset() {
        System.arraycopy(channels(PitState.RESET), 0, channels, 0, channels.length);
        portB = 0;
        dueTick = -1;
        alarm.cancel();
        irq0.set(false);
    }

    /// Port 0x61: speaker gate, refresh toggle, OUT2.
    public IoDevice portB() {
        return new PortB();
    }

    @Override
    public synchronized int readByte(int offset) {
        return offset == 3 ? 0 : channels[offset & 3].read(now());
    }

    @Override
    public synchronized void writeByte(int offset, int value) {
        long nanos = clock.nanos();
        long now = RATE.ticksAt(nanos);
        if (offset != 3) {
            channels[offset & 3].write(value, now);
            if (offset == 0) {
                restartLocked(nanos);
            }
            return;
        }
        int channel = value >> 6;
        if (channel == 3) {
            readBack(value, now);
        } else if ((value & 0x30) == 0) {
            channels[channel].latchCount(now);
        } else {
            channels[channel].control(value);
            if (channel == 0) {
                restartLocked(nanos);
            }
        }
    }

    private void readBack(int command, long now) {
        for (int i = 0; i < 3; i++) {
            if ((command & 2 << i) != 0) {
                if ((command & 0x20) == 0) {
                    channels[i].latchCount(now);
                }
                if ((command & 0x10) == 0) {
                    channels[i].latchStatus(now);
                }
            }
        }
    }

    private long now() {
        return RATE.ticksAt(clock.nanos());
    }

    private void restartLocked(long nanos) {
        long now = RATE.ticksAt(nanos);
        irq0.set(channels[0].output(now));
        dueTick = channels[0].nextRise(now);
        armLocked();
    }

    private void armLocked() {
        if (dueTick < 0) {
            alarm.cancel();
        } else {
            alarm.arm(RATE.nanosAt(dueTick));
        }
    }

    private synchronized void expired() {
        long nanos = clock.nanos();
        long now = RATE.ticksAt(nanos);
        if (dueTick < 0) {
            return;
        }
        if (now < dueTick) {
            alarm.arm(RATE.nanosAt(dueTick));
            return;
        }
        irq0.set(false);
        irq0.set(true);
        dueTick = channels[0].nextRise(now);
        if (dueTick >= 0) {
            alarm.arm(Math.max(RATE.nanosAt(dueTick), nanos + MIN_PERIOD_NANOS));
        }
    }

    private final class PortB implements ByteDevice {
        @Override
        public int readByte(int offset) {
            synchronized (Pit8254.this) {
                long nanos = clock.nanos();
                boolean out2 = channels[2].output(RATE.ticksAt(nanos));
                return portB | ((nanos / REFRESH_NANOS & 1) != 0 ? PORT_B_REFRESH : 0) | (out2 ? PORT_B_OUT2 : 0);
            }
        }

        @Override
        public void writeByte(int offset, int value) {
            synchronized (Pit8254.this) {
                portB = value & PORT_B_WRITABLE;
                channels[2].setGate((value & PORT_B_GATE2) != 0, now());
            }
        }
    }
}

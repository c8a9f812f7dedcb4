package org.jvirt.engine.soft.translate.verify;

import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.locks.LockSupport;
import org.jvirt.core.InterruptController;
import org.jvirt.core.InterruptLine;
import org.jvirt.core.LocalInterrupts;
import org.jvirt.core.MsiSink;
import org.jvirt.core.VcpuSignals;

/// Raises an interrupt of one processor again and again, at no particular time, between [#begin] and [#end].
/// Thread-safe.
final class Interruptions implements InterruptController, AutoCloseable {
    private static final int LONGEST_PAUSE_NANOS = 100_000;

    private final Thread raiser = new Thread(this::raise, "interruptions");
    private volatile Optional<VcpuSignals> signals = Optional.empty();
    private volatile boolean active;
    private volatile boolean closed;
    private volatile boolean pending;
    private long taken;

    Interruptions() {
        raiser.setDaemon(true);
    }

    void begin() {
        if (raiser.getState() == Thread.State.NEW) {
            raiser.start();
        }
        active = true;
        LockSupport.unpark(raiser);
    }

    void end() {
        active = false;
        pending = false;
    }

    /// How many interrupts the processor has taken.
    long taken() {
        return taken;
    }

    private void raise() {
        var random = new SplittableRandom(1);
        while (!closed) {
            if (active) {
                pending = true;
                signals.ifPresent(VcpuSignals::interruptPending);
                LockSupport.parkNanos(random.nextInt(1_000, LONGEST_PAUSE_NANOS));
            } else {
                LockSupport.park(this);
            }
        }
    }

    @Override
    public InterruptLine line(int gsi) {
        return high -> {};
    }

    @Override
    public MsiSink msi() {
        return (address, data) -> {};
    }

    @Override
    public LocalInterrupts local(int index) {
        return new Local();
    }

    @Override
    public void connect(int index, VcpuSignals newSignals) {
        signals = Optional.of(newSignals);
    }

    @Override
    public void close() {
        closed = true;
        LockSupport.unpark(raiser);
    }

    private final class Local extends BareLocalInterrupts {
        @Override
        public boolean pending() {
            return pending && active;
        }

        @Override
        public int acknowledge() {
            if (!pending || !active) {
                return NONE;
            }
            pending = false;
            taken++;
            return Layout.INTERRUPT_VECTOR;
        }
    }
}

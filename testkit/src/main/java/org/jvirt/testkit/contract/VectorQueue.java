package org.jvirt.testkit.contract;

import java.util.ArrayDeque;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import org.jvirt.core.InterruptController;
import org.jvirt.core.InterruptLine;
import org.jvirt.core.InvalidMsrException;
import org.jvirt.core.LocalInterrupts;
import org.jvirt.core.MsiSink;
import org.jvirt.core.VcpuSignals;

/// Interrupt controllers reduced to a queue of vectors for each processor. Thread-safe.
final class VectorQueue implements InterruptController {
    private final ConcurrentMap<Integer, Local> locals = new ConcurrentHashMap<>();

    /// Queues a vector for processor `index`.
    void raise(int index, int vector) {
        local(index).raise(vector);
    }

    /// Non-maskable.
    void nmi(int index) {
        local(index).signals().nmi();
    }

    VcpuSignals signals(int index) {
        return local(index).signals();
    }

    @Override
    public InterruptLine line(int gsi) {
        return high -> {
            if (high) {
                raise(0, 0x20 + gsi);
            }
        };
    }

    @Override
    public MsiSink msi() {
        return (address, data) -> raise((int) (address >>> 12) & 0xFF, data & 0xFF);
    }

    @Override
    public Local local(int index) {
        return locals.computeIfAbsent(index, Local::new);
    }

    @Override
    public void connect(int index, VcpuSignals signals) {
        local(index).connect(signals);
    }

    /// One processor's queue.
    static final class Local implements LocalInterrupts {
        private final int index;
        private final ArrayDeque<Integer> queue = new ArrayDeque<>();
        private volatile VcpuSignals signals = new Unconnected();
        private int priority;
        private long deadline;
        private int ends;

        Local(int index) {
            this.index = index;
        }

        void connect(VcpuSignals newSignals) {
            signals = newSignals;
        }

        VcpuSignals signals() {
            return signals;
        }

        void raise(int vector) {
            synchronized (queue) {
                queue.add(vector);
            }
            signals.interruptPending();
        }

        /// How often the end of an interrupt has been signalled.
        int ends() {
            return ends;
        }

        @Override
        public boolean pending() {
            synchronized (queue) {
                Integer first = queue.peek();
                return first != null && first >>> 4 > priority;
            }
        }

        @Override
        public int acknowledge() {
            synchronized (queue) {
                Integer first = queue.poll();
                return first == null ? NONE : first;
            }
        }

        @Override
        public boolean allowsSilentEnd(int vector) {
            return true;
        }

        @Override
        public void endOfInterrupt() {
            ends++;
        }

        @Override
        public int taskPriority() {
            return priority;
        }

        @Override
        public void setTaskPriority(int newPriority) {
            priority = newPriority;
            signals.interruptPending();
        }

        @Override
        public long apicBase() {
            return 0xFEE0_0800L | (index == 0 ? 0x100 : 0);
        }

        @Override
        public void setApicBase(long value) {
            throw InvalidMsrException.INSTANCE;
        }

        @Override
        public long readMsr(int msr) {
            throw InvalidMsrException.INSTANCE;
        }

        @Override
        public void writeMsr(int msr, long value) {
            throw InvalidMsrException.INSTANCE;
        }

        @Override
        public long tscDeadline() {
            return deadline;
        }

        @Override
        public void setTscDeadline(long ticks) {
            deadline = ticks;
        }
    }

    /// Signals to nobody, before [#connect].
    private static final class Unconnected implements VcpuSignals {
        @Override
        public void interruptPending() {
            // looked at when the processor begins to run
        }

        @Override
        public void nmi() {
            throw new IllegalStateException("no processor yet");
        }

        @Override
        public void init() {
            throw new IllegalStateException("no processor yet");
        }

        @Override
        public void startup(int vector) {
            throw new IllegalStateException("no processor yet");
        }
    }
}

package org.jvirt.engine.soft.cpu;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.ArrayDeque;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.jvirt.core.VcpuSignals;

/// What other threads want of a processor, and its sleep.
///
/// Each wish is a bit; the processor looks at all of them with one plain-cost read at every block boundary.
/// `running` says whether its thread is executing guest code: it is cleared before sleeping and set again, followed
/// by a look at the wishes, before going on, so that a wisher sees either a runner that will look or a sleeper that
/// has nothing
/// cached.
public final class Signals implements VcpuSignals {
    static final int KICK = 1;
    static final int INTERRUPT = 1 << 1;
    static final int NMI = 1 << 2;
    static final int INIT = 1 << 3;
    static final int STARTUP = 1 << 4;
    static final int GUARD = 1 << 5;
    static final int CODE = 1 << 6;
    static final int UNHALT = 1 << 7;

    /// More ranges than this become one range of all.
    private static final int MAX_RANGES = 256;

    private static final VarHandle REQUESTS;
    private static final VarHandle GUARD_TICKETS;
    private static final VarHandle NMIS;

    static {
        try {
            REQUESTS = MethodHandles.lookup().findVarHandle(Signals.class, "requests", int.class);
            GUARD_TICKETS = MethodHandles.lookup().findVarHandle(Signals.class, "guardTickets", long.class);
            NMIS = MethodHandles.lookup().findVarHandle(Signals.class, "nmis", int.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    /// Told of wishes as they come and when they are taken, so that generated code can see them.
    public interface Listener {
        /// Any thread: there is a wish.
        void requested();

        /// The processor's thread: all wishes are about to be taken.
        void taken();
    }

    private final Cpu cpu;
    private volatile @Nullable Listener listener;
    private volatile int requests;
    private volatile boolean running;
    private volatile @Nullable Thread sleeper;
    private volatile long guardTickets;
    private volatile long guardServed;
    private volatile int startupVector;
    private volatile int nmis;
    /// Pairs of offset and size; guarded by itself.
    private final ArrayDeque<long[]> written = new ArrayDeque<>();

    Signals(Cpu cpu) {
        this.cpu = cpu;
    }

    // ---------------------------------------------------------------- any thread

    @Override
    public void interruptPending() {
        raise(INTERRUPT);
    }

    @Override
    public void nmi() {
        if (nmis < 2) {
            NMIS.getAndAdd(this, 1);
        }
        raise(NMI);
    }

    @Override
    public void init() {
        raise(INIT);
    }

    @Override
    public void startup(int vector) {
        startupVector = vector & 0xFF;
        raise(STARTUP);
    }

    /// Makes the processor leave its run loop.
    public void kick() {
        raise(KICK);
    }

    /// Another processor wakes this one from HLT.
    void unhalt() {
        raise(UNHALT);
    }

    void codeWritten(long at, long size) {
        synchronized (written) {
            if (written.size() >= MAX_RANGES) {
                written.clear();
                written.add(new long[] {0, Long.MAX_VALUE});
            } else {
                written.add(new long[] {at, size});
            }
        }
        raise(CODE);
    }

    /// Asks for [Tlb#dropGuardedWrites]; the answer goes to [#guarded].
    long requestGuard() {
        long ticket = (long) GUARD_TICKETS.getAndAdd(this, 1L) + 1;
        raise(GUARD);
        return ticket;
    }

    /// Whether the request has been served, or will be before the processor executes anything.
    boolean guarded(long ticket) {
        return guardServed >= ticket || !running;
    }

    private void raise(int bit) {
        REQUESTS.getAndBitwiseOr(this, bit);
        Listener told = listener;
        if (told != null) {
            told.requested();
        }
        Thread asleep = sleeper;
        if (asleep != null) {
            LockSupport.unpark(asleep);
        }
    }

    /// Names who else is told; null for nobody.
    public void listener(@Nullable Listener who) {
        listener = who;
    }

    // ---------------------------------------------------------------- the processor's thread

    /// Whether anything is wanted: a read that costs no more than a plain one.
    boolean requested() {
        return (int) REQUESTS.getOpaque(this) != 0;
    }

    /// Takes all wishes.
    int take() {
        Listener told = listener;
        if (told != null) {
            told.taken();
        }
        return (int) REQUESTS.getAndSet(this, 0);
    }

    /// The listener has been told of a wish that had already been taken: it is told again unless there is another.
    public void nothingLeft() {
        Listener told = listener;
        if (told != null && !requested()) {
            told.taken();
            // a wisher whose wish is not seen here has yet to tell the listener
            VarHandle.fullFence();
            if (requested()) {
                told.requested();
            }
        }
    }

    /// Takes the NMIs that have arrived: 0, 1, or 2 for more.
    int takeNmis() {
        return Math.min((int) NMIS.getAndSet(this, 0), 2);
    }

    int startupVector() {
        return startupVector;
    }

    /// Guest code is about to be executed.
    public void enter() {
        running = true;
        VarHandle.fullFence();
    }

    /// No guest code will be executed until [#enter].
    public void exit() {
        running = false;
    }

    /// Sleeps until something is wanted.
    void sleep() {
        running = false;
        sleeper = Thread.currentThread();
        try {
            while (requests == 0) {
                LockSupport.park(this);
            }
        } finally {
            sleeper = null;
            running = true;
            VarHandle.fullFence();
        }
    }

    void serveGuard() {
        long ticket = guardTickets;
        if (guardServed < ticket) {
            cpu.mmu.tlb.dropGuardedWrites();
            guardServed = ticket;
        }
    }

    void serveCode() {
        while (true) {
            long[] range;
            synchronized (written) {
                range = written.poll();
            }
            if (range == null) {
                return;
            }
            cpu.foreignCodeWritten(range[0], range[1]);
        }
    }
}

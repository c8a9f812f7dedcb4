package org.jvirt.engine.kvm;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.jvirt.linux.KickSignal;

/// What other threads want of a vCPU, and how it is made to look.
///
/// Each wish is a bit. A wisher sets it, then makes KVM return at once from the next entry (`immediate_exit`), then
/// interrupts the thread if it is in [KvmVcpu#run]. The vCPU's thread, once interrupted, takes `immediate_exit`
/// back first and the wishes second: whatever is wished in between is either taken or ends the next entry.
final class Attention {
    static final int KICK = 1;
    static final int INTERRUPT = 1 << 1;
    static final int NMI = 1 << 2;
    static final int INIT = 1 << 3;
    static final int STARTUP = 1 << 4;

    private static final VarHandle WISHES;

    static {
        try {
            WISHES = MethodHandles.lookup().findVarHandle(Attention.class, "wishes", int.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private static final int NOBODY = 0;
    /// A processor remembers one NMI besides the one that it handles; two that come before any is handled are both
    /// taken.
    private static final int MOST_NMIS = 2;

    private final RunPage page;
    private final AtomicInteger nmis = new AtomicInteger();
    private volatile int wishes;
    private volatile @Nullable Thread sleeper;
    /// The kernel's number of the thread that runs the vCPU. Guarded by this, as [#closed].
    private int thread = NOBODY;
    private boolean closed;

    Attention(RunPage page) {
        this.page = page;
        KickSignal.number();
    }

    /// Any thread. Nothing happens once the vCPU is closed.
    void raise(int wish) {
        int before = (int) WISHES.getAndBitwiseOr(this, wish);
        if ((before & wish) != 0) {
            // somebody else is waking the vCPU for it
            return;
        }
        synchronized (this) {
            if (closed) {
                return;
            }
            page.exitAtOnce(true);
            if (thread != NOBODY) {
                KickSignal.send(thread);
            }
        }
        Thread asleep = sleeper;
        if (asleep != null) {
            LockSupport.unpark(asleep);
        }
    }

    /// Any thread.
    void nmi() {
        nmis.getAndUpdate(count -> Math.min(count + 1, MOST_NMIS));
        raise(NMI);
    }

    // ---------------------------------------------------------------- the vCPU's thread

    /// Takes the NMIs that have arrived: 0 to 2.
    int takeNmis() {
        return nmis.getAndSet(0);
    }

    /// The calling thread runs the vCPU from now on.
    void enter() {
        int self = KickSignal.currentThread();
        synchronized (this) {
            if (thread != NOBODY) {
                throw new IllegalStateException("Two threads run one vCPU");
            }
            thread = self;
        }
    }

    synchronized void leave() {
        thread = NOBODY;
    }

    boolean wanted() {
        return wishes != 0;
    }

    /// Takes all wishes.
    int take() {
        page.exitAtOnce(false);
        return (int) WISHES.getAndSet(this, 0);
    }

    /// Sleeps until something is wanted.
    void sleep() {
        sleeper = Thread.currentThread();
        boolean interrupted = false;
        while (wishes == 0) {
            LockSupport.park(this);
            // an interrupted thread does not park
            interrupted |= Thread.interrupted();
        }
        sleeper = null;
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /// No wish reaches the page any more.
    synchronized void close() {
        closed = true;
    }
}

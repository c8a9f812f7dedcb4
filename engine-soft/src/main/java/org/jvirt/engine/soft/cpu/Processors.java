package org.jvirt.engine.soft.cpu;

import java.util.BitSet;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jvirt.core.ExitHandler;
import org.jvirt.core.GuestMemory;
import org.jvirt.core.InterruptController;
import org.jvirt.core.LocalInterrupts;
import org.jvirt.core.PageWriteListener;
import org.jvirt.core.TscClock;
import org.jvirt.core.VmSpec;
import org.jvirt.core.cpu.CpuidTable;

/// All processors of one VM, and what they have to agree about: pages that hold decoded code, the dirty log, split
/// locks.
///
/// *Code pages.* Each processor decodes for itself. Before it reads the bytes of a page for the first time, it
/// marks the page in [GuestMemory], and every other processor drops the fast write entry it may have for that
/// page; from then on a store to the page takes the slow way, which tells all processors. A processor that is
/// halted or not running has promised to drop its entries before it goes on, so that nobody waits for it; one
/// that waits serves the requests of others meanwhile. While one has such a page, others need not ask again.
///
/// Thread-safe.
public final class Processors implements PageWriteListener {
    private static final int MOST_SPINS = 1 << 10;

    private final VmSpec spec;
    private final InterruptController interrupts;
    private final List<Cpu> cpus = new CopyOnWriteArrayList<>();
    private final Object splitLock = new Object();
    private final Object codeLock = new Object();
    /// How many processors have decoded something from each page; guarded by codeLock.
    private final short[] codeUsers;
    /// Pages that all processors have heard of since the first one's claim; guarded by codeLock.
    private final BitSet noticed = new BitSet();

    public Processors(VmSpec spec, InterruptController interrupts) {
        this.spec = spec;
        this.interrupts = interrupts;
        codeUsers = new short[Math.toIntExact(spec.memory().backing().byteSize() >>> GuestMemory.PAGE_SHIFT)];
        spec.memory().addCodeListener(this);
    }

    /// Makes processor `index`.
    public Cpu create(int index, ExitHandler io) {
        var cpu = new Cpu(this, index, io);
        cpus.add(cpu);
        interrupts.connect(index, cpu.signals);
        return cpu;
    }

    public GuestMemory memory() {
        return spec.memory();
    }

    public CpuidTable cpuid() {
        return spec.cpuid();
    }

    public TscClock tsc() {
        return spec.tsc();
    }

    public int count() {
        return spec.vcpus();
    }

    LocalInterrupts local(int index) {
        return interrupts.local(index);
    }

    /// Sends a message-signalled interrupt.
    void send(long address, int data) {
        interrupts.msi().send(address, data);
    }

    List<Cpu> all() {
        return cpus;
    }

    /// Held during a locked operation that no single host operation can do.
    Object splitLock() {
        return splitLock;
    }

    // ---------------------------------------------------------------- code pages

    /// Before `by` decodes from a page it has nothing of: on return every store to it will be noticed.
    public void claimCodePage(Cpu by, long page) {
        synchronized (codeLock) {
            if (codeUsers[(int) page]++ > 0 && noticed.get((int) page)) {
                // everybody has been asked since another one's claim, which is not over
                return;
            }
            memory().markCode(page);
        }
        by.mmu.tlb.dropWritesTo(page);
        settle(by);
        synchronized (codeLock) {
            noticed.set((int) page);
        }
    }

    /// `by` has nothing decoded of the page any more.
    public void releaseCodePage(long page) {
        synchronized (codeLock) {
            if (--codeUsers[(int) page] == 0) {
                noticed.clear((int) page);
                memory().clearCode(page);
            }
        }
    }

    /// `by` has stored to a page that holds code: the others learn of it before their next block.
    void codeWrittenBy(Cpu by, long at, long size) {
        if (cpus.size() > 1) {
            for (Cpu cpu : cpus) {
                if (cpu != by) {
                    cpu.signals.codeWritten(at, size);
                }
            }
        }
    }

    @Override
    public void codePagesWritten(long firstPage, long pageCount) {
        for (Cpu cpu : cpus) {
            cpu.signals.codeWritten(firstPage << GuestMemory.PAGE_SHIFT, pageCount << GuestMemory.PAGE_SHIFT);
        }
    }

    // ---------------------------------------------------------------- guarded writes

    /// Waits until no running processor has a fast write entry for a page that must not have one. The dirty log
    /// calls it from any thread after pages have become clean; such a thread must hold no lock that a device may
    /// want.
    public void settleWrites() {
        for (Cpu cpu : cpus) {
            long ticket = cpu.signals.requestGuard();
            while (!cpu.signals.guarded(ticket)) {
                Thread.onSpinWait();
            }
        }
    }

    // who waits long waits for a thread that has no host processor
    @SuppressWarnings("ThreadPriorityCheck")
    private void settle(Cpu by) {
        if (cpus.size() == 1) {
            return;
        }
        for (Cpu cpu : cpus) {
            if (cpu != by) {
                long ticket = cpu.signals.requestGuard();
                for (int spins = 0; !cpu.signals.guarded(ticket); spins++) {
                    by.signals.serveGuard();
                    if (spins < MOST_SPINS) {
                        Thread.onSpinWait();
                    } else {
                        Thread.yield();
                    }
                }
            }
        }
    }
}

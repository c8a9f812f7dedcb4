package org.jvirt.engine.kvm;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.jvirt.core.InvalidMsrException;
import org.jvirt.core.LocalInterrupts;
import org.jvirt.core.VcpuSignals;
import org.jvirt.linux.DeviceFile;

/// Interrupts of a vCPU whose local APIC, or whose 8259 pair behind the kernel's local APIC, belongs to the
/// machine: they are handed to KVM one by one, when the guest can take one.
///
/// The [VcpuSignals] half is for any thread; the rest belongs to the vCPU's thread.
///
/// Source: API, 4.16 and chapter 5.
final class LocalDelivery implements VcpuSignals {
    private static final int X2APIC_FIRST = 0x800;
    private static final int X2APIC_LAST = 0x8FF;

    private final DeviceFile vcpu;
    private final RunPage page;
    private final Attention attention;
    private final LocalInterrupts local;
    private final boolean kernelApic;
    private final Arena arena = Arena.ofShared();
    private final MemorySegment interrupt = arena.allocate(JAVA_INT);
    private volatile int startupVector;
    private int priority;
    private long apicBase;

    /// @param kernelApic whether the local APIC is in the kernel, and `local` only the 8259 pair behind it
    LocalDelivery(DeviceFile vcpu, RunPage page, Attention attention, LocalInterrupts local, boolean kernelApic) {
        this.vcpu = vcpu;
        this.page = page;
        this.attention = attention;
        this.local = local;
        this.kernelApic = kernelApic;
        apicBase = kernelApic ? 0 : local.apicBase();
    }

    // ---------------------------------------------------------------- any thread

    @Override
    public void interruptPending() {
        attention.raise(Attention.INTERRUPT);
    }

    @Override
    public void nmi() {
        attention.nmi();
    }

    @Override
    public void init() {
        attention.raise(Attention.INIT);
    }

    @Override
    public void startup(int vector) {
        startupVector = vector & 0xFF;
        attention.raise(Attention.STARTUP);
    }

    // ---------------------------------------------------------------- the vCPU's thread

    int startupVector() {
        return startupVector;
    }

    /// Before entering the guest: hands over an interrupt, or asks KVM to come back as soon as one can be taken.
    void beforeEntry() {
        if (!kernelApic) {
            priority = local.taskPriority();
            page.setCr8(priority);
        }
        if (!local.pending()) {
            page.requestInterruptWindow(false);
            return;
        }
        if (page.readyForInterrupt() && page.interruptFlag()) {
            int vector = local.acknowledge();
            if (vector != LocalInterrupts.NONE) {
                interrupt.set(JAVA_INT, 0, vector);
                vcpu.ioctl("KVM_INTERRUPT", Ioctls.KVM_INTERRUPT, interrupt);
                page.forgetReadiness();
            }
            page.requestInterruptWindow(local.pending());
            return;
        }
        page.requestInterruptWindow(true);
    }

    /// After an exit: the guest may have changed CR8 and `IA32_APIC_BASE`.
    void afterExit() {
        if (kernelApic) {
            return;
        }
        int now = page.cr8();
        if (now != priority) {
            priority = now;
            local.setTaskPriority(now);
        }
        long base = page.apicBase();
        if (base != apicBase) {
            apicBase = base;
            moveApic(base);
        }
    }

    private void moveApic(long base) {
        try {
            local.setApicBase(base);
        } catch (InvalidMsrException _) {
            // KVM has checked it for the processor that it shows; the machine's APIC stays where it is
        }
    }

    /// Whether a halted vCPU has an interrupt to go on with.
    boolean wakes() {
        return page.interruptFlag() && local.pending();
    }

    /// A register that KVM leaves to us. Answers through the page.
    void readMsr() {
        int msr = page.msrIndex();
        try {
            if (msr == MsrTable.IA32_TSC_DEADLINE) {
                page.setMsr(false, local.tscDeadline());
            } else if (isX2apic(msr)) {
                page.setMsr(false, local.readMsr(msr));
            } else {
                page.setMsr(true, 0);
            }
        } catch (InvalidMsrException _) {
            page.setMsr(true, 0);
        }
    }

    /// As [#readMsr].
    void writeMsr() {
        int msr = page.msrIndex();
        long value = page.msrData();
        try {
            if (msr == MsrTable.IA32_TSC_DEADLINE) {
                local.setTscDeadline(value);
                page.setMsr(false, value);
            } else if (isX2apic(msr)) {
                local.writeMsr(msr, value);
                page.setMsr(false, value);
            } else {
                page.setMsr(true, value);
            }
        } catch (InvalidMsrException _) {
            page.setMsr(true, value);
        }
    }

    private static boolean isX2apic(int msr) {
        return msr >= X2APIC_FIRST && msr <= X2APIC_LAST;
    }

    /// The task priority was set from outside.
    void setTaskPriority(int newPriority) {
        if (!kernelApic) {
            local.setTaskPriority(newPriority);
            priority = newPriority;
        }
    }

    int taskPriority() {
        return local.taskPriority();
    }

    boolean kernelApic() {
        return kernelApic;
    }

    /// Whether this is the processor that begins to run after INIT.
    boolean bootstrap() {
        return (local.apicBase() & 1 << 8) != 0;
    }

    void close() {
        arena.close();
    }
}

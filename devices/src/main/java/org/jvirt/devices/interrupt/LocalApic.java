package org.jvirt.devices.interrupt;

import java.util.ArrayList;
import java.util.List;
import org.jvirt.core.InvalidMsrException;
import org.jvirt.core.IoDevice;
import org.jvirt.core.LocalInterrupts;
import org.jvirt.core.TscClock;
import org.jvirt.core.VcpuSignals;
import org.jvirt.core.interrupt.ApicConfig;
import org.jvirt.core.interrupt.LocalApicState;

/// A local APIC in xAPIC or x2APIC mode; as [IoDevice] its 4-KiB register page.
///
/// Thread-safe: its monitor guards all registers; the ones that message routing reads are volatile as well. What a
/// change asks of the processor is collected under the lock and done after it. Other controllers are called without
/// it; only the timer's alarm is set with it.
///
/// Limits: no system management interrupts; LINT pins are edge-triggered; there is no remote read; the APIC ID
/// cannot be changed (which the SDM leaves to the model).
///
/// Source: Intel SDM volume 3, chapter "APIC".
final class LocalApic implements LocalInterrupts, IoDevice {
    static final int LVT_ENTRIES = LocalApicState.LVT_ENTRIES;
    static final int LVT_TIMER = 0;
    static final int LVT_LINT0 = 3;
    static final int LVT_LINT1 = 4;
    static final int LVT_ERROR = 5;

    static final long APIC_BASE_DEFAULT = 0xfee0_0000L;
    static final long APIC_BASE_BSP = 1 << 8;
    static final long APIC_BASE_EXTD = 1 << 10;
    static final long APIC_BASE_EN = 1 << 11;

    /// Version 0x14, six LVT entries, EOI-broadcast suppression.
    private static final int VERSION = 0x0105_0014;

    private static final int LVT_MASKED = 1 << 16;
    private static final int[] LVT_WRITABLE = {0x7_00ff, 0x1_07ff, 0x1_07ff, 0x1_a7ff, 0x1_a7ff, 0x1_00ff};

    private static final int SVR_RESET = 0xff;
    private static final int SVR_ENABLE = 1 << 8;
    private static final int SVR_SUPPRESS_EOI_BROADCAST = 1 << 12;
    private static final int SVR_WRITABLE = 0x13ff;

    private static final int ESR_SEND_ILLEGAL_VECTOR = 1 << 5;
    private static final int ESR_RECEIVE_ILLEGAL_VECTOR = 1 << 6;
    private static final int ESR_ILLEGAL_REGISTER = 1 << 7;

    private static final int ICR_LOGICAL = 1 << 11;
    private static final int ICR_ASSERT = 1 << 14;
    private static final int ICR_LEVEL = 1 << 15;
    private static final int ICR_LOW_WRITABLE = 0x000c_cfff;

    /// What a change asks of the processor.
    private static final int NOTHING = 0;

    private static final int LOOK = 1;
    private static final int SIGNAL_NMI = 2;
    private static final int SIGNAL_INIT = 4;

    private final int id;
    private final ApicConfig config;
    private final ApicBus bus;
    private final ApicTimer timer;

    private final VectorSet irr = new VectorSet();
    private final VectorSet isr = new VectorSet();
    private final VectorSet tmr = new VectorSet();
    private final int[] lvt = new int[LVT_ENTRIES];
    private int tpr;
    private int esr;
    private int errors;
    private long icr;
    private boolean extInt;
    private boolean lint0;

    private volatile VcpuSignals signals = Unconnected.INSTANCE;
    private volatile boolean pending;
    /// The interrupt in service may have ended without our knowing.
    private boolean silentEndAllowed;
    private volatile long apicBase;
    private volatile int ldr;
    private volatile int dfr;
    private volatile int svr;

    LocalApic(int id, ApicConfig config, ApicBus bus, TscClock tsc) {
        this.id = id;
        this.config = config;
        this.bus = bus;
        timer = new ApicTimer(tsc, "apic" + id, this::timerExpired);
        apicBase = baseAtReset();
        resetRegistersLocked();
    }

    LocalApic(LocalApicState s, ApicConfig config, ApicBus bus, TscClock tsc) {
        this(s.id(), config, bus, tsc);
        synchronized (this) {
            apicBase = s.apicBase();
            tpr = s.taskPriority();
            ldr = s.logicalDestination();
            dfr = s.destinationFormat();
            svr = s.spuriousVector();
            esr = s.errorStatus();
            errors = s.errors();
            icr = s.interruptCommand();
            for (int i = 0; i < LVT_ENTRIES; i++) {
                lvt[i] = s.lvt().get(i);
            }
            irr.load(s.irr());
            isr.load(s.isr());
            tmr.load(s.tmr());
            extInt = s.extInt();
            lint0 = s.lint0();
            timer.load(timerMode(), s);
            updateLocked();
        }
    }

    synchronized LocalApicState save() {
        List<Integer> entries = new ArrayList<>();
        for (int entry : lvt) {
            entries.add(entry);
        }
        return new LocalApicState(
                id,
                apicBase,
                tpr,
                ldr,
                dfr,
                svr,
                esr,
                errors,
                icr,
                entries,
                irr.save(),
                isr.save(),
                tmr.save(),
                extInt,
                lint0,
                timer.initialCount(),
                timer.divideConfiguration(),
                timer.deadlineNanos(),
                timer.tscDeadline());
    }

    /// Power-on: INIT, and `IA32_APIC_BASE` at its initial value.
    void reset() {
        int actions;
        synchronized (this) {
            apicBase = baseAtReset();
            resetRegistersLocked();
            actions = updateLocked();
        }
        perform(actions);
    }

    private long baseAtReset() {
        return APIC_BASE_DEFAULT | APIC_BASE_EN | (id == 0 ? APIC_BASE_BSP : 0);
    }

    private void resetRegistersLocked() {
        irr.clear();
        isr.clear();
        tmr.clear();
        for (int i = 0; i < LVT_ENTRIES; i++) {
            lvt[i] = LVT_MASKED;
        }
        if (id == 0) {
            // As firmware leaves it: virtual wire mode, so that a kernel started without firmware hears the 8259
            // pair.
            lvt[LVT_LINT0] = DeliveryMode.EXTINT << 8;
        }
        tpr = 0;
        ldr = 0;
        dfr = -1;
        svr = SVR_RESET;
        esr = 0;
        errors = 0;
        icr = 0;
        extInt = false;
        timer.reset();
        if (inX2apicMode()) {
            ldr = x2apicLogicalId();
        }
    }

    void connect(VcpuSignals newSignals) {
        signals = newSignals;
        int actions;
        synchronized (this) {
            actions = updateLocked() | (pending ? LOOK : NOTHING);
        }
        perform(actions);
    }

    // ---- what routing asks, without lock

    int id() {
        return id;
    }

    boolean inX2apicMode() {
        return (apicBase & APIC_BASE_EXTD) != 0;
    }

    private boolean enabled() {
        return (apicBase & APIC_BASE_EN) != 0;
    }

    /// Where the register page shows, or -1.
    long pageGpa() {
        long base = apicBase;
        return (base & (APIC_BASE_EN | APIC_BASE_EXTD)) == APIC_BASE_EN ? base & -4096 : -1;
    }

    boolean takesInterrupts() {
        return enabled() && (svr & SVR_ENABLE) != 0;
    }

    boolean matchesLogical(int destination) {
        int own = ldr;
        if (inX2apicMode()) {
            return own >>> 16 == destination >>> 16 && (own & destination & 0xffff) != 0;
        }
        if (destination >>> 8 != 0) {
            return false;
        }
        int logicalId = own >>> 24;
        return switch (dfr >>> 28) {
            case 0xf -> (logicalId & destination) != 0;
            case 0 -> logicalId >> 4 == destination >> 4 && (logicalId & destination & 0xf) != 0;
            default -> false;
        };
    }

    synchronized int arbitrationPriority() {
        int request = Math.max(irr.highest(), 0) >> 4;
        int service = Math.max(isr.highest(), 0) >> 4;
        return tpr >> 4 >= request && tpr >> 4 > service ? tpr : Math.max(tpr >> 4, Math.max(request, service)) << 4;
    }

    // ---- messages and pins

    /// Takes a message; answers false where it is refused.
    boolean accept(int mode, int vector, boolean level) {
        if (!enabled()) {
            return false;
        }
        switch (mode) {
            case DeliveryMode.FIXED, DeliveryMode.LOWEST_PRIORITY -> {
                return acceptFixed(vector, level);
            }
            case DeliveryMode.NMI -> signals.nmi();
            case DeliveryMode.INIT -> {
                int actions;
                synchronized (this) {
                    resetRegistersLocked();
                    actions = updateLocked();
                }
                perform(actions | SIGNAL_INIT);
            }
            case DeliveryMode.STARTUP -> signals.startup(vector);
            case DeliveryMode.EXTINT -> {
                int actions;
                synchronized (this) {
                    extInt = true;
                    actions = updateLocked();
                }
                perform(actions);
            }
            default -> {
                return false;
            }
        }
        return true;
    }

    private boolean acceptFixed(int vector, boolean level) {
        int actions;
        synchronized (this) {
            if (!takesInterrupts()) {
                return false;
            }
            acceptFixedLocked(vector, level);
            actions = updateLocked();
        }
        perform(actions);
        return true;
    }

    private void acceptFixedLocked(int vector, boolean level) {
        if (vector < 16) {
            errorLocked(ESR_RECEIVE_ILLEGAL_VECTOR);
            return;
        }
        irr.add(vector);
        tmr.put(vector, level);
    }

    private void errorLocked(int error) {
        if ((errors & error) != 0) {
            return;
        }
        errors |= error;
        int entry = lvt[LVT_ERROR];
        if ((entry & LVT_MASKED) == 0 && (entry & 0xff) >= 16) {
            irr.add(entry & 0xff);
            tmr.remove(entry & 0xff);
        }
    }

    /// INTR of the 8259 pair changed.
    void lint0Changed() {
        int actions = NOTHING;
        synchronized (this) {
            boolean level = bus.intr();
            if (level && !lint0) {
                actions = deliverLocked(LVT_LINT0);
            }
            lint0 = level;
            actions |= updateLocked();
        }
        perform(actions);
    }

    /// A rising edge at LINT1, which PCs use for NMI.
    void lint1() {
        int actions;
        synchronized (this) {
            actions = enabled() ? deliverLocked(LVT_LINT1) : SIGNAL_NMI;
            actions |= updateLocked();
        }
        perform(actions);
    }

    private void timerExpired() {
        int actions = NOTHING;
        synchronized (this) {
            if (timer.expire()) {
                actions = deliverLocked(LVT_TIMER);
                actions |= updateLocked();
            }
        }
        perform(actions);
    }

    /// A local source fires. ExtINT is a level and seen by [#extIntLocked].
    private int deliverLocked(int source) {
        int entry = lvt[source];
        if (!enabled() || (entry & LVT_MASKED) != 0) {
            return NOTHING;
        }
        return switch (entry >> 8 & 7) {
            case DeliveryMode.FIXED -> {
                acceptFixedLocked(entry & 0xff, false);
                yield NOTHING;
            }
            case DeliveryMode.NMI -> SIGNAL_NMI;
            case DeliveryMode.INIT -> {
                resetRegistersLocked();
                yield SIGNAL_INIT;
            }
            default -> NOTHING;
        };
    }

    private boolean extIntLocked() {
        if (!enabled()) {
            // Without APIC the pin is the bootstrap processor's INTR.
            return id == 0 && bus.intr();
        }
        int entry = lvt[LVT_LINT0];
        return extInt || (entry & LVT_MASKED) == 0 && (entry >> 8 & 7) == DeliveryMode.EXTINT && bus.intr();
    }

    private int processorPriorityLocked() {
        int service = Math.max(isr.highest(), 0);
        return tpr >> 4 >= service >> 4 ? tpr : service & 0xf0;
    }

    /// Brings [#pending] up to date; answers [#LOOK] if it rose, or if what has arrived may be let in by an end
    /// that the processor has not passed on yet.
    private int updateLocked() {
        boolean was = pending;
        boolean is = enabled() && irr.highest() >> 4 > processorPriorityLocked() >> 4 || extIntLocked();
        if (is != was) {
            pending = is;
        }
        return is && !was || silentEndAllowed && !irr.isEmpty() ? LOOK : NOTHING;
    }

    private void perform(int actions) {
        if (actions == NOTHING) {
            return;
        }
        VcpuSignals target = signals;
        if ((actions & SIGNAL_INIT) != 0) {
            target.init();
        }
        if ((actions & SIGNAL_NMI) != 0) {
            target.nmi();
        }
        if ((actions & LOOK) != 0) {
            target.interruptPending();
        }
    }

    // ---- the processor's side

    @Override
    public boolean pending() {
        return pending;
    }

    @Override
    public int acknowledge() {
        synchronized (this) {
            if (!extIntLocked()) {
                return acknowledgeLocked();
            }
            extInt = false;
        }
        int vector = bus.acknowledgeIntr();
        synchronized (this) {
            // Nobody else may have told of the change: an ExtINT message is taken here.
            updateLocked();
        }
        if (pending) {
            // The 8259 pair has no priority here: something of the APIC's own may wait as before.
            signals.interruptPending();
        }
        return vector;
    }

    private int acknowledgeLocked() {
        int vector = irr.highest();
        if (!enabled() || vector >> 4 <= processorPriorityLocked() >> 4) {
            updateLocked();
            return NONE;
        }
        irr.remove(vector);
        isr.add(vector);
        updateLocked();
        return vector;
    }

    /// Besides what the interface promises: nothing waits that the end would let in.
    @Override
    public synchronized boolean allowsSilentEnd(int vector) {
        silentEndAllowed = isr.isOnly(vector) && !tmr.contains(vector) && irr.isEmpty();
        return silentEndAllowed;
    }

    @Override
    public void endOfInterrupt() {
        int vector;
        boolean broadcast;
        int actions;
        synchronized (this) {
            vector = isr.highest();
            if (vector < 0) {
                return;
            }
            isr.remove(vector);
            silentEndAllowed = false;
            broadcast = tmr.contains(vector) && (svr & SVR_SUPPRESS_EOI_BROADCAST) == 0;
            actions = updateLocked();
        }
        if (broadcast) {
            bus.endOfInterrupt(vector);
        }
        perform(actions);
    }

    @Override
    public synchronized int taskPriority() {
        return tpr >> 4;
    }

    @Override
    public void setTaskPriority(int priority) {
        setTpr((priority & 0xf) << 4);
    }

    private void setTpr(int value) {
        int actions;
        synchronized (this) {
            tpr = value;
            actions = updateLocked();
        }
        perform(actions);
    }

    @Override
    public long apicBase() {
        return apicBase;
    }

    @Override
    public void setApicBase(long value) {
        long reserved = ~((1L << config.physicalAddressBits()) - 1) | 0x2ff | (config.x2apic() ? 0 : APIC_BASE_EXTD);
        long mode = APIC_BASE_EN | APIC_BASE_EXTD;
        int actions;
        synchronized (this) {
            long from = apicBase & mode;
            long to = value & mode;
            boolean forbidden = to == APIC_BASE_EXTD || from == 0 && to == mode || from == mode && to == APIC_BASE_EN;
            if ((value & reserved) != 0 || forbidden) {
                throw InvalidMsrException.INSTANCE;
            }
            apicBase = value;
            if (from != 0 && to == 0) {
                resetRegistersLocked();
            } else if (from == APIC_BASE_EN && to == mode) {
                ldr = x2apicLogicalId();
                dfr = -1;
                icr &= 0xffff_ffffL;
            }
            actions = updateLocked();
        }
        perform(actions);
    }

    private int x2apicLogicalId() {
        return id >> 4 << 16 | 1 << (id & 15);
    }

    @Override
    public long readMsr(int msr) {
        int register = msr - 0x800;
        if (!inX2apicMode() || !ApicRegister.isReadableMsr(register)) {
            throw InvalidMsrException.INSTANCE;
        }
        synchronized (this) {
            return register == ApicRegister.ICR_LOW ? icr : readLocked(register) & 0xffff_ffffL;
        }
    }

    @Override
    public void writeMsr(int msr, long value) {
        int register = msr - 0x800;
        long writable = ApicRegister.writableMsrBits(register);
        if (!inX2apicMode() || writable == ApicRegister.NOT_WRITABLE || (value & ~writable) != 0) {
            throw InvalidMsrException.INSTANCE;
        }
        if (register == ApicRegister.ICR_LOW) {
            sendIpi(value & ~(1L << 12), (int) (value >>> 32));
        } else if (register == ApicRegister.SELF_IPI) {
            sendIpi(1 << 18 | value, 0);
        } else {
            writeRegister(register, (int) value);
        }
    }

    @Override
    public synchronized long tscDeadline() {
        return timer.tscDeadline();
    }

    @Override
    public void setTscDeadline(long ticks) {
        boolean reached;
        synchronized (this) {
            reached = timer.setTscDeadline(ticks);
        }
        if (reached) {
            timerExpired();
        }
    }

    // ---- the register page

    @Override
    public long read(long offset, int size) {
        int register = (int) (offset >> 4) & 0xff;
        if (!enabled() || inX2apicMode()) {
            return -1;
        }
        if ((offset & 0xf) > 3) {
            return 0;
        }
        int actions;
        long value;
        synchronized (this) {
            value = readLocked(register) & 0xffff_ffffL;
            actions = updateLocked();
        }
        perform(actions);
        return value >>> (offset & 3) * 8;
    }

    @Override
    public void write(long offset, int size, long value) {
        if (!enabled() || inX2apicMode() || size < 4 || (offset & 0xf) != 0) {
            return;
        }
        int register = (int) (offset >> 4) & 0xff;
        switch (register) {
            case ApicRegister.ICR_LOW -> {
                long high;
                synchronized (this) {
                    high = icr & 0xffff_ffff_0000_0000L;
                }
                sendIpi(high | value & ICR_LOW_WRITABLE, (int) (high >>> 56));
            }
            case ApicRegister.ICR_HIGH -> {
                synchronized (this) {
                    icr = icr & 0xffff_ffffL | (value & 0xff00_0000L) << 32;
                }
            }
            default -> writeRegister(register, (int) value);
        }
    }

    // ---- registers, in either mode

    private int readLocked(int register) {
        return switch (register) {
            case ApicRegister.ID -> inX2apicMode() ? id : id << 24;
            case ApicRegister.VERSION -> VERSION;
            case ApicRegister.TPR -> tpr;
            case ApicRegister.APR -> arbitrationPriority();
            case ApicRegister.PPR -> processorPriorityLocked();
            case ApicRegister.EOI, ApicRegister.RRD -> 0;
            case ApicRegister.LDR -> ldr;
            case ApicRegister.DFR -> dfr;
            case ApicRegister.SVR -> svr;
            case ApicRegister.ESR -> esr;
            case ApicRegister.ICR_LOW -> (int) icr;
            case ApicRegister.ICR_HIGH -> (int) (icr >>> 32);
            case ApicRegister.INITIAL_COUNT -> timer.initialCount();
            case ApicRegister.CURRENT_COUNT -> timer.currentCount();
            case ApicRegister.DIVIDE_CONFIGURATION -> timer.divideConfiguration();
            default -> readArrayLocked(register);
        };
    }

    private int readArrayLocked(int register) {
        int index = register & 7;
        return switch (register & ~7) {
            case ApicRegister.ISR -> isr.register(index);
            case ApicRegister.TMR -> tmr.register(index);
            case ApicRegister.IRR -> irr.register(index);
            default -> {
                int entry = register - ApicRegister.LVT;
                if (entry >= 0 && entry < LVT_ENTRIES) {
                    yield lvt[entry];
                }
                errorLocked(ESR_ILLEGAL_REGISTER);
                yield 0;
            }
        };
    }

    private void writeRegister(int register, int value) {
        if (register == ApicRegister.EOI) {
            endOfInterrupt();
            return;
        }
        int actions;
        synchronized (this) {
            writeLocked(register, value);
            actions = updateLocked();
        }
        perform(actions);
    }

    private void writeLocked(int register, int value) {
        switch (register) {
            case ApicRegister.TPR -> tpr = value & 0xff;
            case ApicRegister.LDR -> ldr = value & 0xff00_0000;
            case ApicRegister.DFR -> dfr = value | 0x0fff_ffff;
            case ApicRegister.SVR -> writeSvrLocked(value & SVR_WRITABLE);
            case ApicRegister.ESR -> {
                esr = errors;
                errors = 0;
            }
            case ApicRegister.INITIAL_COUNT -> timer.setInitialCount(value);
            case ApicRegister.DIVIDE_CONFIGURATION -> timer.setDivideConfiguration(value);
            case ApicRegister.ID,
                    ApicRegister.VERSION,
                    ApicRegister.APR,
                    ApicRegister.PPR,
                    ApicRegister.RRD,
                    ApicRegister.CURRENT_COUNT -> {
                // Read-only: the write is lost.
            }
            default -> {
                int entry = register - ApicRegister.LVT;
                if (entry >= 0 && entry < LVT_ENTRIES) {
                    writeLvtLocked(entry, value);
                } else if (register < ApicRegister.ISR || register >= ApicRegister.ESR) {
                    errorLocked(ESR_ILLEGAL_REGISTER);
                }
            }
        }
    }

    private void writeSvrLocked(int value) {
        svr = value;
        if ((value & SVR_ENABLE) == 0) {
            for (int i = 0; i < LVT_ENTRIES; i++) {
                lvt[i] |= LVT_MASKED;
            }
        }
    }

    private void writeLvtLocked(int entry, int value) {
        lvt[entry] = value & LVT_WRITABLE[entry] | ((svr & SVR_ENABLE) == 0 ? LVT_MASKED : 0);
        if (entry == LVT_TIMER) {
            timer.setMode(timerMode());
        }
    }

    private int timerMode() {
        return lvt[LVT_TIMER] >> 17 & 3;
    }

    private void sendIpi(long command, int destination) {
        int vector = (int) command & 0xff;
        int mode = (int) command >> 8 & 7;
        int actions = NOTHING;
        boolean illegal = vector < 16 && (mode == DeliveryMode.FIXED || mode == DeliveryMode.LOWEST_PRIORITY);
        synchronized (this) {
            icr = command;
            if (illegal) {
                errorLocked(ESR_SEND_ILLEGAL_VECTOR);
                actions = updateLocked();
            }
        }
        perform(actions);
        boolean initDeassert = mode == DeliveryMode.INIT && (command & ICR_LEVEL) != 0 && (command & ICR_ASSERT) == 0;
        if (!illegal && !initDeassert) {
            bus.ipi(this, (int) command >> 18 & 3, destination, (command & ICR_LOGICAL) != 0, mode, vector);
        }
    }

    private enum Unconnected implements VcpuSignals {
        INSTANCE;

        @Override
        public void interruptPending() {}

        @Override
        public void nmi() {}

        @Override
        public void init() {}

        @Override
        public void startup(int vector) {}
    }
}

package org.jvirt.devices.legacy;

import java.util.ArrayList;
import java.util.List;
import org.jvirt.core.CharBackend;
import org.jvirt.core.InterruptLine;
import org.jvirt.core.Snapshottable;
import org.jvirt.core.VmClock;
import org.jvirt.devices.ByteDevice;

/// A 16550A serial port on 8 ports. Characters leave at once: the transmitter is always empty, its baud rate only
/// sets how long the receive timeout is. Modem inputs say that a ready peer is there. The interrupt is gated by
/// OUT2, as a PC wires it.
///
/// Thread-safe: one lock, held while the line is driven, not while the [CharBackend] is called.
public final class Uart16550 implements ByteDevice, Snapshottable<UartState> {
    /// How many ports it takes.
    public static final int BYTES = 8;

    static final int FIFO_BYTES = 16;

    private static final int UART_THR = 0;
    private static final int UART_IER = 1;
    private static final int UART_IIR_FCR = 2;
    private static final int UART_LCR = 3;
    private static final int UART_MCR = 4;
    private static final int UART_LSR = 5;
    private static final int UART_MSR = 6;

    private static final int UART_IER_RDI = 1;
    private static final int UART_IER_THRI = 2;
    private static final int UART_IER_RLSI = 4;
    private static final int UART_IER_MSI = 8;

    private static final int UART_IIR_NO_INT = 1;
    private static final int UART_IIR_MSI = 0;
    private static final int UART_IIR_THRI = 2;
    private static final int UART_IIR_RDI = 4;
    private static final int UART_IIR_RLSI = 6;
    private static final int UART_IIR_TIMEOUT = 0x0c;
    private static final int UART_IIR_FIFOS = 0xc0;

    private static final int UART_FCR_ENABLE = 1;
    private static final int UART_FCR_CLEAR_RCVR = 2;

    private static final int UART_LCR_DLAB = 0x80;

    private static final int UART_MCR_DTR = 1;
    private static final int UART_MCR_RTS = 2;
    private static final int UART_MCR_OUT1 = 4;
    private static final int UART_MCR_OUT2 = 8;
    private static final int UART_MCR_LOOP = 0x10;

    private static final int UART_LSR_DR = 1;
    private static final int UART_LSR_OE = 2;
    private static final int UART_LSR_BI = 0x10;
    private static final int UART_LSR_CHARACTER_ERRORS = 0x1c;
    private static final int UART_LSR_THRE_TEMT = 0x60;
    private static final int UART_LSR_FIFO_ERROR = 0x80;

    private static final int UART_MSR_CTS = 0x10;
    private static final int UART_MSR_DSR = 0x20;
    private static final int UART_MSR_RI = 0x40;
    private static final int UART_MSR_DCD = 0x80;

    private static final long CLOCK_HZ = 1_843_200;
    private static final int[] TRIGGER_LEVELS = {1, 4, 8, 14};

    /// One-byte arrays for the backend, so that sending allocates nothing. They are never written.
    private static final byte[][] SINGLE_BYTES = singleBytes();

    private final String id;
    private final VmClock clock;
    private final InterruptLine irq;
    private final CharBackend backend;
    private final VmClock.Timer timeout;

    private final int[] fifo = new int[FIFO_BYTES];
    private int fifoHead;
    private int fifoCount;

    private int ier;
    private int fcr;
    private int lcr;
    private int mcr;
    private int lsrErrors;
    private int msrDeltas;
    private int scr;
    private int divisor;
    private boolean threPending;
    private boolean timedOut;
    private long timeoutNanos;
    /// The backend was told that there is no room.
    private boolean backendWaits;

    /// @param id `serial0` and so on
    public Uart16550(String id, VmClock clock, InterruptLine irq, CharBackend backend) {
        this(id, clock, irq, backend, UartState.RESET);
    }

    public Uart16550(String id, VmClock clock, InterruptLine irq, CharBackend backend, UartState saved) {
        this.id = id;
        this.clock = clock;
        this.irq = irq;
        this.backend = backend;
        timeout = clock.timer(id + "-timeout", this::timeoutExpired);
        synchronized (this) {
            load(saved);
        }
        backend.connect(new Receiver());
    }

    private static byte[][] singleBytes() {
        var all = new byte[256][1];
        for (int i = 0; i < all.length; i++) {
            all[i][0] = (byte) i;
        }
        return all;
    }

    private void load(UartState s) {
        ier = s.ier();
        fcr = s.fcr();
        lcr = s.lcr();
        mcr = s.mcr();
        lsrErrors = s.lsrErrors();
        msrDeltas = s.msrDeltas();
        scr = s.scr();
        divisor = s.divisor();
        threPending = s.threPending();
        timedOut = s.timedOut();
        timeoutNanos = s.timeoutNanos();
        fifoHead = 0;
        fifoCount = s.fifo().size();
        for (int i = 0; i < fifoCount; i++) {
            fifo[i] = s.fifo().get(i);
        }
        if (timeoutNanos != 0) {
            timeout.arm(timeoutNanos);
        } else {
            timeout.cancel();
        }
        updateLocked();
    }

    @Override
    public String id() {
        return id;
    }

    @Override
    public synchronized UartState save() {
        List<Integer> received = new ArrayList<>();
        for (int i = 0; i < fifoCount; i++) {
            received.add(fifo[(fifoHead + i) % FIFO_BYTES]);
        }
        return new UartState(
                ier, fcr, lcr, mcr, lsrErrors, msrDeltas, scr, divisor, received, threPending, timedOut, timeoutNanos);
    }

    public void reset() {
        boolean wake;
        synchronized (this) {
            load(UartState.RESET);
            wake = takeWakeLocked();
        }
        wakeBackend(wake);
    }

    @Override
    public int readByte(int offset) {
        int value;
        boolean wake;
        synchronized (this) {
            value = readLocked(offset);
            wake = takeWakeLocked();
        }
        wakeBackend(wake);
        return value;
    }

    private int readLocked(int offset) {
        boolean divisorLatch = (lcr & UART_LCR_DLAB) != 0;
        return switch (offset) {
            case UART_THR -> divisorLatch ? divisor & 0xff : receiveLocked();
            case UART_IER -> divisorLatch ? divisor >> 8 : ier;
            case UART_IIR_FCR -> {
                int source = interruptLocked();
                if (source == UART_IIR_THRI) {
                    threPending = false;
                    updateLocked();
                }
                yield source | (fifosEnabled() ? UART_IIR_FIFOS : 0);
            }
            case UART_LCR -> lcr;
            case UART_MCR -> mcr;
            case UART_LSR -> {
                int value = lsrLocked();
                lsrErrors = 0;
                if (fifoCount > 0) {
                    // The errors of the next character are told once.
                    fifo[fifoHead] &= 0xff;
                }
                updateLocked();
                yield value;
            }
            case UART_MSR -> {
                int value = modemInputs() | msrDeltas;
                msrDeltas = 0;
                updateLocked();
                yield value;
            }
            default -> scr;
        };
    }

    @Override
    public void writeByte(int offset, int value) {
        boolean transmits = false;
        boolean wake;
        synchronized (this) {
            if (offset == UART_THR && (lcr & UART_LCR_DLAB) == 0) {
                transmits = transmitLocked(value);
            } else {
                writeLocked(offset, value);
            }
            updateLocked();
            wake = takeWakeLocked();
        }
        if (transmits) {
            backend.write(SINGLE_BYTES[value], 0, 1);
        }
        wakeBackend(wake);
    }

    private void writeLocked(int offset, int value) {
        boolean divisorLatch = (lcr & UART_LCR_DLAB) != 0;
        switch (offset) {
            case UART_THR -> divisor = divisor & 0xff00 | value;
            case UART_IER -> {
                if (divisorLatch) {
                    divisor = divisor & 0xff | value << 8;
                } else {
                    boolean enables = (value & ~ier & UART_IER_THRI) != 0;
                    ier = value & 0x0f;
                    // Enabling the interrupt of an empty transmitter raises it.
                    threPending |= enables;
                }
            }
            case UART_IIR_FCR -> writeFcrLocked(value);
            case UART_LCR -> lcr = value;
            case UART_MCR -> {
                int before = modemInputs();
                mcr = value & 0x1f;
                noteModemChangesLocked(before);
            }
            case UART_LSR, UART_MSR -> {
                // Read-only.
            }
            default -> scr = value;
        }
    }

    private void writeFcrLocked(int value) {
        boolean switches = ((value ^ fcr) & UART_FCR_ENABLE) != 0;
        if (switches || (value & (UART_FCR_ENABLE | UART_FCR_CLEAR_RCVR)) == 3) {
            fifoCount = 0;
            timedOut = false;
            setTimeoutLocked(false);
        }
        // Other bits are taken only together with the enable bit.
        fcr = (value & UART_FCR_ENABLE) != 0 ? value & 0xc9 : 0;
    }

    private boolean fifosEnabled() {
        return (fcr & UART_FCR_ENABLE) != 0;
    }

    private boolean loops() {
        return (mcr & UART_MCR_LOOP) != 0;
    }

    /// Answers whether the character goes out.
    private boolean transmitLocked(int value) {
        threPending = true;
        if (loops()) {
            putLocked(value & dataMask());
            return false;
        }
        return true;
    }

    /// 5 to 8 data bits.
    private int dataMask() {
        return 0xff >> 3 - (lcr & 3);
    }

    // ---- receiving

    private int capacity() {
        return fifosEnabled() ? FIFO_BYTES : 1;
    }

    private void putLocked(int character) {
        if (fifoCount >= capacity()) {
            lsrErrors |= UART_LSR_OE;
            if (!fifosEnabled()) {
                fifo[fifoHead] = character;
            }
            return;
        }
        fifo[(fifoHead + fifoCount++) % FIFO_BYTES] = character;
        timedOut = false;
        setTimeoutLocked(true);
    }

    private int receiveLocked() {
        if (fifoCount == 0) {
            return 0;
        }
        int character = fifo[fifoHead] & 0xff;
        fifoHead = (fifoHead + 1) % FIFO_BYTES;
        fifoCount--;
        timedOut = false;
        setTimeoutLocked(fifoCount > 0);
        updateLocked();
        return character;
    }

    /// The timeout of a FIFO that holds something: four characters' time without a transfer.
    private void setTimeoutLocked(boolean runs) {
        if (!runs || !fifosEnabled()) {
            if (timeoutNanos != 0) {
                timeoutNanos = 0;
                timeout.cancel();
            }
            return;
        }
        int bits = 1 + 5 + (lcr & 3) + (lcr >> 3 & 1) + 1 + (lcr >> 2 & 1);
        long characterNanos = 16L * Math.max(divisor, 1) * bits * 1_000_000_000L / CLOCK_HZ;
        timeoutNanos = clock.nanos() + 4 * characterNanos;
        timeout.arm(timeoutNanos);
    }

    private synchronized void timeoutExpired() {
        if (timeoutNanos == 0) {
            return;
        }
        if (clock.nanos() < timeoutNanos) {
            timeout.arm(timeoutNanos);
            return;
        }
        timeoutNanos = 0;
        timedOut = fifoCount > 0;
        updateLocked();
    }

    // ---- status and interrupts

    private int lsrLocked() {
        int value = UART_LSR_THRE_TEMT | lsrErrors;
        for (int i = 0; i < fifoCount; i++) {
            int errors = fifo[(fifoHead + i) % FIFO_BYTES] >> 8 & UART_LSR_CHARACTER_ERRORS;
            if (errors != 0 && fifosEnabled()) {
                value |= UART_LSR_FIFO_ERROR;
            }
            value |= i == 0 ? errors : 0;
        }
        return value | (fifoCount > 0 ? UART_LSR_DR : 0);
    }

    private int modemInputs() {
        if (!loops()) {
            return UART_MSR_DCD | UART_MSR_DSR | UART_MSR_CTS;
        }
        return ((mcr & UART_MCR_DTR) != 0 ? UART_MSR_DSR : 0)
                | ((mcr & UART_MCR_RTS) != 0 ? UART_MSR_CTS : 0)
                | ((mcr & UART_MCR_OUT1) != 0 ? UART_MSR_RI : 0)
                | ((mcr & UART_MCR_OUT2) != 0 ? UART_MSR_DCD : 0);
    }

    /// DCTS, DDSR and DDCD tell of any change, TERI of the end of ringing.
    private void noteModemChangesLocked(int before) {
        int now = modemInputs();
        int changed = (before ^ now) & (UART_MSR_CTS | UART_MSR_DSR | UART_MSR_DCD) | before & ~now & UART_MSR_RI;
        msrDeltas |= changed >> 4;
    }

    /// The identification of the most urgent interrupt.
    private int interruptLocked() {
        if ((ier & UART_IER_RLSI) != 0 && (lsrLocked() & (UART_LSR_OE | UART_LSR_CHARACTER_ERRORS)) != 0) {
            return UART_IIR_RLSI;
        }
        if ((ier & UART_IER_RDI) != 0) {
            int trigger = fifosEnabled() ? TRIGGER_LEVELS[fcr >> 6] : 1;
            if (fifoCount >= trigger) {
                return UART_IIR_RDI;
            }
            if (timedOut) {
                return UART_IIR_TIMEOUT;
            }
        }
        if ((ier & UART_IER_THRI) != 0 && threPending) {
            return UART_IIR_THRI;
        }
        if ((ier & UART_IER_MSI) != 0 && msrDeltas != 0) {
            return UART_IIR_MSI;
        }
        return UART_IIR_NO_INT;
    }

    private void updateLocked() {
        boolean gated = (mcr & UART_MCR_OUT2) == 0 || loops();
        irq.set(!gated && interruptLocked() != UART_IIR_NO_INT);
    }

    // ---- the backend's side

    private int spaceLocked() {
        int space = loops() ? 0 : capacity() - fifoCount;
        backendWaits = space == 0;
        return space;
    }

    private boolean takeWakeLocked() {
        if (!backendWaits || loops() || fifoCount >= capacity()) {
            return false;
        }
        backendWaits = false;
        return true;
    }

    private void wakeBackend(boolean wake) {
        if (wake) {
            backend.receiverReady();
        }
    }

    private final class Receiver implements CharBackend.Receiver {
        @Override
        public int space() {
            synchronized (Uart16550.this) {
                return spaceLocked();
            }
        }

        @Override
        public void receive(byte[] bytes, int offset, int length) {
            synchronized (Uart16550.this) {
                for (int i = 0; i < length; i++) {
                    // Whatever the word length: the line carries bytes, as the guest's output does.
                    putLocked(bytes[offset + i] & 0xff);
                }
                updateLocked();
            }
        }

        @Override
        public void breakCondition() {
            synchronized (Uart16550.this) {
                if (!loops()) {
                    putLocked(UART_LSR_BI << 8);
                    updateLocked();
                }
            }
        }
    }
}

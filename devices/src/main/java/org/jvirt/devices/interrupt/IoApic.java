package org.jvirt.devices.interrupt;

import java.util.ArrayList;
import java.util.List;
import org.jvirt.core.IoDevice;
import org.jvirt.core.interrupt.IoApicState;

/// The IO-APIC of ICH9: an 82093AA with an EOI register (version 0x20). Thread-safe: one lock, never held while a
/// message is sent.
///
/// `set(true)` means asserted, whatever polarity an entry claims. A level-triggered message waits in its pin
/// (remote IRR) for the end of interrupt of its vector; while masked, edges are lost and levels are remembered.
///
/// Sources: Intel 82093AA data sheet (290566), 3.2; ICH9 data sheet, 13.5.
final class IoApic implements IoDevice {
    static final int PINS = IoApicState.PINS;

    private static final int IOREGSEL = 0x00;
    private static final int IOWIN = 0x10;
    private static final int EOIR = 0x40;

    private static final int IOAPICID = 0;
    private static final int IOAPICVER = 1;
    private static final int IOAPICARB = 2;
    private static final int IOREDTBL = 0x10;

    private static final long VERSION = 0x20 | PINS - 1 << 16;

    private static final long VECTOR = 0xff;
    private static final long LOGICAL = 1L << 11;
    private static final long REMOTE_IRR = 1L << 14;
    private static final long LEVEL = 1L << 15;
    private static final long MASKED = 1L << 16;
    /// Vector, delivery mode, destination mode, polarity, trigger mode, mask, destination and extended destination.
    private static final long WRITABLE = 0xfffe_0000_0001_afffL;

    private final MessageCarrier carrier;
    private final long[] entries = new long[PINS];
    private final int[] sources = new int[PINS];
    private int select;
    private int id;

    IoApic(MessageCarrier carrier) {
        this.carrier = carrier;
        clear();
    }

    IoApic(MessageCarrier carrier, IoApicState s) {
        this.carrier = carrier;
        select = s.select();
        id = s.id();
        for (int pin = 0; pin < PINS; pin++) {
            entries[pin] = s.entries().get(pin);
            sources[pin] = s.sources().get(pin);
        }
    }

    synchronized IoApicState save() {
        List<Long> entryList = new ArrayList<>();
        List<Integer> sourceList = new ArrayList<>();
        for (int pin = 0; pin < PINS; pin++) {
            entryList.add(entries[pin]);
            sourceList.add(sources[pin]);
        }
        return new IoApicState(select, id, entryList, sourceList);
    }

    /// The levels of the pins belong to others and stay.
    synchronized void reset() {
        clear();
    }

    private void clear() {
        for (int pin = 0; pin < PINS; pin++) {
            entries[pin] = MASKED;
        }
        select = 0;
        id = 0;
    }

    /// Drives a pin; several sources of one pin are or-ed.
    ///
    /// @param source one bit
    void set(int pin, int source, boolean high) {
        long message = 0;
        synchronized (this) {
            boolean was = sources[pin] != 0;
            sources[pin] = high ? sources[pin] | source : sources[pin] & ~source;
            boolean is = sources[pin] != 0;
            if (is == was || !is) {
                return;
            }
            message = isLevel(entries[pin]) ? levelMessageLocked(pin) : edgeMessageLocked(pin);
        }
        send(pin, message);
    }

    /// The end of an interrupt, from a local APIC's EOI or the EOI register.
    void endOfInterrupt(int vector) {
        for (int pin = 0; pin < PINS; pin++) {
            long message = 0;
            synchronized (this) {
                long entry = entries[pin];
                if ((entry & REMOTE_IRR) != 0 && (entry & VECTOR) == vector) {
                    entries[pin] = entry & ~REMOTE_IRR;
                    message = levelMessageLocked(pin);
                }
            }
            send(pin, message);
        }
    }

    @Override
    public long read(long offset, int size) {
        int shift = (int) (offset & 3) * 8;
        return switch ((int) offset & ~3) {
            case IOREGSEL -> selected() >>> shift;
            case IOWIN -> readRegister() >>> shift;
            default -> 0;
        };
    }

    @Override
    public void write(long offset, int size, long value) {
        switch ((int) offset) {
            case IOREGSEL -> select((int) value & 0xff);
            case IOWIN -> {
                if (size >= 4) {
                    writeRegister(value & 0xffff_ffffL);
                }
            }
            case EOIR -> endOfInterrupt((int) value & 0xff);
            default -> {
                // No register.
            }
        }
    }

    private synchronized void select(int index) {
        select = index;
    }

    private synchronized long selected() {
        return select;
    }

    private synchronized long readRegister() {
        int entry = select - IOREDTBL;
        if (entry >= 0 && entry < 2 * PINS) {
            return entries[entry >> 1] >>> 32 * (entry & 1) & 0xffff_ffffL;
        }
        return switch (select) {
            case IOAPICID, IOAPICARB -> (long) id << 24;
            case IOAPICVER -> VERSION;
            default -> 0;
        };
    }

    private void writeRegister(long value) {
        int pin;
        long message;
        long programmed;
        synchronized (this) {
            int index = select - IOREDTBL;
            if (index < 0 || index >= 2 * PINS) {
                if (select == IOAPICID) {
                    id = (int) (value >> 24) & 0xf;
                }
                return;
            }
            pin = index >> 1;
            int shift = 32 * (index & 1);
            long writable = WRITABLE & 0xffff_ffffL << shift;
            long entry = entries[pin] & ~writable | value << shift & writable;
            // An entry turned to edge forgets that it waits, which Linux uses to end an interrupt without EOI
            // register.
            entries[pin] = isLevel(entry) ? entry : entry & ~REMOTE_IRR;
            programmed = entry;
            message = isLevel(entry) ? levelMessageLocked(pin) : 0;
        }
        carrier.programmed(pin, programmed);
        send(pin, message);
    }

    static boolean isLevel(long entry) {
        int mode = mode(entry);
        return (entry & LEVEL) != 0 && (mode == DeliveryMode.FIXED || mode == DeliveryMode.LOWEST_PRIORITY);
    }

    /// The entry to send, or 0. An entry is never 0 here: vectors start at 16.
    private long levelMessageLocked(int pin) {
        long entry = entries[pin];
        if (sources[pin] == 0 || !isLevel(entry) || (entry & (MASKED | REMOTE_IRR)) != 0 || (entry & VECTOR) < 16) {
            return 0;
        }
        // Before the message leaves: its EOI may be faster than this thread.
        entries[pin] = entry | REMOTE_IRR;
        return entry;
    }

    private long edgeMessageLocked(int pin) {
        long entry = entries[pin];
        return (entry & MASKED) == 0 ? entry : 0;
    }

    private void send(int pin, long entry) {
        if (entry == 0) {
            return;
        }
        boolean taken = carrier.interrupt(
                destination(entry), isLogical(entry), mode(entry), vector(entry), isLevel(entry), false);
        if (!taken && isLevel(entry)) {
            // Nobody took it, nobody will end it: it is sent again when the entry is next written.
            synchronized (this) {
                entries[pin] &= ~REMOTE_IRR;
            }
        }
    }

    static int mode(long entry) {
        return (int) (entry >> 8) & 7;
    }

    static int vector(long entry) {
        return (int) (entry & VECTOR);
    }

    static boolean isLogical(long entry) {
        return (entry & LOGICAL) != 0;
    }

    /// With the extended destination as bits 8–14.
    static int destination(long entry) {
        return (int) (entry >>> 56) | (int) (entry >>> 41 & 0x7f00);
    }
}

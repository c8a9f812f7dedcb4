package org.jvirt.engine.kvm;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Map;
import java.util.OptionalInt;
import java.util.TreeMap;
import org.jvirt.core.interrupt.IoApicState;
import org.jvirt.linux.DeviceFile;

/// Where KVM takes each of its global interrupt numbers: the pins of the controllers in the kernel, wired as on a
/// PC's board, and messages. Thread-safe.
///
/// ```
/// gsi 0       8259 input 0, IO-APIC pin 2        gsi 2        IO-APIC pin 2
/// gsi 1, 3–15 8259 input and IO-APIC pin         gsi 16–23    IO-APIC pin         gsi 24 …  messages
/// ```
///
/// With local APICs alone in the kernel, 0–23 are the messages of the machine's IO-APIC, so that KVM knows whose
/// end to
/// report.
///
/// `struct kvm_irq_routing`: nr, flags, then 48 bytes each: gsi, type, flags, pad, and irqchip, pin or address_lo,
/// address_hi, data.
///
/// Source: API, 4.52.
final class RouteTable {
    private static final int PINS = IoApicState.PINS;
    private static final int HEADER_BYTES = 8;
    private static final int ENTRY_BYTES = 48;
    private static final int TYPE_IRQCHIP = 1;
    private static final int TYPE_MSI = 2;
    private static final int PIC_MASTER = 0;
    private static final int PIC_SLAVE = 1;
    private static final int IOAPIC = 2;
    private static final int CASCADE = 2;
    private static final int TIMER_PIN = 2;
    private static final int PIC_INPUTS = 16;

    private record Message(long address, int data) {}

    private final DeviceFile vm;
    private final boolean pins;
    private final int limit;
    private final Map<Integer, Message> messages = new TreeMap<>();

    /// @param pins  whether IO-APIC and 8259 pair are in the kernel
    /// @param limit how many entries KVM takes, 0 if it has no routes
    RouteTable(DeviceFile vm, boolean pins, int limit) {
        this.vm = vm;
        this.pins = pins;
        this.limit = limit;
        if (pins && limit > 0) {
            apply();
        }
    }

    /// Gives a message a number of its own; empty if there is none left.
    synchronized OptionalInt add(long address, int data) {
        int gsi = PINS;
        while (messages.containsKey(gsi)) {
            gsi++;
        }
        // the pins take at most two entries each
        if (gsi >= limit - 2 * PINS) {
            return OptionalInt.empty();
        }
        messages.put(gsi, new Message(address, data));
        if (apply() < 0) {
            messages.remove(gsi);
            return OptionalInt.empty();
        }
        return OptionalInt.of(gsi);
    }

    synchronized void remove(int gsi) {
        if (messages.remove(gsi) != null) {
            apply();
        }
    }

    /// The message of a pin of the machine's own IO-APIC.
    synchronized void announce(int pin, long address, int data) {
        if (pins || pin < 0 || pin >= PINS) {
            throw new IllegalArgumentException("Pin %d is not the machine's".formatted(pin));
        }
        var message = new Message(address, data);
        if (!message.equals(messages.put(pin, message))) {
            apply();
        }
    }

    private int apply() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment table = arena.allocate(HEADER_BYTES + (long) ENTRY_BYTES * (2 * PINS + messages.size()), 8);
            int count = 0;
            if (pins) {
                for (int gsi = 0; gsi < PINS; gsi++) {
                    if (gsi < PIC_INPUTS && gsi != CASCADE) {
                        pin(table, count++, gsi, gsi < 8 ? PIC_MASTER : PIC_SLAVE, gsi & 7);
                    }
                    pin(table, count++, gsi, IOAPIC, gsi == 0 ? TIMER_PIN : gsi);
                }
            }
            for (Map.Entry<Integer, Message> each : messages.entrySet()) {
                MemorySegment entry = entry(table, count++, each.getKey(), TYPE_MSI);
                Msi.fill(entry.asSlice(16), each.getValue().address, each.getValue().data);
            }
            table.set(JAVA_INT, 0, count);
            return vm.tryIoctl(Ioctls.KVM_SET_GSI_ROUTING, table);
        }
    }

    private static MemorySegment entry(MemorySegment table, int index, int gsi, int type) {
        MemorySegment entry = table.asSlice(HEADER_BYTES + (long) ENTRY_BYTES * index, ENTRY_BYTES);
        entry.set(JAVA_INT, 0, gsi);
        entry.set(JAVA_INT, 4, type);
        return entry;
    }

    private static void pin(MemorySegment table, int index, int gsi, int chip, int pin) {
        MemorySegment entry = entry(table, index, gsi, TYPE_IRQCHIP);
        entry.set(JAVA_INT, 16, chip);
        entry.set(JAVA_INT, 20, pin);
    }
}

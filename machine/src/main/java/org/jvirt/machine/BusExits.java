package org.jvirt.machine;

import java.util.concurrent.atomic.LongAdder;
import org.jvirt.core.Bus;
import org.jvirt.core.ExitHandler;

/// What lies outside a vCPU whose local APIC the engine has: the machine's buses. Called on vCPU threads.
final class BusExits implements ExitHandler {
    private final Bus ports;
    private final Bus mmio;
    private final Unhandled unhandled;

    /// Accesses that no device answered, counted for all vCPUs together. Writes that are lost leave no trace to
    /// count.
    record Unhandled(LongAdder portReads, LongAdder mmioReads) {
        Unhandled() {
            this(new LongAdder(), new LongAdder());
        }
    }

    BusExits(Bus ports, Bus mmio, Unhandled unhandled) {
        this.ports = ports;
        this.mmio = mmio;
        this.unhandled = unhandled;
    }

    @Override
    public long readPort(int port, int size) {
        long value = ports.read(port, size);
        if (isAllOnes(value, size)) {
            count(ports, port, unhandled.portReads);
        }
        return value;
    }

    @Override
    public void writePort(int port, int size, long value) {
        ports.write(port, size, value);
    }

    @Override
    public long readMmio(long gpa, int size) {
        long value = mmio.read(gpa, size);
        if (isAllOnes(value, size)) {
            count(mmio, gpa, unhandled.mmioReads);
        }
        return value;
    }

    @Override
    public void writeMmio(long gpa, int size, long value) {
        mmio.write(gpa, size, value);
    }

    private static boolean isAllOnes(long value, int size) {
        return value == (size == 8 ? -1L : (1L << 8 * size) - 1);
    }

    private static void count(Bus bus, long address, LongAdder counter) {
        for (Bus.Mapping mapping : bus.mappings()) {
            if (address - mapping.start() >= 0 && address - mapping.start() < mapping.length()) {
                return;
            }
        }
        counter.increment();
    }
}

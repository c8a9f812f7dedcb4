package org.jvirt.machine;

import java.util.concurrent.atomic.LongAdder;
import org.jvirt.core.Bus;
import org.jvirt.core.ExitHandler;
import org.jvirt.core.IoDevice;
import org.jvirt.devices.interrupt.PcInterrupts;

/// What lies outside one vCPU: its own local APIC's page first, then the machine's buses. Called on that vCPU's
/// thread.
final class VcpuExits implements ExitHandler {
    private static final long PAGE_MASK = -4096L;

    private final Bus ports;
    private final Bus mmio;
    private final PcInterrupts interrupts;
    private final int index;
    private final IoDevice localApic;
    private final Unhandled unhandled;

    /// Accesses that no device answered, counted for all vCPUs together. Writes that are lost leave no trace to
    /// count.
    record Unhandled(LongAdder portReads, LongAdder mmioReads) {
        Unhandled() {
            this(new LongAdder(), new LongAdder());
        }
    }

    VcpuExits(Bus ports, Bus mmio, PcInterrupts interrupts, int index, Unhandled unhandled) {
        this.ports = ports;
        this.mmio = mmio;
        this.interrupts = interrupts;
        this.index = index;
        this.unhandled = unhandled;
        localApic = interrupts.localApicPage(index);
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
        if ((gpa & PAGE_MASK) == interrupts.localApicGpa(index)) {
            return localApic.read(gpa & ~PAGE_MASK, size);
        }
        long value = mmio.read(gpa, size);
        if (isAllOnes(value, size)) {
            count(mmio, gpa, unhandled.mmioReads);
        }
        return value;
    }

    @Override
    public void writeMmio(long gpa, int size, long value) {
        if ((gpa & PAGE_MASK) == interrupts.localApicGpa(index)) {
            localApic.write(gpa & ~PAGE_MASK, size, value);
        } else {
            mmio.write(gpa, size, value);
        }
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

package org.jvirt.machine;

import org.jvirt.core.ExitHandler;
import org.jvirt.core.IoDevice;
import org.jvirt.devices.interrupt.PcInterrupts;

/// What lies outside a vCPU that has none of its own interrupt controllers: its local APIC's page first, then the
/// machine's buses. Called on that vCPU's thread.
final class LocalApicExits implements ExitHandler {
    private static final long PAGE_MASK = -4096L;

    private final BusExits buses;
    private final PcInterrupts interrupts;
    private final int index;
    private final IoDevice localApic;

    LocalApicExits(BusExits buses, PcInterrupts interrupts, int index) {
        this.buses = buses;
        this.interrupts = interrupts;
        this.index = index;
        localApic = interrupts.localApicPage(index);
    }

    @Override
    public long readPort(int port, int size) {
        return buses.readPort(port, size);
    }

    @Override
    public void writePort(int port, int size, long value) {
        buses.writePort(port, size, value);
    }

    @Override
    public long readMmio(long gpa, int size) {
        return (gpa & PAGE_MASK) == interrupts.localApicGpa(index)
                ? localApic.read(gpa & ~PAGE_MASK, size)
                : buses.readMmio(gpa, size);
    }

    @Override
    public void writeMmio(long gpa, int size, long value) {
        if ((gpa & PAGE_MASK) == interrupts.localApicGpa(index)) {
            localApic.write(gpa & ~PAGE_MASK, size, value);
        } else {
            buses.writeMmio(gpa, size, value);
        }
    }
}

package org.jvirt.devices.virtio;

import java.util.List;

final class GuestSplitRing extends GuestRing {
    private int nextDescriptor;
    private int available;
    private int kicked;
    private int used;
    private final long tables;

    GuestSplitRing(
            GuestDriver driver,
            int index,
            int size,
            long kick,
            boolean eventIndex,
            long descriptor,
            long avail,
            long used) {
        super(driver, index, size, kick, eventIndex, descriptor, avail, used);
        tables = driver.allocate(16L * 64 * size, 16);
    }

    @Override
    void clear() {
        driver.memory.fill(descriptor, 16L * size, (byte) 0);
        driver.memory.fill(driverArea, 6 + 2L * size, (byte) 0);
        driver.memory.fill(deviceArea, 6 + 8L * size, (byte) 0);
    }

    @Override
    int add(List<Buffer> buffers, boolean indirect) {
        int head = nextDescriptor;
        if (indirect) {
            long table = tables + 16L * 64 * head;
            for (int i = 0; i < buffers.size(); i++) {
                Buffer b = buffers.get(i);
                int more = i + 1 < buffers.size() ? 1 : 0;
                writeDescriptor(table + 16L * i, b.gpa(), b.length(), more | (b.write() ? 2 : 0), i + 1);
            }
            writeDescriptor(descriptor + 16L * head, table, 16L * buffers.size(), 4, 0);
            nextDescriptor = (head + 1) % size;
        } else {
            for (int i = 0; i < buffers.size(); i++) {
                Buffer b = buffers.get(i);
                int at = (head + i) % size;
                int more = i + 1 < buffers.size() ? 1 : 0;
                writeDescriptor(
                        descriptor + 16L * at, b.gpa(), b.length(), more | (b.write() ? 2 : 0), (at + 1) % size);
            }
            nextDescriptor = (head + buffers.size()) % size;
        }
        offer(head);
        return head;
    }

    /// Puts a head into the available ring as it is.
    void offer(int head) {
        driver.memory.writeShort(driverArea + 4 + 2L * (available % size), head);
        available = available + 1 & 0xffff;
        driver.memory.writeShort(driverArea + 2, available);
    }

    @Override
    Used poll() {
        if (driver.memory.readShort(deviceArea + 2) == used) {
            return null;
        }
        long at = deviceArea + 4 + 8L * (used % size);
        used = used + 1 & 0xffff;
        if (eventIndex) {
            driver.memory.writeShort(driverArea + 4 + 2L * size, used);
        }
        return new Used(driver.memory.readInt(at), driver.memory.readInt(at + 4) & 0xffff_ffffL);
    }

    @Override
    boolean mustKick() {
        int old = kicked;
        kicked = available;
        if (!eventIndex) {
            return (driver.memory.readShort(deviceArea) & 1) == 0;
        }
        int event = driver.memory.readShort(deviceArea + 4 + 8L * size);
        return (available - event - 1 & 0xffff) < (available - old & 0xffff);
    }
}

package org.jvirt.devices.virtio;

import java.util.HashMap;
import java.util.List;
import java.util.Map;

final class GuestPackedRing extends GuestRing {
    private int next;
    private boolean wrap = true;
    private int used;
    private boolean usedWrap = true;
    private int nextId;
    private int addedSinceKick;
    private final Map<Integer, Integer> entries = new HashMap<>();
    private final long tables;

    GuestPackedRing(
            GuestDriver driver, int index, int size, long kick, boolean eventIndex, long ring, long area, long device) {
        super(driver, index, size, kick, eventIndex, ring, area, device);
        tables = driver.allocate(16L * 64 * size, 16);
    }

    @Override
    void clear() {
        driver.memory.fill(descriptor, 16L * size, (byte) 0);
        driver.memory.writeInt(driverArea, 0);
        driver.memory.writeInt(deviceArea, 0);
    }

    private int ownership() {
        return wrap ? 0x80 : 0x8000;
    }

    @Override
    int add(List<Buffer> buffers, boolean indirect) {
        int id = nextId;
        nextId = (nextId + 1) % size;
        int first = next;
        int firstFlags = 0;
        int count = indirect ? 1 : buffers.size();
        if (indirect) {
            long table = tables + 16L * 64 * id;
            for (int i = 0; i < buffers.size(); i++) {
                Buffer b = buffers.get(i);
                writeDescriptor(table + 16L * i, b.gpa(), b.length(), 0, b.write() ? 2 : 0);
            }
            writeDescriptor(descriptor + 16L * first, table, 16L * buffers.size(), id, 0);
            firstFlags = 4 | ownership();
            advance();
        } else {
            for (int i = 0; i < buffers.size(); i++) {
                Buffer b = buffers.get(i);
                int flags = ownership() | (b.write() ? 2 : 0) | (i + 1 < buffers.size() ? 1 : 0);
                long at = descriptor + 16L * next;
                driver.memory.writeLong(at, b.gpa());
                driver.memory.writeInt(at + 8, (int) b.length());
                driver.memory.writeShort(at + 12, id);
                if (i == 0) {
                    firstFlags = flags;
                } else {
                    driver.memory.writeShort(at + 14, flags);
                }
                advance();
            }
        }
        driver.memory.writeShort(descriptor + 16L * first + 14, firstFlags);
        entries.put(id, count);
        addedSinceKick += count;
        return id;
    }

    private void advance() {
        next++;
        if (next == size) {
            next = 0;
            wrap = !wrap;
        }
    }

    @Override
    Used poll() {
        long at = descriptor + 16L * used;
        int flags = driver.memory.readShort(at + 14);
        boolean avail = (flags & 0x80) != 0;
        boolean done = (flags & 0x8000) != 0;
        if (avail != done || done != usedWrap) {
            return null;
        }
        int id = driver.memory.readShort(at + 12);
        Integer count = entries.remove(id);
        if (count == null) {
            throw new AssertionError("Buffer id %d is not out".formatted(id));
        }
        used += count;
        if (used >= size) {
            used -= size;
            usedWrap = !usedWrap;
        }
        if (eventIndex) {
            driver.memory.writeShort(driverArea, used | (usedWrap ? 0x8000 : 0));
            driver.memory.writeShort(driverArea + 2, 2);
        }
        return new Used(id, driver.memory.readInt(at + 8) & 0xffff_ffffL);
    }

    @Override
    boolean mustKick() {
        int added = addedSinceKick;
        addedSinceKick = 0;
        int flags = driver.memory.readShort(deviceArea + 2) & 3;
        if (flags != 2) {
            return flags == 0;
        }
        int event = driver.memory.readShort(deviceArea);
        int distance = next - (event & 0x7fff) + ((event & 0x8000) != 0 == wrap ? 0 : size);
        return distance > 0 && distance <= added;
    }
}

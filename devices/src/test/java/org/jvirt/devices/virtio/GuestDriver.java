package org.jvirt.devices.virtio;

import org.jvirt.core.GuestMemory;
import org.jvirt.devices.pci.PciAddress;

/// A guest's virtio driver, up to the queues: it finds the registers through capabilities and brings the device up.
public final class GuestDriver {
    static final long MSI_ADDRESS = 0xfee0_0000L;

    final GuestPci pci;
    final PciAddress at;
    final GuestMemory memory;
    final long common;
    final long notify;
    final long isr;
    final long deviceConfig;
    final long msixTable;
    private final int notifyMultiplier;
    private final int msix;
    private long features;
    private long nextFree = 0x10_0000;

    public GuestDriver(GuestPci pci, PciAddress at, GuestMemory memory) {
        this.pci = pci;
        this.at = at;
        this.memory = memory;
        long[] parts = new long[6];
        int multiplier = 0;
        for (int cap = pci.capability(at, 9, 0); cap != 0; cap = pci.capability(at, 9, cap)) {
            int type = (int) pci.read(at, cap + 3, 1);
            if (type == 5) {
                continue;
            }
            parts[type] = pci.bar(at, (int) pci.read(at, cap + 4, 1)) + pci.read(at, cap + 8, 4);
            if (type == 2) {
                multiplier = (int) pci.read(at, cap + 16, 4);
            }
        }
        common = parts[1];
        notify = parts[2];
        isr = parts[3];
        deviceConfig = parts[4];
        notifyMultiplier = multiplier;
        msix = pci.capability(at, 0x11, 0);
        msixTable = pci.bar(at, (int) pci.read(at, msix + 4, 1) & 7) + (pci.read(at, msix + 4, 4) & ~7L);
        pci.write(at, 4, 2, pci.read(at, 4, 2) | 4);
    }

    /// Switches MSI-X on; vector n carries data 0x40 + n.
    public void enableMsix(int vectors) {
        for (int vector = 0; vector < vectors; vector++) {
            long entry = msixTable + 16L * vector;
            pci.mmio.write(entry, 4, MSI_ADDRESS);
            pci.mmio.write(entry + 4, 4, 0);
            pci.mmio.write(entry + 8, 4, 0x40 + vector);
            pci.mmio.write(entry + 12, 4, 0);
        }
        pci.write(at, msix + 2, 2, 0x8000);
    }

    public long offered() {
        long value = 0;
        for (int half = 0; half < 2; half++) {
            pci.mmio.write(common, 4, half);
            value |= pci.mmio.read(common + 4, 4) << 32 * half;
        }
        return value;
    }

    public int status() {
        return (int) pci.mmio.read(common + 0x14, 1);
    }

    public void setStatus(int value) {
        pci.mmio.write(common + 0x14, 1, value);
    }

    public void reset() {
        setStatus(0);
        while (status() != 0) {
            Thread.onSpinWait();
        }
        nextFree = 0x10_0000;
    }

    /// Up to FEATURES_OK. Answers whether the device agreed.
    public boolean negotiate(long wanted) {
        setStatus(0);
        setStatus(1);
        setStatus(3);
        features = wanted;
        for (int half = 0; half < 2; half++) {
            pci.mmio.write(common + 8, 4, half);
            pci.mmio.write(common + 12, 4, wanted >>> 32 * half & 0xffff_ffffL);
        }
        setStatus(0xb);
        return (status() & 8) != 0;
    }

    public void driverOk() {
        setStatus(0xf);
    }

    public boolean needsReset() {
        return (status() & 64) != 0;
    }

    public GuestRing queue(int index, int size, int vector) {
        return ring(
                index, size, vector, allocate(16L * size, 16), allocate(6 + 2L * size, 4), allocate(6 + 8L * size, 4));
    }

    public GuestRing ring(int index, int size, int vector, long descriptor, long driver, long device) {
        pci.mmio.write(common + 0x16, 2, index);
        pci.mmio.write(common + 0x18, 2, size);
        pci.mmio.write(common + 0x1a, 2, vector);
        pci.mmio.write(common + 0x20, 4, descriptor & 0xffff_ffffL);
        pci.mmio.write(common + 0x24, 4, descriptor >>> 32);
        pci.mmio.write(common + 0x28, 8, driver);
        pci.mmio.write(common + 0x30, 8, device);
        long kick = notify + pci.mmio.read(common + 0x1e, 2) * notifyMultiplier;
        boolean packed = (features & VirtioFeature.VIRTIO_F_RING_PACKED) != 0;
        boolean eventIndex = (features & VirtioFeature.VIRTIO_F_EVENT_IDX) != 0;
        GuestRing ring = packed
                ? new GuestPackedRing(this, index, size, kick, eventIndex, descriptor, driver, device)
                : new GuestSplitRing(this, index, size, kick, eventIndex, descriptor, driver, device);
        ring.clear();
        pci.mmio.write(common + 0x1c, 2, 1);
        return ring;
    }

    public long allocate(long bytes, int alignment) {
        long found = nextFree + alignment - 1 & -alignment;
        nextFree = found + bytes;
        return found;
    }
}

package org.jvirt.devices.virtio;

import org.jvirt.core.IoDevice;
import org.jvirt.devices.virtio.VirtioCore.QueueField;
import org.jvirt.devices.virtio.VirtioCore.Selector;

/// The common configuration structure, `virtio_pci_common_cfg` (virtio §4.1.4.3).
///
/// Drivers access each field with its own width, the 64-bit ones in two halves. A wider access that covers several
/// fields is served field by field; parts of a field read as parts, and writing them is ignored.
final class CommonRegisters implements IoDevice {
    static final int BYTES = 0x3c;

    private final VirtioCore core;

    CommonRegisters(VirtioCore core) {
        this.core = core;
    }

    /// Offset, then size, of every field.
    private static int start(int offset) {
        return switch (offset) {
            case 0x14 -> 0x14; // device_status
            case 0x15 -> 0x15; // config_generation
            default -> offset < 0x10 || offset >= 0x20 && offset < 0x38 ? offset & ~3 : offset & ~1;
        };
    }

    private static int size(int start) {
        if (start == 0x14 || start == 0x15) {
            return 1;
        }
        return start < 0x10 || start >= 0x20 && start < 0x38 ? 4 : 2;
    }

    @Override
    public long read(long offset, int size) {
        long value = 0;
        int at = (int) offset;
        int end = at + size;
        while (at < end) {
            int start = start(at);
            int taken = Math.min(end, start + size(start)) - at;
            long part = field(start) >>> 8 * (at - start);
            part &= taken == 4 ? 0xffff_ffffL : (1L << 8 * taken) - 1;
            value |= part << 8 * (at - (int) offset);
            at += taken;
        }
        return value;
    }

    private long field(int start) {
        return switch (start) {
            case 0x00 -> core.selected(Selector.DEVICE_FEATURES);
            case 0x04 -> core.readDeviceFeatures();
            case 0x08 -> core.selected(Selector.DRIVER_FEATURES);
            case 0x0c -> core.readDriverFeatures();
            case 0x10 -> core.configVector();
            case 0x12 -> core.queueCount();
            case 0x14 -> core.status();
            case 0x15 -> core.configGeneration();
            case 0x16 -> core.selected(Selector.QUEUE);
            case 0x18 -> core.readQueue(QueueField.SIZE);
            case 0x1a -> core.readQueue(QueueField.VECTOR);
            case 0x1c -> core.readQueue(QueueField.ENABLE);
            case 0x1e -> core.readQueue(QueueField.NOTIFY_OFFSET);
            case 0x20 -> core.readQueue(QueueField.DESCRIPTOR) & 0xffff_ffffL;
            case 0x24 -> core.readQueue(QueueField.DESCRIPTOR) >>> 32;
            case 0x28 -> core.readQueue(QueueField.DRIVER) & 0xffff_ffffL;
            case 0x2c -> core.readQueue(QueueField.DRIVER) >>> 32;
            case 0x30 -> core.readQueue(QueueField.DEVICE) & 0xffff_ffffL;
            case 0x34 -> core.readQueue(QueueField.DEVICE) >>> 32;
            default -> 0;
        };
    }

    @Override
    public void write(long offset, int size, long value) {
        int at = (int) offset;
        int end = at + size;
        while (at < end) {
            int start = start(at);
            int width = size(start);
            if (at == start && start + width <= end) {
                long part = value >>> 8 * (at - (int) offset);
                set(start, part & (1L << 8 * width) - 1);
            }
            at = start + width;
        }
    }

    private void set(int start, long value) {
        switch (start) {
            case 0x00 -> core.select(Selector.DEVICE_FEATURES, value);
            case 0x08 -> core.select(Selector.DRIVER_FEATURES, value);
            case 0x0c -> core.writeDriverFeatures(value);
            case 0x10 -> core.writeConfigVector((int) value);
            case 0x14 -> core.writeStatus((int) value);
            case 0x16 -> core.select(Selector.QUEUE, value);
            case 0x18 -> core.writeQueue(QueueField.SIZE, value);
            case 0x1a -> core.writeQueue(QueueField.VECTOR, value);
            case 0x1c -> core.writeQueue(QueueField.ENABLE, value);
            case 0x20 -> core.writeQueue(QueueField.DESCRIPTOR, low(QueueField.DESCRIPTOR, value));
            case 0x24 -> core.writeQueue(QueueField.DESCRIPTOR, high(QueueField.DESCRIPTOR, value));
            case 0x28 -> core.writeQueue(QueueField.DRIVER, low(QueueField.DRIVER, value));
            case 0x2c -> core.writeQueue(QueueField.DRIVER, high(QueueField.DRIVER, value));
            case 0x30 -> core.writeQueue(QueueField.DEVICE, low(QueueField.DEVICE, value));
            case 0x34 -> core.writeQueue(QueueField.DEVICE, high(QueueField.DEVICE, value));
            default -> {
                // read-only or reserved
            }
        }
    }

    private long low(QueueField field, long value) {
        return core.readQueue(field) & ~0xffff_ffffL | value;
    }

    private long high(QueueField field, long value) {
        return core.readQueue(field) & 0xffff_ffffL | value << 32;
    }
}

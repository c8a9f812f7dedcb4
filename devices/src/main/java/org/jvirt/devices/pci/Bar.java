package org.jvirt.devices.pci;

import org.jspecify.annotations.Nullable;
import org.jvirt.core.Bus;
import org.jvirt.core.IoDevice;

/// One base address register and what stands behind it. Guarded by [PciHost]'s lock.
final class Bar {
    private static final long UNMAPPED = -1;
    private static final long PORTS = 0x1_0000;

    private final String name;
    private final int index;
    private final BarKind kind;
    private final long sizeBytes;
    private final IoDevice device;
    private final Listener listener;
    private final GuestErrors errors;
    private long wanted = UNMAPPED;
    private Bus.@Nullable Mapping mapping;

    /// Whom to tell where guest accesses arrive.
    interface Listener {
        void shown(int index, long address);

        void hidden(int index);
    }

    Bar(String name, int index, BarKind kind, long sizeBytes, IoDevice device, Listener listener, GuestErrors errors) {
        if (Long.bitCount(sizeBytes) != 1 || sizeBytes < kind.smallestSize()) {
            throw new IllegalArgumentException("BAR %d: %d bytes is not a power of two".formatted(index, sizeBytes));
        }
        this.name = name;
        this.index = index;
        this.kind = kind;
        this.sizeBytes = sizeBytes;
        this.device = device;
        this.listener = listener;
        this.errors = errors;
    }

    int index() {
        return index;
    }

    BarKind kind() {
        return kind;
    }

    long sizeBytes() {
        return sizeBytes;
    }

    int register() {
        return ConfigSpace.BAR0 + 4 * index;
    }

    int registerBytes() {
        return kind.wide() ? 8 : 4;
    }

    IoDevice device() {
        return device;
    }

    void declare(ConfigSpace config) {
        config.set(register(), registerBytes(), kind.typeBits());
        config.allow(register(), registerBytes(), -sizeBytes & ~(long) kind.typeMask());
    }

    /// Where the guest wants it, or [#UNMAPPED]: decoding off, address 0, or beyond what the bus can address.
    private long address(ConfigSpace config) {
        long command = config.read(ConfigSpace.COMMAND, 2);
        int enable = kind == BarKind.IO ? PciFunction.COMMAND_IO : PciFunction.COMMAND_MEMORY;
        if ((command & enable) == 0) {
            return UNMAPPED;
        }
        long address = config.read(register(), registerBytes()) & ~(long) kind.typeMask() & -sizeBytes;
        long limit = switch (kind) {
            case IO -> PORTS;
            // The last byte below 4 GiB is the reset vector's ROM; a BAR being sized must not cover it.
            case MEMORY_32 -> (1L << 32) - 1;
            case MEMORY_64, MEMORY_64_PREFETCHABLE -> 1L << 52;
        };
        boolean sizing = kind.wide() && address >>> 32 == 0 && address + sizeBytes > (1L << 32) - 1;
        if (address == 0 || sizing || address < 0 || address > limit - sizeBytes) {
            return UNMAPPED;
        }
        return address;
    }

    /// Follows the registers. Answers whether a place on the bus became free.
    boolean update(ConfigSpace config, Bus bus) {
        long address = address(config);
        if (address == wanted) {
            return false;
        }
        boolean freed = hide(bus);
        wanted = address;
        if (!tryMap(bus)) {
            errors.report(() -> "BAR %d at 0x%x stays hidden: the range is taken".formatted(index, address));
        }
        return freed;
    }

    private boolean hide(Bus bus) {
        Bus.Mapping old = mapping;
        if (old == null) {
            return false;
        }
        bus.unmap(old);
        mapping = null;
        listener.hidden(index);
        return true;
    }

    /// Maps a BAR that lost its place to something else, if that has gone.
    boolean tryMap(Bus bus) {
        if (mapping != null || wanted == UNMAPPED) {
            return true;
        }
        try {
            mapping = bus.map(name, wanted, sizeBytes, device);
        } catch (IllegalArgumentException taken) {
            return false;
        }
        listener.shown(index, wanted);
        return true;
    }

    /// Whether guest accesses arrive now.
    boolean visible() {
        return mapping != null;
    }
}

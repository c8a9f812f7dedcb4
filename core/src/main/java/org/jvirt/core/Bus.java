package org.jvirt.core;

import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// An address space of device registers: the ports, or the memory-mapped ones.
///
/// Lookups take no lock and allocate nothing: they search an immutable sorted array that a change replaces as a
/// whole. Where nothing answers, reads give all ones and writes are lost, as on a PC. An access that straddles two
/// devices is split to bytes. Thread-safe.
public final class Bus {
    private final String name;
    private volatile Mapping[] mappings = {};

    /// One device's place.
    ///
    /// @param start  first address
    /// @param length in bytes
    public record Mapping(String name, long start, long length, IoDevice device) {
        public Mapping {
            if (length <= 0 || start < 0 || start + length < 0) {
                throw new IllegalArgumentException("%s: bad range 0x%x+0x%x".formatted(name, start, length));
            }
        }

        boolean contains(long address) {
            return address - start >= 0 && address - start < length;
        }

        long end() {
            return start + length;
        }
    }

    public Bus(String name) {
        this.name = name;
    }

    /// Adds a device.
    ///
    /// @throws IllegalArgumentException if the range overlaps another one
    public synchronized Mapping map(String deviceName, long start, long length, IoDevice device) {
        var added = new Mapping(deviceName, start, length, device);
        for (Mapping other : mappings) {
            if (start < other.end() && other.start < added.end()) {
                throw new IllegalArgumentException("%s: %s at 0x%x–0x%x overlaps %s at 0x%x–0x%x"
                        .formatted(name, deviceName, start, added.end() - 1, other.name, other.start, other.end() - 1));
            }
        }
        Mapping[] next = Arrays.copyOf(mappings, mappings.length + 1);
        next[mappings.length] = added;
        Arrays.sort(next, Comparator.comparingLong(Mapping::start));
        mappings = next;
        return added;
    }

    /// Takes a device away; unknown mappings are ignored, so that a BAR can be moved twice.
    @SuppressWarnings("ReferenceEquality") // this very mapping, not one like it
    public synchronized void unmap(Mapping mapping) {
        mappings = Arrays.stream(mappings).filter(m -> m != mapping).toArray(Mapping[]::new);
    }

    /// What is mapped now, by address.
    public List<Mapping> mappings() {
        return List.of(mappings);
    }

    public long read(long address, int size) {
        Mapping mapping = find(address);
        if (mapping != null && address - mapping.start <= mapping.length - size) {
            return mapping.device.read(address - mapping.start, size) & mask(size);
        }
        return readSplit(address, size);
    }

    public void write(long address, int size, long value) {
        Mapping mapping = find(address);
        if (mapping != null && address - mapping.start <= mapping.length - size) {
            mapping.device.write(address - mapping.start, size, value & mask(size));
        } else if (size > 1) {
            for (int i = 0; i < size; i++) {
                write(address + i, 1, value >>> (8 * i));
            }
        }
    }

    private long readSplit(long address, int size) {
        if (size == 1) {
            return 0xff;
        }
        long value = 0;
        for (int i = 0; i < size; i++) {
            value |= read(address + i, 1) << (8 * i);
        }
        return value;
    }

    private @Nullable Mapping find(long address) {
        Mapping[] all = mappings;
        int low = 0;
        int high = all.length - 1;
        while (low <= high) {
            int middle = (low + high) >>> 1;
            Mapping m = all[middle];
            if (address < m.start) {
                high = middle - 1;
            } else if (!m.contains(address)) {
                low = middle + 1;
            } else {
                return m;
            }
        }
        return null;
    }

    private static long mask(int size) {
        return size == 8 ? -1L : (1L << (8 * size)) - 1;
    }
}

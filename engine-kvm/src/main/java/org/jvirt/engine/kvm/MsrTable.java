package org.jvirt.engine.kvm;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jvirt.linux.DeviceFile;

/// The model-specific registers that hold a vCPU's state on this host: which there are, and what they hold at
/// power-on.
///
/// The list is KVM's own and the MTRRs, without what other records hold (EFER, the APIC's) and what is time. A
/// register that this vCPU, with its CPUID table, does not have is found out by asking.
///
/// `struct kvm_msrs`: count, padding, then index, reserved, 64 bits of data for each.
final class MsrTable {
    static final int IA32_TSC = 0x10;
    static final int IA32_APIC_BASE = 0x1B;
    static final int IA32_TSC_ADJUST = 0x3B;
    static final int IA32_TSC_DEADLINE = 0x6E0;
    private static final int EFER = 0xC000_0080;
    /// Hyper-V's: guest time, in units of 100 ns.
    private static final int HV_TIME_REF_COUNT = 0x4000_0020;

    private static final int MTRR_VARIABLE = 0x200;
    private static final int MTRR_VARIABLE_COUNT = 16;
    private static final Set<Integer> MTRR_FIXED =
            Set.of(0x250, 0x258, 0x259, 0x268, 0x269, 0x26A, 0x26B, 0x26C, 0x26D, 0x26E, 0x26F, 0x2FF);
    private static final Set<Integer> ELSEWHERE =
            Set.of(IA32_TSC, IA32_APIC_BASE, IA32_TSC_DEADLINE, EFER, 0xC000_0100, 0xC000_0101, HV_TIME_REF_COUNT);
    /// Performance counters: a guest that moves does not keep counts of another processor.
    private static final int[][] COUNTERS = {
        {0xC1, 0xC8},
        {0x186, 0x18D},
        {0x309, 0x30B},
        {0x38D, 0x390},
        {0x4C1, 0x4C8},
        {0xC001_0000, 0xC001_0007},
        {0xC001_0200, 0xC001_020B},
        {0xC000_0300, 0xC000_0303},
        {0x345, 0x345},
        {0x3F1, 0x3F2},
        {0x600, 0x600}
    };

    private static final int HEADER_BYTES = 8;
    private static final int ENTRY_BYTES = 16;
    private static final int MAX_INDICES = 2000;

    private final int[] indices;
    private final SortedMap<Integer, Long> powerOn;

    private MsrTable(int[] indices, SortedMap<Integer, Long> powerOn) {
        this.indices = indices;
        this.powerOn = powerOn;
    }

    /// Asks a vCPU in its power-on state, with its CPUID table set.
    static MsrTable of(DeviceFile kvm, DeviceFile vcpu) {
        var candidates = new TreeSet<Integer>(Integer::compareUnsigned);
        for (int index : listed(kvm)) {
            if (!ELSEWHERE.contains(index) && !isCounter(index)) {
                candidates.add(index);
            }
        }
        for (int i = 0; i < MTRR_VARIABLE_COUNT; i++) {
            candidates.add(MTRR_VARIABLE + i);
        }
        candidates.addAll(MTRR_FIXED);
        var found = new TreeMap<Integer, Long>();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment one = arena.allocate(HEADER_BYTES + ENTRY_BYTES, 8);
            for (int index : candidates) {
                one.set(JAVA_INT, 0, 1);
                one.set(JAVA_INT, HEADER_BYTES, index);
                if (vcpu.tryIoctl(Ioctls.KVM_GET_MSRS, one) == 1) {
                    found.put(index, one.get(JAVA_LONG, HEADER_BYTES + 8));
                }
            }
        }
        return new MsrTable(found.keySet().stream().mapToInt(i -> i).toArray(), found);
    }

    private static int[] listed(DeviceFile kvm) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment list = arena.allocate(4 + 4L * MAX_INDICES, 8);
            list.set(JAVA_INT, 0, MAX_INDICES);
            kvm.ioctl("KVM_GET_MSR_INDEX_LIST", Ioctls.KVM_GET_MSR_INDEX_LIST, list);
            return list.asSlice(4, 4L * list.get(JAVA_INT, 0)).toArray(JAVA_INT);
        }
    }

    private static boolean isCounter(int index) {
        for (int[] range : COUNTERS) {
            if (Integer.compareUnsigned(index, range[0]) >= 0 && Integer.compareUnsigned(index, range[1]) <= 0) {
                return true;
            }
        }
        return false;
    }

    /// All of them as they are now.
    SortedMap<Integer, Long> read(DeviceFile vcpu) {
        var values = new TreeMap<Integer, Long>();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment list = arena.allocate(HEADER_BYTES + (long) ENTRY_BYTES * Math.max(1, indices.length), 8);
            int first = 0;
            // KVM stops at a register that has gone; the rest is asked for again.
            while (first < indices.length) {
                list.set(JAVA_INT, 0, indices.length - first);
                for (int i = first; i < indices.length; i++) {
                    list.set(JAVA_INT, at(i - first), indices[i]);
                }
                int read = vcpu.ioctl("KVM_GET_MSRS", Ioctls.KVM_GET_MSRS, list);
                for (int i = 0; i < read; i++) {
                    values.put(list.get(JAVA_INT, at(i)), list.get(JAVA_LONG, at(i) + 8));
                }
                first += read + 1;
            }
        }
        return values;
    }

    /// Sets all of them: to what `saved` says, else to what they hold at power-on. Those of `saved` that do not
    /// exist here, or do not take the value, are left out.
    void write(DeviceFile vcpu, Map<Integer, Long> saved) {
        var all = new TreeMap<>(powerOn);
        saved.forEach((index, value) -> all.computeIfPresent(index, (i, old) -> value));
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment list = arena.allocate(HEADER_BYTES + (long) ENTRY_BYTES * Math.max(1, all.size()), 8);
            int[] order = all.keySet().stream().mapToInt(i -> i).toArray();
            long[] values = all.values().stream().mapToLong(v -> v).toArray();
            int first = 0;
            while (first < order.length) {
                list.set(JAVA_INT, 0, order.length - first);
                for (int i = first; i < order.length; i++) {
                    list.set(JAVA_INT, at(i - first), order[i]);
                    list.set(JAVA_LONG, at(i - first) + 8, values[i]);
                }
                first += vcpu.ioctl("KVM_SET_MSRS", Ioctls.KVM_SET_MSRS, list) + 1;
            }
        }
    }

    private static long at(int entry) {
        return HEADER_BYTES + (long) ENTRY_BYTES * entry;
    }

    /// Reads one register, which must exist.
    static long get(DeviceFile vcpu, int index) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment one = arena.allocate(HEADER_BYTES + ENTRY_BYTES, 8);
            one.set(JAVA_INT, 0, 1);
            one.set(JAVA_INT, HEADER_BYTES, index);
            return vcpu.tryIoctl(Ioctls.KVM_GET_MSRS, one) == 1 ? one.get(JAVA_LONG, HEADER_BYTES + 8) : 0;
        }
    }

    /// Sets one register.
    ///
    /// @return whether KVM takes it
    static boolean set(DeviceFile vcpu, int index, long value) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment one = arena.allocate(HEADER_BYTES + ENTRY_BYTES, 8);
            one.set(JAVA_INT, 0, 1);
            one.set(JAVA_INT, HEADER_BYTES, index);
            one.set(JAVA_LONG, HEADER_BYTES + 8, value);
            return vcpu.tryIoctl(Ioctls.KVM_SET_MSRS, one) == 1;
        }
    }
}

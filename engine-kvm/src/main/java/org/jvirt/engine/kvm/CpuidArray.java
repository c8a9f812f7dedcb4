package org.jvirt.engine.kvm;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.jvirt.core.cpu.CpuidLeaf;
import org.jvirt.core.cpu.CpuidTable;
import org.jvirt.linux.DeviceFile;
import org.jvirt.linux.Errno;
import org.jvirt.linux.SystemCallException;

/// `struct kvm_cpuid2`: CPUID leaves as KVM takes and gives them.
///
/// ```
/// 0 nent   4 padding   8 + 40·i: function, index, flags, eax, ebx, ecx, edx, 12 bytes of padding
/// ```
final class CpuidArray {
    private static final int HEADER_BYTES = 8;
    private static final int ENTRY_BYTES = 40;
    private static final int MAX_ENTRIES = 256;
    private static final int SIGNIFICANT_INDEX = 1;

    private CpuidArray() {}

    /// Asks for a list of leaves.
    static List<CpuidLeaf> read(DeviceFile from, String call, long request) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment list = arena.allocate(HEADER_BYTES + (long) ENTRY_BYTES * MAX_ENTRIES, 8);
            list.set(JAVA_INT, 0, MAX_ENTRIES);
            from.ioctl(call, request, list);
            var leaves = new ArrayList<CpuidLeaf>();
            for (int i = 0; i < list.get(JAVA_INT, 0); i++) {
                long at = HEADER_BYTES + (long) ENTRY_BYTES * i;
                leaves.add(new CpuidLeaf(
                        list.get(JAVA_INT, at),
                        list.get(JAVA_INT, at + 4),
                        list.get(JAVA_INT, at + 12),
                        list.get(JAVA_INT, at + 16),
                        list.get(JAVA_INT, at + 20),
                        list.get(JAVA_INT, at + 24)));
            }
            return leaves;
        }
    }

    /// Tells a vCPU what CPUID answers: the machine's table, with the APIC id of this vCPU.
    static void write(DeviceFile vcpu, CpuidTable table, int apicId) {
        List<CpuidLeaf> leaves = table.leaves();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment list = arena.allocate(HEADER_BYTES + (long) ENTRY_BYTES * leaves.size(), 8);
            list.set(JAVA_INT, 0, leaves.size());
            for (int i = 0; i < leaves.size(); i++) {
                CpuidLeaf leaf = withApicId(leaves.get(i), apicId);
                long at = HEADER_BYTES + (long) ENTRY_BYTES * i;
                list.set(JAVA_INT, at, leaf.function());
                list.set(JAVA_INT, at + 4, leaf.index());
                list.set(JAVA_INT, at + 8, looksAtIndex(leaf.function()) ? SIGNIFICANT_INDEX : 0);
                list.set(JAVA_INT, at + 12, leaf.eax());
                list.set(JAVA_INT, at + 16, leaf.ebx());
                list.set(JAVA_INT, at + 20, leaf.ecx());
                list.set(JAVA_INT, at + 24, leaf.edx());
            }
            int result = vcpu.tryIoctl(Ioctls.KVM_SET_CPUID2, list);
            if (result < 0) {
                var failure = new SystemCallException("do KVM_SET_CPUID2 on " + vcpu, -result);
                if (failure.errno() == Errno.E2BIG) {
                    throw new SystemCallException(
                            "give %s %d CPUID leaves".formatted(vcpu, leaves.size()), -result, "; KVM takes up to 256");
                }
                throw failure;
            }
        }
    }

    /// The leaves that carry the id of the processor that asks. Source: Intel SDM volume 2, CPUID; AMD APM volume
    /// 3,
    /// E.4.
    private static CpuidLeaf withApicId(CpuidLeaf leaf, int id) {
        return switch (leaf.function()) {
            case 1 ->
                new CpuidLeaf(1, leaf.index(), leaf.eax(), leaf.ebx() & 0xFF_FFFF | id << 24, leaf.ecx(), leaf.edx());
            case 0xB, 0x1F -> new CpuidLeaf(leaf.function(), leaf.index(), leaf.eax(), leaf.ebx(), leaf.ecx(), id);
            case 0x8000_001E -> new CpuidLeaf(leaf.function(), leaf.index(), id, leaf.ebx(), leaf.ecx(), leaf.edx());
            default -> leaf;
        };
    }

    private static boolean looksAtIndex(int function) {
        return switch (function) {
            case 4, 7, 0xB, 0xD, 0xF, 0x10, 0x12, 0x14, 0x17, 0x18, 0x1D, 0x1E, 0x1F, 0x8000_001D, 0x8000_0026 -> true;
            default -> false;
        };
    }
}

package org.jvirt.engine.kvm;

import java.util.ArrayList;
import java.util.List;
import java.util.function.IntUnaryOperator;
import org.jvirt.core.cpu.CpuidLeaf;

/// Hyper-V's enlightenments for Windows guests: which of those that KVM offers are shown.
///
/// All are shown but nested virtualization's and the debugger's.
///
/// Source: Microsoft, Hypervisor Top Level Functional Specification 6.0b, 2.4; Linux, `asm/hyperv-tlfs.h`.
final class HyperV {
    static final int FIRST_LEAF = 0x4000_0000;
    /// Where KVM's own leaves go when Hyper-V's come first.
    static final int KVM_OFFSET = 0x100;

    private static final int LAST_LEAF = 0x4000_0005;
    static final int FEATURES = 0x4000_0003;
    private static final int RECOMMENDATIONS = 0x4000_0004;
    /// `AccessSynicRegs` of leaf 0x4000_0003 EAX.
    private static final int ACCESS_SYNIC = 1 << 2;
    private static final int DEBUGGER = 1 << 1 | 1 << 11 | 1 << 14;
    /// Direct calls of nested hypervisors, and the enlightened VMCS.
    private static final int NESTED = 1 << 14 | 1 << 17 | 1 << 20;

    private HyperV() {}

    /// What a guest is shown of `offered`.
    static List<CpuidLeaf> leaves(List<CpuidLeaf> offered) {
        var shown = new ArrayList<CpuidLeaf>();
        for (CpuidLeaf leaf : offered) {
            if (leaf.index() != 0 || leaf.function() < FIRST_LEAF || leaf.function() > LAST_LEAF) {
                continue;
            }
            IntUnaryOperator eax = switch (leaf.function()) {
                case FIRST_LEAF -> value -> LAST_LEAF;
                case RECOMMENDATIONS -> value -> value & ~NESTED;
                default -> IntUnaryOperator.identity();
            };
            int edx = leaf.function() == FEATURES ? leaf.edx() & ~DEBUGGER : leaf.edx();
            shown.add(new CpuidLeaf(leaf.function(), 0, eax.applyAsInt(leaf.eax()), leaf.ebx(), leaf.ecx(), edx));
        }
        return List.copyOf(shown);
    }

    /// Whether the guest is told of the synthetic interrupt controller, which must then be switched on.
    static boolean synic(CpuidLeaf features) {
        return features.function() == FEATURES && (features.eax() & ACCESS_SYNIC) != 0;
    }
}

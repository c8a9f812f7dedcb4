package org.jvirt.engine.soft.code;

import org.jspecify.annotations.Nullable;
import org.jvirt.engine.soft.cpu.Cpu;
import org.jvirt.engine.soft.cpu.Op;
import org.jvirt.x86.CpuFeature;
import org.jvirt.x86.Instruction;

/// The block builder's way from an instruction to its operation, for tests of single operations.
public final class OperationsForTests {
    private OperationsForTests() {}

    /// The operation, or null where the processor raises `#UD`.
    public static @Nullable Op of(Instruction insn, int nextOffset, Cpu cpu) {
        return Operations.of(insn, nextOffset, cpu.opContext());
    }

    /// Whether any guest can be given the feature.
    public static boolean offered(CpuFeature feature) {
        return switch (feature) {
            case RTM, VMX, SVM, PKU, MONITOR, MONITORX, CLZERO, WBNOINVD, SMX, GFNI, MOVDIRI, SERIALIZE, SSE4A -> false;
            default -> true;
        };
    }
}

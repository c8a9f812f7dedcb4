package org.jvirt.engine.soft.simd;

import org.jspecify.annotations.Nullable;
import org.jvirt.engine.soft.cpu.Op;
import org.jvirt.engine.soft.cpu.OpContext;
import org.jvirt.x86.Instruction;

/// The operations of all MMX, SSE and AVX instructions.
public final class SimdOps {
    private SimdOps() {}

    /// The operation for an instruction, or null if it is not a vector instruction.
    ///
    /// @param nextOffset offset of the next instruction from the first byte of the block
    public static @Nullable Op of(Instruction insn, int nextOffset, OpContext context) {
        Op op = HotIntegerOps.of(insn, nextOffset);
        op = op != null ? op : HotFpOps.of(insn, nextOffset);
        op = op != null ? op : MmxOps.of(insn, nextOffset);
        op = op != null ? op : MoveOps.of(insn, nextOffset);
        op = op != null ? op : WordOps.of(insn, nextOffset);
        op = op != null ? op : ShiftOps.of(insn, nextOffset);
        op = op != null ? op : LaneOps.of(insn, nextOffset);
        op = op != null ? op : ElementOps.of(insn, nextOffset);
        op = op != null ? op : FpOps.of(insn, nextOffset);
        op = op != null ? op : ConvertOps.of(insn, nextOffset);
        op = op != null ? op : DotProductOps.of(insn, nextOffset);
        op = op != null ? op : StringCompareOps.of(insn, nextOffset);
        op = op != null ? op : FmaOps.of(insn, nextOffset);
        op = op != null ? op : AvxOps.of(insn, nextOffset);
        op = op != null ? op : MaskedOps.of(insn, nextOffset);
        op = op != null ? op : Sse4aOps.of(insn, nextOffset);
        return op != null ? op : ControlOps.of(insn, nextOffset);
    }
}

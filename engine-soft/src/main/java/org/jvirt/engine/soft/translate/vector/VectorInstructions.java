package org.jvirt.engine.soft.translate.vector;

import org.jvirt.engine.soft.translate.emit.BlockEmitter;
import org.jvirt.x86.Instruction;
import org.jvirt.x86.OperandKind;

/// Which vector instructions the host executes itself, and their code.
public final class VectorInstructions {
    private VectorInstructions() {}

    /// What a guest instruction needs; it is one that the guest's processor has, and none of those that
    /// [X87Instructions] knows.
    public static VectorUse use(Instruction insn, HostCpu host) {
        boolean vectors = false;
        for (int i = 0; i < insn.operandCount(); i++) {
            switch (insn.kind(i)) {
                case XMM, YMM -> vectors = true;
                case MMX, X87 -> {
                    return VectorUse.UNSUPPORTED;
                }
                default -> {
                    // says nothing
                }
            }
        }
        return switch (insn.row().feature()) {
            case X87, MMX, FXSR, XSAVE, XSAVEC, XSAVEOPT, XSAVES, SSE4A, GFNI -> VectorUse.UNSUPPORTED;
            case SSE, SSE2, SSE3, SSSE3, SSE4_1, SSE4_2, AES, PCLMULQDQ, SHA ->
                use(insn, host, vectors ? VectorUse.SSE : VectorUse.NONE);
            case AVX, AVX2, F16C, FMA, AVX_AES, AVX_PCLMULQDQ -> use(insn, host, VectorUse.AVX);
            default -> VectorUse.NONE;
        };
    }

    /// @param registers what it needs if the host executes it
    private static VectorUse use(Instruction insn, HostCpu host, VectorUse registers) {
        return switch (insn.mnemonic()) {
            // the x87 instruction that came with SSE3
            case FISTTP -> VectorUse.UNSUPPORTED;
            // from memory, some processors put the x87 unit into its MMX state and some do not
            case CVTPI2PS -> VectorUse.UNSUPPORTED;
            // they may unmask exceptions
            case LDMXCSR, VLDMXCSR -> VectorUse.UNSUPPORTED;
            // each processor's own last bits: guests see the same on all
            case RCPPS, RCPSS, RSQRTPS, RSQRTSS, VRCPPS, VRCPSS, VRSQRTPS, VRSQRTSS -> VectorUse.UNSUPPORTED;
            // which of their bytes and elements are accessed depends on a mask
            case MASKMOVDQU, VMASKMOVDQU, VMASKMOVPS, VMASKMOVPD, VPMASKMOVD, VPMASKMOVQ -> VectorUse.UNSUPPORTED;
            case VGATHERDPS, VGATHERDPD, VGATHERQPS, VGATHERQPD -> VectorUse.UNSUPPORTED;
            case VPGATHERDD, VPGATHERDQ, VPGATHERQD, VPGATHERQQ -> VectorUse.UNSUPPORTED;
            case STMXCSR -> onHost(insn, host, VectorUse.SSE);
            default -> registers == VectorUse.NONE ? VectorUse.NONE : onHost(insn, host, registers);
        };
    }

    private static VectorUse onHost(Instruction insn, HostCpu host, VectorUse registers) {
        return host.has(insn.row().feature()) ? registers : VectorUse.UNSUPPORTED;
    }

    private static boolean usesUpperHalves(Instruction insn) {
        for (int i = 0; i < insn.operandCount(); i++) {
            if (insn.kind(i) == OperandKind.YMM) {
                return true;
            }
        }
        return false;
    }

    /// Writes the host code of an instruction whose [#use] is SSE or AVX; false, and nothing is written, if the
    /// interpreter must execute it after all.
    public static boolean emit(BlockEmitter out, Instruction insn) {
        boolean upper = usesUpperHalves(insn);
        if (upper) {
            VectorState.emitUpperHalves(out.code(), true);
        }
        if (!out.reencode(insn)) {
            return false;
        }
        switch (insn.mnemonic()) {
            case VZEROUPPER, VZEROALL -> VectorState.emitUpperHalves(out.code(), false);
            case PCMPESTRI, PCMPISTRI, VPCMPESTRI, VPCMPISTRI ->
                // the index, zero-extended, is in the host's ECX
                out.code().move32(BlockEmitter.GUEST_RCX, BlockEmitter.RCX);
            default -> {
                // results are where they belong
            }
        }
        return true;
    }
}

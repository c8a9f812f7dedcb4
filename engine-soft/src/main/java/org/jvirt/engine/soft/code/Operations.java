package org.jvirt.engine.soft.code;

import java.util.EnumMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.jvirt.core.cpu.CpuFeature;
import org.jvirt.engine.soft.cpu.Op;
import org.jvirt.engine.soft.cpu.OpContext;
import org.jvirt.engine.soft.integer.IntegerOps;
import org.jvirt.engine.soft.simd.SimdOps;
import org.jvirt.engine.soft.simd.X87Ops;
import org.jvirt.engine.soft.system.SystemOps;
import org.jvirt.x86.Instruction;
import org.jvirt.x86.Mnemonic;
import org.jvirt.x86.OperandKind;

/// From a decoded instruction to its operation: asks whether the processor has it, and then each package in turn.
final class Operations {
    /// The feature of CPUID for each feature of the opcode table that has one of its own.
    private static final Map<org.jvirt.x86.CpuFeature, CpuFeature> FEATURES = features();

    private Operations() {}

    /// The operation, or null: `#UD`.
    static @Nullable Op of(Instruction insn, int nextOffset, OpContext context) {
        if (!isAvailable(insn, context) || insn.row().protectedModeOnly() && !context.protectedMode()) {
            return null;
        }
        Op op = IntegerOps.of(insn, nextOffset, context);
        if (op == null) {
            op = SystemOps.of(insn, nextOffset, context);
        }
        if (op == null) {
            op = SimdOps.of(insn, nextOffset, context);
        }
        return op != null ? op : X87Ops.of(insn, nextOffset, context);
    }

    /// Whether the instruction may change how what follows is fetched or decoded, beyond what the opcode table
    /// says.
    static boolean endsBlock(Instruction insn) {
        return switch (insn.mnemonic()) {
            case LSS, STI, HLT, MWAIT, INVPCID, INVLPG, CLTS, VMCALL, VMMCALL, XRSTOR, XRSTORS -> true;
            case MOV, POP -> insn.kind(0) == OperandKind.SEGMENT && insn.register(0) == Instruction.SS;
            default -> false;
        };
    }

    static boolean isAvailable(Instruction insn, OpContext context) {
        return switch (insn.row().feature()) {
            case BASE, CPUID, RDPMC, SYSCALL, LONG_MODE -> true;
            // executed as BSR and BSF where the processor does not have them
            case LZCNT -> true;
            case BMI1 -> insn.mnemonic() == Mnemonic.TZCNT || context.has(CpuFeature.BMI1);
            // hints: no processor faults
            case PREFETCHW -> true;
            case RTM, VMX, SVM, PKU, MONITORX, CLZERO, WBNOINVD, SMX, GFNI, MOVDIRI, SERIALIZE ->
                insn.mnemonic() == Mnemonic.VMCALL || insn.mnemonic() == Mnemonic.VMMCALL;
            case AVX_AES -> context.has(CpuFeature.AVX) && context.has(CpuFeature.AES);
            case AVX_PCLMULQDQ -> context.has(CpuFeature.AVX) && context.has(CpuFeature.PCLMULQDQ);
            default -> {
                CpuFeature feature = FEATURES.get(insn.row().feature());
                yield feature == null || context.has(feature);
            }
        };
    }

    private static Map<org.jvirt.x86.CpuFeature, CpuFeature> features() {
        var map = new EnumMap<org.jvirt.x86.CpuFeature, CpuFeature>(org.jvirt.x86.CpuFeature.class);
        for (org.jvirt.x86.CpuFeature feature : org.jvirt.x86.CpuFeature.values()) {
            switch (feature) {
                case X87 -> map.put(feature, CpuFeature.FPU);
                case SHA -> map.put(feature, CpuFeature.SHA_NI);
                default -> {
                    for (CpuFeature known : CpuFeature.values()) {
                        if (known.name().equals(feature.name())) {
                            map.put(feature, known);
                        }
                    }
                }
            }
        }
        return map;
    }
}

package org.jvirt.engine.soft.system;

import org.jspecify.annotations.Nullable;
import org.jvirt.engine.soft.cpu.Op;
import org.jvirt.engine.soft.cpu.OpContext;
import org.jvirt.x86.Instruction;
import org.jvirt.x86.OperandKind;

/// The operations of all system instructions.
public final class SystemOps {
    private SystemOps() {}

    /// The operation for an instruction, or null if it is not one of these.
    ///
    /// @param nextOffset offset of the next instruction from the first byte of the block
    public static @Nullable Op of(Instruction insn, int nextOffset, OpContext context) {
        return switch (insn.mnemonic()) {
            case MOV -> move(insn, nextOffset);
            case PUSH, POP -> insn.kind(0) == OperandKind.SEGMENT ? SegmentOps.stack(insn, nextOffset) : null;
            case LES, LDS, LSS, LFS, LGS -> SegmentOps.loadPointer(insn, nextOffset);
            case LAR, LSL, VERR, VERW, ARPL, SLDT, STR, LLDT, LTR, SGDT, SIDT, LGDT, LIDT ->
                SegmentOps.table(insn, nextOffset, context);
            case PUSHF, POPF, CLI, STI, CLAC, STAC -> FlagOps.of(insn, nextOffset);
            case IN, OUT, INS, OUTS -> PortOps.of(insn, nextOffset);
            case CALLF, JMPF, RETF, IRET, INT, INT3, INT1, INTO, SYSCALL, SYSRET, SYSENTER, SYSEXIT ->
                TransferOps.of(insn, nextOffset);
            case LMSW,
                    SMSW,
                    CLTS,
                    INVLPG,
                    INVPCID,
                    INVD,
                    WBINVD,
                    WBNOINVD,
                    RDMSR,
                    WRMSR,
                    SWAPGS,
                    RDFSBASE,
                    RDGSBASE,
                    WRFSBASE,
                    WRGSBASE,
                    XSETBV,
                    XGETBV -> ControlOps.of(insn, nextOffset);
            case CPUID,
                    RDTSC,
                    RDTSCP,
                    RDPID,
                    RDPMC,
                    RDRAND,
                    RDSEED,
                    HLT,
                    MONITOR,
                    MWAIT,
                    VMCALL,
                    VMMCALL,
                    CLFLUSH,
                    CLFLUSHOPT,
                    CLWB,
                    SERIALIZE -> ProcessorOps.of(insn, nextOffset);
            case FXSAVE, FXRSTOR, XSAVE, XSAVEOPT, XSAVEC, XSAVES, XRSTOR, XRSTORS -> XsaveOps.of(insn, nextOffset);
            default -> null;
        };
    }

    private static @Nullable Op move(Instruction insn, int nextOffset) {
        OperandKind to = insn.kind(0);
        OperandKind from = insn.kind(1);
        if (to == OperandKind.SEGMENT || from == OperandKind.SEGMENT) {
            return SegmentOps.move(insn, nextOffset);
        }
        boolean control = to == OperandKind.CONTROL || from == OperandKind.CONTROL;
        boolean debug = to == OperandKind.DEBUG || from == OperandKind.DEBUG;
        return control || debug ? ControlOps.move(insn, nextOffset) : null;
    }
}

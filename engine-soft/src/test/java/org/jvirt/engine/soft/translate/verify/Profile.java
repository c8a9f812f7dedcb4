package org.jvirt.engine.soft.translate.verify;

import java.util.ArrayList;
import java.util.List;
import org.jvirt.x86.CpuFeature;
import org.jvirt.x86.Mnemonic;
import org.jvirt.x86.OpcodeRow;
import org.jvirt.x86.OpcodeTable;
import org.jvirt.x86.OperandKind;

/// What kind of instructions a program is mostly made of.
enum Profile {
    INTEGER,
    STRING,
    SSE,
    AVX,
    X87,
    MMX,
    SYSTEM,
    /// Rows of all kinds.
    MIXED;

    private final List<OpcodeRow> user = new ArrayList<>();
    private final List<OpcodeRow> supervisor = new ArrayList<>();

    static {
        for (OpcodeRow row : OpcodeTable.rows()) {
            if (isRepeatable(row)) {
                Profile profile = of(row);
                for (Profile p : List.of(profile, MIXED)) {
                    p.user.add(row);
                    if (isHarmless(row)) {
                        p.supervisor.add(row);
                    }
                }
            }
        }
    }

    /// Rows that a program at the kind's privilege level may hold.
    List<OpcodeRow> rows(CodeKind kind) {
        return kind.user() ? user : supervisor;
    }

    private static Profile of(OpcodeRow row) {
        if (row.repeatable() && !row.portAccess()) {
            return STRING;
        }
        if (row.privileged() || row.ioplSensitive() || row.portAccess() || row.umip() || isSystem(row)) {
            return SYSTEM;
        }
        if (row.feature() == CpuFeature.MMX || usesFile(row, OperandKind.MMX)) {
            return MMX;
        }
        return switch (row.feature()) {
            case X87 -> X87;
            case SSE, SSE2, SSE3, SSE4A, SSSE3, SSE4_1, SSE4_2, AES, PCLMULQDQ, SHA, GFNI -> SSE;
            case AVX, AVX2, F16C, FMA, AVX_AES, AVX_PCLMULQDQ -> AVX;
            case XSAVE, XSAVEC, XSAVES, XSAVEOPT, FXSR, VMX, SVM, RTM, SMX, FSGSBASE, MSR, SYSCALL, PKU -> SYSTEM;
            default -> INTEGER;
        };
    }

    private static boolean isSystem(OpcodeRow row) {
        if (usesFile(row, OperandKind.SEGMENT)) {
            return true;
        }
        return switch (row.mnemonic()) {
            case LAR, LSL, VERR, VERW, ARPL, LDS, LES, LSS, LFS, LGS -> true;
            case CALLF, JMPF, RETF, IRET, INT, INT1, INT3, INTO, BOUND, UD0, UD1, UD2 -> true;
            case CPUID, RDTSC, RDTSCP, RDPMC, RDPID, CLFLUSH, CLFLUSHOPT, CLWB, PUSHF, POPF -> true;
            case SYSCALL, SYSENTER, SYSEXIT, SYSRET, XGETBV -> true;
            case JMP, CALL, RET -> true;
            default -> false;
        };
    }

    private static boolean usesFile(OpcodeRow row, OperandKind file) {
        // in the manual's notation: Sw or the name, Cd, Dd
        String pattern = switch (file) {
            case SEGMENT -> "Sw|[C-GS]S";
            case MMX -> "[PQN][^X].*";
            case CONTROL -> "C[^SL].*";
            case DEBUG -> "D[^SXL].*";
            default -> throw new IllegalArgumentException("No pattern for " + file);
        };
        for (int i = 0; i < row.operandCount(); i++) {
            if (row.operand(i).toString().matches(pattern)) {
                return true;
            }
        }
        return false;
    }

    /// Whether it does the same each time: not random numbers, and not the relative branches, which are items of
    /// their own.
    private static boolean isRepeatable(OpcodeRow row) {
        for (int i = 0; i < row.operandCount(); i++) {
            if (row.operand(i).toString().startsWith("J")) {
                return false;
            }
        }
        return switch (row.mnemonic()) {
            case RDRAND, RDSEED -> false;
            default -> true;
        };
    }

    /// Whether a supervisor may execute it without putting its own kernel at risk.
    private static boolean isHarmless(OpcodeRow row) {
        if (usesFile(row, OperandKind.DEBUG)) {
            return false;
        }
        if (usesFile(row, OperandKind.CONTROL)) {
            // reading only
            return !row.operand(0).toString().startsWith("C");
        }
        return switch (row.mnemonic()) {
            case HLT, MWAIT, MWAITX, MONITOR, RSM, LGDT, LIDT, LLDT, LTR, LMSW, WRMSR, XSETBV -> false;
            case IRET, RETF, SYSEXIT, SYSENTER, CALLF, JMPF, VMCALL, VMMCALL, INVPCID, XRSTORS -> false;
            default -> true;
        };
    }

    /// Whether the instruction may leave the flags it defines as they were.
    static boolean definesFlagsSometimes(OpcodeRow row) {
        if (row.repeatable()) {
            return true;
        }
        return switch (row.mnemonic()) {
            case SHL, SHR, SAR, ROL, ROR, RCL, RCR, SHLD, SHRD -> true;
            default -> false;
        };
    }

    /// Whether the instruction makes all of RFLAGS visible.
    static boolean showsFlags(Mnemonic mnemonic) {
        return switch (mnemonic) {
            case PUSHF, SYSCALL, INT, INT3, INT1, INTO -> true;
            default -> false;
        };
    }
}

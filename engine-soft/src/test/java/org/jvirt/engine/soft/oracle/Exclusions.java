package org.jvirt.engine.soft.oracle;

import java.util.EnumMap;
import java.util.Map;
import org.jvirt.engine.soft.cpu.Segments;
import org.jvirt.x86.Instruction;
import org.jvirt.x86.Mnemonic;
import org.jvirt.x86.OpcodeRow;

/// The rows of the opcode table that one instruction in a user process cannot show, each with the check it has
/// instead.
final class Exclusions {
    private static final Map<Mnemonic, String> REASONS = new EnumMap<>(Mnemonic.class);

    private static void exclude(String reason, Mnemonic... mnemonics) {
        for (Mnemonic mnemonic : mnemonics) {
            REASONS.put(mnemonic, reason);
        }
    }

    static {
        exclude(
                "enters the host's kernel: contract suite",
                Mnemonic.SYSCALL,
                Mnemonic.SYSENTER,
                Mnemonic.INT,
                Mnemonic.INT1,
                Mnemonic.INT3);
        exclude(
                "depends on the host's descriptor tables: contract suite and guests",
                Mnemonic.CALLF,
                Mnemonic.JMPF,
                Mnemonic.RETF,
                Mnemonic.IRET,
                Mnemonic.LAR,
                Mnemonic.LSL,
                Mnemonic.VERR,
                Mnemonic.VERW,
                Mnemonic.LES,
                Mnemonic.LDS,
                Mnemonic.LSS,
                Mnemonic.LFS,
                Mnemonic.LGS,
                Mnemonic.SYSRET,
                Mnemonic.SYSEXIT);
        exclude(
                "the host's kernel emulates it or its result is the host's own: contract suite",
                Mnemonic.SGDT,
                Mnemonic.SIDT,
                Mnemonic.SLDT,
                Mnemonic.STR,
                Mnemonic.SMSW,
                Mnemonic.RDTSC,
                Mnemonic.RDTSCP,
                Mnemonic.RDPMC,
                Mnemonic.RDPID,
                Mnemonic.CPUID,
                Mnemonic.XGETBV,
                Mnemonic.RDRAND,
                Mnemonic.RDSEED,
                Mnemonic.RDPKRU,
                Mnemonic.WRPKRU);
        exclude(
                "AMD's processors have a bit more in MXCSR than Intel's: MxcsrTest",
                Mnemonic.LDMXCSR,
                Mnemonic.VLDMXCSR);
        exclude(
                "the host traps between its elements when it steps: simd tests",
                Mnemonic.VGATHERDPS,
                Mnemonic.VGATHERDPD,
                Mnemonic.VGATHERQPS,
                Mnemonic.VGATHERQPD,
                Mnemonic.VPGATHERDD,
                Mnemonic.VPGATHERDQ,
                Mnemonic.VPGATHERQD,
                Mnemonic.VPGATHERQQ);
        exclude("its image shows the stepping's own TF: contract suite", Mnemonic.PUSHF);
        exclude(
                "would call the host's own hypervisor: contract suite",
                Mnemonic.VMCALL,
                Mnemonic.VMMCALL,
                Mnemonic.VMFUNC);
        exclude(
                "the architecture leaves the last bits open: FpEstimateTest",
                Mnemonic.RCPPS,
                Mnemonic.RCPSS,
                Mnemonic.RSQRTPS,
                Mnemonic.RSQRTSS,
                Mnemonic.VRCPPS,
                Mnemonic.VRCPSS,
                Mnemonic.VRSQRTPS,
                Mnemonic.VRSQRTSS);
        exclude(
                "correct within one unit in the last place, not to the bit: FpHardwareTest",
                Mnemonic.F2XM1,
                Mnemonic.FYL2X,
                Mnemonic.FYL2XP1,
                Mnemonic.FPTAN,
                Mnemonic.FPATAN,
                Mnemonic.FSIN,
                Mnemonic.FCOS,
                Mnemonic.FSINCOS);
        exclude(
                "its image holds the address of the last x87 instruction, which stepping changes: XsaveTest",
                Mnemonic.FNSTENV,
                Mnemonic.FNSAVE,
                Mnemonic.FLDENV,
                Mnemonic.FRSTOR,
                Mnemonic.FXSAVE,
                Mnemonic.FXRSTOR,
                Mnemonic.XSAVE,
                Mnemonic.XSAVEC,
                Mnemonic.XSAVEOPT,
                Mnemonic.XSAVES,
                Mnemonic.XRSTOR,
                Mnemonic.XRSTORS);
        exclude(
                "not offered to guests",
                Mnemonic.MONITOR,
                Mnemonic.MWAIT,
                Mnemonic.MONITORX,
                Mnemonic.MWAITX,
                Mnemonic.CLZERO,
                Mnemonic.XBEGIN,
                Mnemonic.XABORT,
                Mnemonic.XTEST,
                Mnemonic.XEND,
                Mnemonic.RSM,
                Mnemonic.GETSEC,
                Mnemonic.SERIALIZE,
                Mnemonic.CLGI,
                Mnemonic.STGI,
                Mnemonic.SKINIT,
                Mnemonic.VMRUN,
                Mnemonic.VMLOAD,
                Mnemonic.VMSAVE,
                Mnemonic.INVLPGA);
    }

    private Exclusions() {}

    /// Whether the outcome is each processor's own although that of the row's other instructions is not.
    ///
    /// - No memory is mapped where 16-bit addresses reach: which operand of a comparison or which byte of a masked
    ///   store faults first, or whether a store faults whose mask selects nothing, the manuals leave open.
    /// - ARPL that changes nothing faults in a segment that is not writable according to the manuals, and does not
    ///   on AMD's processors. CS is the only such segment.
    static boolean leavesOpen(Instruction insn) {
        return switch (insn.mnemonic()) {
            case CMPS, MASKMOVQ, MASKMOVDQU, VMASKMOVDQU -> insn.addressSize() == 2;
            case ARPL -> insn.segment() == Segments.CS;
            default -> false;
        };
    }

    /// Why the row is left out, or empty.
    static String reason(OpcodeRow row) {
        if (row.mnemonic() == Mnemonic.NOP && row.opcode() == 0x0D && !row.hasMemoryForm()) {
            return "Intel's processors do nothing, AMD's raise #UD: MiscellaneousOps follows Intel";
        }
        if (row.mnemonic() == Mnemonic.FSTP && row.alias()) {
            return "undocumented encoding that skips the check of the stack on some processors";
        }
        if (row.mnemonic() == Mnemonic.MOV || row.mnemonic() == Mnemonic.POP || row.mnemonic() == Mnemonic.PUSH) {
            for (int i = 0; i < row.operandCount(); i++) {
                if (row.operand(i).toString().startsWith("Sw")
                        || row.operand(i).toString().matches("[C-GS]S")) {
                    return "depends on the host's selectors: contract suite";
                }
            }
        }
        return REASONS.getOrDefault(row.mnemonic(), "");
    }
}

package org.jvirt.engine.soft.translate.emit;

import org.jvirt.x86.CodeSize;
import org.jvirt.x86.Instruction;

/// What host code depends on beside the guest's bytes and their address, in one number: the rights of its accesses
/// (0 to 2, as [StateLayout#read] has them), whether it is 32-bit code, and then whether FS and GS may be used.
///
/// 32-bit code is translated only while CS, DS, ES and SS show all of the linear address space: then nothing
/// remains of them but the width of addresses.
public final class CodeMode {
    /// What no code is translated for.
    public static final int NONE = -1;

    private static final int RIGHTS = 3;
    private static final int CODE32 = 4;
    private static final int SEGMENTS_SHIFT = 3;

    private CodeMode() {}

    /// 64-bit code.
    public static int of64(int rights) {
        return rights;
    }

    /// 32-bit code.
    ///
    /// @param segments bit 0 for FS and bit 1 for GS, if every offset in it is allowed
    public static int of32(int rights, int segments) {
        return rights | CODE32 | segments << SEGMENTS_SHIFT;
    }

    public static int rights(int mode) {
        return mode & RIGHTS;
    }

    public static boolean is32(int mode) {
        return (mode & CODE32) != 0;
    }

    public static CodeSize codeSize(int mode) {
        return is32(mode) ? CodeSize.CODE32 : CodeSize.CODE64;
    }

    /// The bytes of a word on the stack.
    public static int word(int mode) {
        return is32(mode) ? 4 : 8;
    }

    /// Which jump table its branches go through.
    static int jumpTable(int mode) {
        return rights(mode) + (is32(mode) ? StateLayout.CONTEXTS : 0);
    }

    /// Whether an instruction is one that can be translated for the mode, as far as addresses are concerned.
    public static boolean isAddressable(int mode, Instruction insn) {
        if (!is32(mode)) {
            return true;
        }
        if (insn.addressSize() == 2) {
            return false;
        }
        return switch (insn.segment()) {
            // it cannot be written to; where nothing is accessed it is padding or a hint
            case Instruction.CS ->
                insn.memoryOperand() >= 0
                        ? !insn.row().accessesMemory()
                        : insn.row().branch();
            case Instruction.FS -> (mode >> SEGMENTS_SHIFT & 1) != 0;
            case Instruction.GS -> (mode >> SEGMENTS_SHIFT & 2) != 0;
            default -> true;
        };
    }
}

package org.jvirt.engine.soft.oracle;

import java.util.Arrays;
import java.util.HexFormat;
import java.util.Locale;

/// All that one user-mode instruction can read or change, the same for the host's processor and the interpreter.
/// Mutable, reused from case to case.
final class MachineState {
    static final int XSAVE_BYTES = 576 + 256;

    /// Flags that are not compared: TF is the stepping's own, RF is set in a frame that a fault pushed, and ptrace
    /// does not put ID back.
    static final long UNTOLD_FLAGS = 1 << 8 | 1 << 16 | 1 << 21;

    final long[] general = new long[16];
    long rip;
    long flags;
    long fsBase;
    long gsBase;
    /// The legacy XSAVE area, header, and the upper halves of the YMM registers.
    final byte[] extended = new byte[XSAVE_BYTES];
    final byte[] data = new byte[TestLayout.DATA_BYTES];

    void copyFrom(MachineState other) {
        System.arraycopy(other.general, 0, general, 0, 16);
        rip = other.rip;
        flags = other.flags;
        fsBase = other.fsBase;
        gsBase = other.gsBase;
        System.arraycopy(other.extended, 0, extended, 0, extended.length);
        System.arraycopy(other.data, 0, data, 0, data.length);
    }

    /// What differs, a line each; empty when nothing does.
    ///
    /// @param ignoredFlags flag bits that the instruction leaves undefined
    String differences(MachineState actual, long ignoredFlags) {
        var text = new StringBuilder();
        String[] names = {
            "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15"
        };
        for (int i = 0; i < 16; i++) {
            note(text, names[i], general[i], actual.general[i]);
        }
        note(text, "rip", rip, actual.rip);
        note(text, "rflags", flags & ~ignoredFlags, actual.flags & ~ignoredFlags);
        note(text, "fs base", fsBase, actual.fsBase);
        note(text, "gs base", gsBase, actual.gsBase);
        noteBytes(text, "xsave", extended, actual.extended);
        noteBytes(text, "data", data, actual.data);
        return text.toString();
    }

    private static void note(StringBuilder text, String name, long expected, long actual) {
        if (expected != actual) {
            text.append(String.format(Locale.ROOT, "  %s: host %016x, interpreter %016x%n", name, expected, actual));
        }
    }

    private static void noteBytes(StringBuilder text, String name, byte[] expected, byte[] actual) {
        int at = Arrays.mismatch(expected, actual);
        if (at >= 0) {
            int from = at & ~7;
            int to = Math.min(from + 16, expected.length);
            text.append(String.format(
                    Locale.ROOT,
                    "  %s from 0x%x: host %s, interpreter %s%n",
                    name,
                    from,
                    hex(expected, from, to),
                    hex(actual, from, to)));
        }
    }

    static String hex(byte[] bytes, int from, int to) {
        return HexFormat.of().formatHex(bytes, from, to);
    }
}

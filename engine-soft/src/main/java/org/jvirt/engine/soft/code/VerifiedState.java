package org.jvirt.engine.soft.code;

import java.util.Arrays;
import org.jvirt.engine.soft.cpu.Cpu;
import org.jvirt.engine.soft.cpu.Segments;

/// What instructions in translated code can change of a processor beside memory. Vector registers count only as
/// long as nobody else holds them.
final class VerifiedState {
    private static final int REGISTERS = 16;
    private static final String[] NAMES = {
        "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15"
    };

    final long[] r = new long[REGISTERS];
    private final long[] xmm = new long[32];
    private final long[] ymmHigh = new long[32];
    long rip;
    /// The six arithmetic flags.
    int flags;

    private int systemFlags;
    private int mxcsr;
    private int cpl;
    private long fsBase;
    private long gsBase;

    void take(Cpu cpu) {
        System.arraycopy(cpu.r, 0, r, 0, REGISTERS);
        System.arraycopy(cpu.xmm, 0, xmm, 0, xmm.length);
        System.arraycopy(cpu.ymmHigh, 0, ymmHigh, 0, ymmHigh.length);
        rip = cpu.rip;
        flags = cpu.flags.pack();
        systemFlags = cpu.systemFlags() & ~Cpu.RF;
        mxcsr = cpu.mxcsr.value();
        cpl = cpu.cpl();
        fsBase = cpu.segments.base(Segments.FS);
        gsBase = cpu.segments.base(Segments.GS);
    }

    /// Gives the processor its registers back.
    void restore(Cpu cpu) {
        System.arraycopy(r, 0, cpu.r, 0, REGISTERS);
        System.arraycopy(xmm, 0, cpu.xmm, 0, xmm.length);
        System.arraycopy(ymmHigh, 0, cpu.ymmHigh, 0, ymmHigh.length);
        cpu.rip = rip;
        cpu.flags.unpack(flags);
        cpu.setSystemFlags(cpu.systemFlags() & Cpu.RF | systemFlags);
        cpu.mxcsr.value(mxcsr);
    }

    /// Whether all but the arithmetic flags is the same.
    boolean isLike(VerifiedState other) {
        return rip == other.rip
                && systemFlags == other.systemFlags
                && mxcsr == other.mxcsr
                && cpl == other.cpl
                && fsBase == other.fsBase
                && gsBase == other.gsBase
                && Arrays.equals(r, other.r)
                && Arrays.equals(xmm, other.xmm)
                && Arrays.equals(ymmHigh, other.ymmHigh);
    }

    /// Everything, and what differs from the others marked.
    static String table(VerifiedState before, VerifiedState translated, VerifiedState interpreted) {
        var text =
                new StringBuilder("  %-12s %-18s %-18s %-18s%n".formatted("", "before", "translated", "interpreted"));
        for (int i = 0; i < REGISTERS; i++) {
            row(text, NAMES[i], before.r[i], translated.r[i], interpreted.r[i], true);
        }
        row(text, "rip", before.rip, translated.rip, interpreted.rip, true);
        row(
                text,
                "rflags",
                before.flags | before.systemFlags,
                translated.flags | translated.systemFlags,
                interpreted.flags | interpreted.systemFlags,
                true);
        row(text, "cpl", before.cpl, translated.cpl, interpreted.cpl, false);
        row(text, "fs base", before.fsBase, translated.fsBase, interpreted.fsBase, false);
        row(text, "gs base", before.gsBase, translated.gsBase, interpreted.gsBase, false);
        row(text, "mxcsr", before.mxcsr, translated.mxcsr, interpreted.mxcsr, false);
        for (int i = 0; i < 32; i++) {
            String half = (i & 1) == 0 ? "low" : "high";
            row(text, "xmm" + i / 2 + " " + half, before.xmm[i], translated.xmm[i], interpreted.xmm[i], false);
            row(
                    text,
                    "ymm" + i / 2 + " " + half,
                    before.ymmHigh[i],
                    translated.ymmHigh[i],
                    interpreted.ymmHigh[i],
                    false);
        }
        return text.toString();
    }

    private static void row(StringBuilder text, String name, long before, long one, long other, boolean always) {
        if (always || one != other) {
            text.append(
                    "%s %-12s 0x%016x 0x%016x 0x%016x%n".formatted(one == other ? " " : "*", name, before, one, other));
        }
    }
}

package org.jvirt.engine.soft.translate.verify;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Locale;
import java.util.Objects;
import org.jvirt.core.cpu.GeneralRegisters;
import org.jvirt.x86.FlagMask;

/// What differs between two outcomes of the same program; status flags count only where they are defined.
final class Differences {
    private static final int MOST_LINES = 24;
    private static final int ACCESSED = 1 << 5;
    static final String[] NAMES = {
        "rax",
        "rcx",
        "rdx",
        "rbx",
        "rsp",
        "rbp",
        "rsi",
        "rdi",
        "r8",
        "r9",
        "r10",
        "r11",
        "r12",
        "r13",
        "r14",
        "r15",
        "rip",
        "cs",
        "rflags",
        "rsp",
        "ss",
        "fs base",
        "gs base",
        "cr0",
        "cr4",
        "xcr0",
        "vector",
        "error code",
        "cr2",
        "selectors"
    };

    private final Code code;
    private final StringBuilder text = new StringBuilder();
    private int lines;
    private int firstRecord = -1;
    /// Which flags are replaced unread is not known of a program that has been written on.
    private final boolean rewritten;

    Differences(Code code, Outcome expected, Outcome actual) {
        this.code = code;
        rewritten = code.isRewritten(expected.code());
        note("result", expected.result(), actual.result());
        records(expected.log(), actual.log());
        for (DataPage page : DataPage.values()) {
            bytes("data " + page, expected.data()[page.ordinal()], actual.data()[page.ordinal()]);
        }
        bytes("code", expected.code(), actual.code());
        bytes("page tables", withAccessed(expected.tables(), actual.tables()), actual.tables());
        note("ports and devices", expected.accesses(), actual.accesses());
        note("registers at the end", atTheEnd(expected), atTheEnd(actual));
        note("segments at the end", expected.state().segments(), actual.state().segments());
        note(
                "control registers at the end",
                expected.state().control(),
                actual.state().control());
        note(
                "debug registers at the end",
                expected.state().debug(),
                actual.state().debug());
        note("MSRs at the end", expected.state().msrs(), actual.state().msrs());
        note("events at the end", expected.state().events(), actual.state().events());
        bytes(
                "extended state at the end",
                expected.state().extended().bytes(),
                actual.state().extended().bytes());
    }

    boolean none() {
        return lines == 0;
    }

    /// The first entry state whose record differs, or -1.
    int firstRecord() {
        return firstRecord;
    }

    /// A line for each difference.
    @Override
    public String toString() {
        return text + (lines > MOST_LINES ? "  … %d more%n".formatted(lines - MOST_LINES) : "");
    }

    private void note(String what, Object expected, Object actual) {
        if (!Objects.equals(expected, actual)) {
            line("%s: interpreter %s%n    translator %s".formatted(what, expected, actual));
        }
    }

    private void line(String line) {
        if (++lines <= MOST_LINES) {
            text.append("  ").append(line).append('\n');
        }
    }

    private void records(byte[] expected, byte[] actual) {
        var one = ByteBuffer.wrap(expected).order(ByteOrder.LITTLE_ENDIAN);
        var other = ByteBuffer.wrap(actual).order(ByteOrder.LITTLE_ENDIAN);
        for (int record = 0; record < expected.length / Slot.BYTES; record++) {
            int at = record * Slot.BYTES;
            long rip = one.getLong(at + Slot.RIP);
            boolean fault = one.getLong(at + Slot.VECTOR) < 0x20;
            if (one.getLong(at + Slot.VECTOR) == Layout.END_VECTOR) {
                rip -= Code.END_BYTES;
            }
            long undefined = code.undefinedAt(rip) | (fault ? deadAt(rip) : 0);
            for (int i = 0; i < NAMES.length; i++) {
                long ignored = 8 * i == Slot.RFLAGS ? undefined : 0;
                long a = one.getLong(at + 8 * i) & ~ignored;
                long b = other.getLong(at + 8 * i) & ~ignored;
                if (a != b) {
                    differs(record);
                    line(String.format(
                            Locale.ROOT, "entry %d, %s: interpreter %016x, translator %016x", record, NAMES[i], a, b));
                }
            }
            for (int i = 0; i < Slot.EXTENDED_BYTES; i += 8) {
                long a = one.getLong(at + Slot.EXTENDED + i);
                long b = other.getLong(at + Slot.EXTENDED + i);
                if (a != b) {
                    differs(record);
                    line(String.format(
                            Locale.ROOT,
                            "entry %d, %s: interpreter %016x, translator %016x",
                            record,
                            extendedName(i),
                            a,
                            b));
                }
            }
        }
    }

    /// The status flags before the instruction at `rip` that count for nothing when it is where the program stops.
    private int deadAt(long rip) {
        return rewritten ? FlagMask.STATUS : code.deadAt(rip);
    }

    /// The registers without the flags that are replaced unread: a device may end the program at any instruction.
    private GeneralRegisters atTheEnd(Outcome outcome) {
        GeneralRegisters r = outcome.state().general();
        long[] general = {
            r.rax(), r.rcx(), r.rdx(), r.rbx(), r.rsp(), r.rbp(), r.rsi(), r.rdi(),
            r.r8(), r.r9(), r.r10(), r.r11(), r.r12(), r.r13(), r.r14(), r.r15()
        };
        return GeneralRegisters.of(general, r.rip(), r.rflags() & ~(long) deadAt(r.rip()));
    }

    /// Adds the accessed flags that only the other has: a processor may set them for accesses that come to nothing.
    private static byte[] withAccessed(byte[] tables, byte[] other) {
        byte[] result = tables.clone();
        for (int i = 0; i < result.length; i += 8) {
            if ((result[i] & 1) != 0) {
                result[i] |= (byte) (other[i] & ACCESSED);
            }
        }
        return result;
    }

    private void differs(int record) {
        if (firstRecord < 0) {
            firstRecord = record;
        }
    }

    static String extendedName(int at) {
        if (at < 24) {
            return "x87 environment +" + at;
        } else if (at < 32) {
            return "mxcsr";
        } else if (at < 160) {
            return "mm/st physical +" + (at - 32);
        } else if (at < 416) {
            return "xmm%d+%d".formatted((at - 160) / 16, at & 8);
        } else if (at < 576) {
            return "header +" + (at - 512);
        }
        return "ymm%d+%d".formatted((at - 576) / 16, 16 + (at & 8));
    }

    private void bytes(String what, byte[] expected, byte[] actual) {
        int at = Arrays.mismatch(expected, actual);
        if (at >= 0) {
            int from = at & ~7;
            int to = Math.min(from + 16, Math.min(expected.length, actual.length));
            line("%s +0x%x: interpreter %s, translator %s"
                    .formatted(
                            what,
                            from,
                            HexFormat.of().formatHex(expected, from, to),
                            HexFormat.of().formatHex(actual, from, to)));
        }
    }
}

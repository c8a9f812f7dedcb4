package org.jvirt.engine.soft.translate;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.jvirt.x86.CodeSize;
import org.jvirt.x86.DecodeResult;
import org.jvirt.x86.Decoder;
import org.jvirt.x86.Instruction;
import org.jvirt.x86.OperandKind;

/// Immediates and displacements of guest code that are addresses in the guest's kernel: they move with it when it
/// is loaded elsewhere (Linux's KASLR), by as much as the code's own address.
final class GuestFields {
    /// The end of where a kernel built for the uppermost 2 GiB lies, as 32 bits that are sign-extended: the least
    /// of all such numbers begin there.
    private static final int END = 0xC000_0000;

    private GuestFields() {}

    /// The offsets in a page of such fields, ascending, in instructions from `first` to `last`.
    ///
    /// @param start where the instruction at `rip` begins
    static int[] find(byte[] page, int first, int start, int last, long rip) {
        if (rip >>> 31 != -1L >>> 31 || !isKernel((int) rip)) {
            return new int[0];
        }
        int[] fields = sweep(page, first, start, last);
        if (fields == null) {
            fields = sweep(page, start, start, last);
        }
        return fields == null ? new int[0] : fields;
    }

    /// Null if no instruction begins at `start`.
    private static int @Nullable [] sweep(byte[] page, int from, int start, int last) {
        var decoder = new Decoder();
        var insn = new Instruction();
        int[] found = new int[8];
        int count = 0;
        int position = from;
        boolean met = false;
        while (position <= last && decoder.decode(page, position, last + 1, CodeSize.CODE64, insn) == DecodeResult.OK) {
            met |= position == start;
            if (count + 2 > found.length) {
                found = Arrays.copyOf(found, 2 * found.length);
            }
            count = add(page, position, insn, found, count);
            position += insn.length();
        }
        return met ? Arrays.copyOf(found, count) : null;
    }

    /// The displacement comes before the immediate, which is last.
    private static int add(byte[] page, int position, Instruction insn, int[] found, int count) {
        int end = position + insn.length();
        int immediate = 0;
        int now = count;
        for (int i = 0; i < insn.operandCount(); i++) {
            if (insn.kind(i) == OperandKind.IMMEDIATE) {
                long value = insn.immediate();
                immediate = word(page, end - 4) == (int) value && insn.operandSize() >= 4 && value != (byte) value
                        ? 4
                        : value == (byte) value ? 1 : 2;
            }
        }
        int memory = insn.row().accessesMemory() || insn.memoryOperand() >= 0 ? insn.memoryOperand() : -1;
        if (memory >= 0 && insn.base() != Instruction.RIP) {
            int at = end - immediate - 4;
            if (at > position && insn.displacement() == word(page, at) && isKernel(word(page, at))) {
                found[now++] = at;
            }
        }
        if (immediate == 4 && isKernel(word(page, end - 4))) {
            found[now++] = end - 4;
        }
        return now;
    }

    private static boolean isKernel(int value) {
        return value < END;
    }

    private static int word(byte[] bytes, int at) {
        return at < 0
                ? 0
                : bytes[at] & 0xFF | (bytes[at + 1] & 0xFF) << 8 | (bytes[at + 2] & 0xFF) << 16 | bytes[at + 3] << 24;
    }

    /// Moves the addresses in the fields.
    static void move(byte[] page, int[] fields, int step) {
        for (int field : fields) {
            int value = word(page, field) + step;
            page[field] = (byte) value;
            page[field + 1] = (byte) (value >> 8);
            page[field + 2] = (byte) (value >> 16);
            page[field + 3] = (byte) (value >> 24);
        }
    }
}

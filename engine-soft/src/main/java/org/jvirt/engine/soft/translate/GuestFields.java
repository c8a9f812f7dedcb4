package org.jvirt.engine.soft.translate;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.jvirt.engine.soft.translate.store.StoredBlock;
import org.jvirt.x86.CodeSize;
import org.jvirt.x86.DecodeResult;
import org.jvirt.x86.Decoder;
import org.jvirt.x86.Instruction;
import org.jvirt.x86.OperandKind;

/// Immediates and displacements of guest code that change when the guest's kernel is loaded elsewhere (Linux's
/// KASLR), numbered as in a [StoredBlock]: addresses in the kernel move with it, by as much as the code's own
/// address; distances from it to data of a processor, whose addresses are small numbers, move against it.
final class GuestFields {
    /// The end of where a kernel built for the uppermost 2 GiB lies, as 32 bits that are sign-extended: the least
    /// of all such numbers begin there.
    private static final int END = 0xC000_0000;
    /// Where data of a processor ends, whose addresses Linux counts from zero.
    private static final long PROCESSOR_END = 1L << 21;

    private static final long PAGE = -4096L;

    private GuestFields() {}

    /// The offsets in a page of such fields, ascending, in instructions from `first` to `last`.
    ///
    /// @param start where the instruction at `rip` begins
    static int[] find(byte[] page, int first, int start, int last, long rip) {
        if (rip >>> 31 != -1L >>> 31 || !isKernel((int) rip)) {
            return new int[0];
        }
        int[] fields = sweep(page, first, start, last, rip & PAGE);
        if (fields == null) {
            fields = sweep(page, start, start, last, rip & PAGE);
        }
        return fields == null ? new int[0] : fields;
    }

    /// Null if no instruction begins at `start`.
    private static int @Nullable [] sweep(byte[] page, int from, int start, int last, long address) {
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
            count = add(page, position, address, insn, found, count);
            position += insn.length();
        }
        return met ? Arrays.copyOf(found, count) : null;
    }

    /// The displacement comes before the immediate, which is last.
    private static int add(byte[] page, int position, long address, Instruction insn, int[] found, int count) {
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
        int at = end - immediate - 4;
        if (memory >= 0 && at > position && insn.displacement() == word(page, at)) {
            if (insn.base() == Instruction.RIP) {
                long target = address + end + insn.displacement();
                if (target >= 0 && target < PROCESSOR_END) {
                    found[now++] = StoredBlock.against(at);
                }
            } else if (isKernel(word(page, at))) {
                found[now++] = StoredBlock.with(at);
            }
        }
        if (immediate == 4 && isKernel(word(page, end - 4))) {
            found[now++] = StoredBlock.with(end - 4);
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

    /// Moves the code of the page, as far as its fields show it.
    static void move(byte[] page, int[] fields, int step) {
        for (int field : fields) {
            int at = StoredBlock.place(field);
            int value = word(page, at) + StoredBlock.step(field, step);
            page[at] = (byte) value;
            page[at + 1] = (byte) (value >> 8);
            page[at + 2] = (byte) (value >> 16);
            page[at + 3] = (byte) (value >> 24);
        }
    }
}

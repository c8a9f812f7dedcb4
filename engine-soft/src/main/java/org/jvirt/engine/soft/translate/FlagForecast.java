package org.jvirt.engine.soft.translate;

import org.jvirt.engine.soft.translate.emit.FlagUse;
import org.jvirt.x86.CodeSize;
import org.jvirt.x86.DecodeResult;
import org.jvirt.x86.Decoder;
import org.jvirt.x86.FlagMask;
import org.jvirt.x86.Instruction;
import org.jvirt.x86.OperandKind;

/// Which flags the code at an address may use before it replaces them: looks ahead, but not out of the page.
///
/// What it has looked at is part of what a translation depends on: [#from] and [#to].
final class FlagForecast {
    private static final int STEPS = 24;
    private static final int DEPTH = 3;

    private final Decoder decoder = new Decoder();
    private final Instruction insn = new Instruction();
    private static final int PAGE = 4096;

    private byte[] page = new byte[0];
    private CodeSize codeSize = CodeSize.CODE64;
    private int from;
    private int to;

    /// Begins with the bytes of a page.
    void begin(byte[] bytes, CodeSize size) {
        page = bytes;
        codeSize = size;
        from = Integer.MAX_VALUE;
        to = -1;
    }

    /// The first offset looked at, if any.
    int from() {
        return from;
    }

    /// The last offset looked at, or -1.
    int to() {
        return to;
    }

    /// Flags that matter to the code at `offset` of the page; all if that is outside.
    int at(long offset) {
        return at(offset, FlagMask.STATUS, DEPTH);
    }

    private int at(long offset, int pending, int depth) {
        int used = 0;
        int left = pending;
        long position = offset;
        for (int step = 0; step < STEPS && left != 0; step++) {
            if (position < 0 || position >= PAGE) {
                return used | left;
            }
            int start = (int) position;
            if (decoder.decode(page, start, PAGE, codeSize, insn) != DecodeResult.OK) {
                return used | left;
            }
            from = Math.min(from, start);
            to = Math.max(to, start + insn.length() - 1);
            used |= insn.row().flagsRead() & left;
            left &= ~used;
            position += insn.length();
            if (insn.row().branch()) {
                return used | branch(position, left, depth);
            }
            if (insn.row().endsBlock() || insn.row().privileged()) {
                return used | left;
            }
            left &= ~FlagUse.replaced(insn);
        }
        return used | left;
    }

    private int branch(long next, int left, int depth) {
        if (left == 0 || depth == 0 || insn.kind(0) != OperandKind.RELATIVE) {
            return left;
        }
        long target = next + insn.immediate();
        return switch (insn.mnemonic()) {
            case JMP, CALL -> at(target, left, depth - 1);
            case JO, JNO, JB, JAE, JE, JNE, JBE, JA, JS, JNS, JP, JNP, JL, JGE, JLE, JG, JRCXZ, LOOP -> {
                int here = at(next, left, depth - 1);
                yield here == left ? here : here | at(target, left, depth - 1);
            }
            default -> left;
        };
    }
}

package org.jvirt.engine.soft.simd;

import org.jvirt.engine.soft.cpu.Cpu;
import org.jvirt.engine.soft.cpu.Op;
import org.jvirt.x86.Instruction;

/// A waiting x87 instruction that the unit remembers as its last one.
abstract class X87Op extends Op {
    private final int opcode;
    private final int length;

    X87Op(Instruction insn, int nextOffset) {
        super(nextOffset);
        opcode = X87Ops.opcode(insn);
        length = insn.length();
    }

    /// `#NM`, or `#MF` for an exception that waits.
    static void begin(Cpu cpu) {
        cpu.useX87();
        if (cpu.x87.pending()) {
            throw cpu.mf();
        }
    }

    /// Makes this the last instruction, once it cannot fault any more.
    final void note(Cpu cpu) {
        cpu.x87.instruction(opcode, cpu.segments.selector(Instruction.CS), cpu.blockRip + nextOffset - length);
    }
}

package org.jvirt.engine.soft.simd;

import org.jvirt.engine.soft.cpu.Cpu;
import org.jvirt.x86.Instruction;

/// Arithmetic between two registers of the stack, perhaps with a pop.
final class X87Arithmetic extends X87Op {
    private final int operation;
    private final int dst;
    private final int src;
    private final boolean pop;

    X87Arithmetic(Instruction insn, int nextOffset, int operation) {
        super(insn, nextOffset);
        this.operation = operation;
        dst = insn.register(0);
        src = insn.register(1);
        pop = insn.mnemonic().name().endsWith("P");
    }

    @Override
    public void execute(Cpu cpu) {
        begin(cpu);
        note(cpu);
        cpu.x87.arithmetic(operation, dst, src, pop);
    }
}

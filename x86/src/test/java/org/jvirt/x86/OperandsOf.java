package org.jvirt.x86;

/// Turns a decoded instruction back into what one would write for the assembler.
final class OperandsOf {
    private OperandsOf() {}

    static Operand[] instruction(Instruction in) {
        Operand[] operands = new Operand[in.operandCount()];
        boolean second = false;
        for (int i = 0; i < operands.length; i++) {
            operands[i] = switch (in.kind(i)) {
                case MEMORY -> memory(in, i);
                case IMMEDIATE -> {
                    Operand immediate = new Imm(second ? in.immediate2() : in.immediate());
                    second = true;
                    yield immediate;
                }
                case RELATIVE -> new Imm(in.target(0));
                case FAR -> new FarPointer(in.immediate2(), in.immediate());
                case GPR, GPR8_HIGH, SEGMENT, CONTROL, DEBUG, X87, MMX, XMM, YMM ->
                    new Reg(in.kind(i), in.register(i), in.size(i));
            };
        }
        return operands;
    }

    private static Mem memory(Instruction in, int i) {
        Mem mem = Mem.mem(in.displacement());
        if (in.base() == Instruction.RIP) {
            mem = Mem.rip(in.displacement());
        } else if (in.base() >= 0) {
            mem = Mem.mem(new Reg(OperandKind.GPR, in.base(), in.addressSize())).disp(in.displacement());
        }
        if (in.index() >= 0 && in.vectorIndexSize() != 0) {
            OperandKind kind = in.vectorIndexSize() == 32 ? OperandKind.YMM : OperandKind.XMM;
            mem = mem.index(new Reg(kind, in.index(), in.vectorIndexSize()), 1 << in.scale());
        } else if (in.index() >= 0) {
            mem = mem.index(new Reg(OperandKind.GPR, in.index(), in.addressSize()), 1 << in.scale());
        }
        if (in.segmentOverridden()) {
            mem = mem.segment(new Reg(OperandKind.SEGMENT, in.segment(), 2));
        }
        return mem.size(in.size(i));
    }
}

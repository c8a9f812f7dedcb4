package org.jvirt.engine.soft.simd;

import org.jspecify.annotations.Nullable;
import org.jvirt.engine.soft.cpu.Cpu;
import org.jvirt.engine.soft.cpu.Flags;
import org.jvirt.engine.soft.cpu.Op;
import org.jvirt.x86.Instruction;

/// `PCMPESTRI`, `PCMPESTRM`, `PCMPISTRI`, `PCMPISTRM`.
final class StringCompareOps extends VectorOp {
    private final boolean explicit;
    private final boolean mask;
    private final boolean lengths64;

    private StringCompareOps(Instruction insn, int nextOffset, boolean explicit, boolean mask) {
        super(insn, nextOffset, 1);
        this.explicit = explicit;
        this.mask = mask;
        lengths64 = insn.wide();
    }

    static @Nullable Op of(Instruction insn, int nextOffset) {
        return switch (insn.mnemonic()) {
            case PCMPESTRI, VPCMPESTRI -> new StringCompareOps(insn, nextOffset, true, false);
            case PCMPESTRM, VPCMPESTRM -> new StringCompareOps(insn, nextOffset, true, true);
            case PCMPISTRI, VPCMPISTRI -> new StringCompareOps(insn, nextOffset, false, false);
            case PCMPISTRM, VPCMPISTRM -> new StringCompareOps(insn, nextOffset, false, true);
            default -> null;
        };
    }

    private int explicitLength(long register) {
        return StringComparison.explicitLength(lengths64 ? register : (int) register, imm);
    }

    @Override
    public void execute(Cpu cpu) {
        use(cpu);
        long la = locate(cpu);
        long b0 = word(cpu, la, 0);
        long b1 = word(cpu, la, 1);
        long a0 = cpu.xmm[dst];
        long a1 = cpu.xmm[dst + 1];
        int aLength = explicit ? explicitLength(cpu.r[Cpu.RAX]) : StringComparison.implicitLength(a0, a1, imm);
        int bLength = explicit ? explicitLength(cpu.r[Cpu.RDX]) : StringComparison.implicitLength(b0, b1, imm);
        int result = StringComparison.compare(a0, a1, aLength, b0, b1, bLength, imm);
        if (mask) {
            cpu.xmm[0] = StringComparison.mask(0, result, imm);
            cpu.xmm[1] = StringComparison.mask(1, result, imm);
            if (vex) {
                cpu.ymmHigh[0] = 0;
                cpu.ymmHigh[1] = 0;
            }
        } else {
            cpu.r[Cpu.RCX] = StringComparison.index(result, imm);
        }
        int n = StringComparison.elements(imm);
        cpu.flags.unpack((result != 0 ? Flags.CF : 0)
                | (bLength < n ? Flags.ZF : 0)
                | (aLength < n ? Flags.SF : 0)
                | ((result & 1) != 0 ? Flags.OF : 0));
    }
}

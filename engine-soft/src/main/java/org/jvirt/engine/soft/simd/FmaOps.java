package org.jvirt.engine.soft.simd;

import static org.jvirt.engine.soft.simd.PackedIntegers.join;

import java.util.EnumMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.jvirt.engine.soft.cpu.Cpu;
import org.jvirt.engine.soft.cpu.Op;
import org.jvirt.engine.soft.fp.Fma;
import org.jvirt.engine.soft.fp.Fp32;
import org.jvirt.engine.soft.fp.Fp64;
import org.jvirt.engine.soft.fp.Mxcsr;
import org.jvirt.x86.Instruction;
import org.jvirt.x86.Mnemonic;

/// The FMA3 instructions. Their names say all there is to them: `VF[N]M` and what is done with the addend, the
/// order of the operands, the type of the elements.
final class FmaOps extends VectorOp {
    private static final Pattern NAME = Pattern.compile("VF(N?)M(ADDSUB|SUBADD|ADD|SUB)(132|213|231)([PS])([SD])");
    private static final Map<Mnemonic, Kind> KINDS = new EnumMap<>(Mnemonic.class);

    /// @param even what happens to elements 0, 2, …
    /// @param odd what happens to elements 1, 3, …
    private record Kind(Fma even, Fma odd, boolean packed, boolean single) {}

    static {
        for (Mnemonic mnemonic : Mnemonic.values()) {
            Matcher name = NAME.matcher(mnemonic.name());
            if (name.matches()) {
                int order = Integer.parseInt(name.group(3));
                boolean negated = !name.group(1).isEmpty();
                String addend = name.group(2);
                KINDS.put(
                        mnemonic,
                        new Kind(
                                new Fma(order, negated, addend.equals("SUB") || addend.equals("ADDSUB")),
                                new Fma(order, negated, addend.equals("SUB") || addend.equals("SUBADD")),
                                name.group(4).equals("P"),
                                name.group(5).equals("S")));
            }
        }
    }

    private final Fma even;
    private final Fma odd;
    private final boolean packed;
    private final boolean single;

    private FmaOps(Instruction insn, int nextOffset, Kind kind) {
        super(insn, nextOffset);
        even = kind.even();
        odd = kind.odd();
        packed = kind.packed();
        single = kind.single();
    }

    static @Nullable Op of(Instruction insn, int nextOffset) {
        Kind kind = KINDS.get(insn.mnemonic());
        return kind == null ? null : new FmaOps(insn, nextOffset, kind);
    }

    private long pair(Mxcsr m, long x, long y, long z) {
        return join(
                Fp32.fma(m, even, (int) x, (int) y, (int) z),
                Fp32.fma(m, odd, (int) (x >>> 32), (int) (y >>> 32), (int) (z >>> 32)));
    }

    @Override
    public void execute(Cpu cpu) {
        cpu.useAvx();
        long la = locate(cpu);
        long b0 = word(cpu, la, 0);
        if (packed) {
            executePacked(cpu, la, b0);
            return;
        }
        Mxcsr m = cpu.mxcsr;
        m.begin();
        long d0 = cpu.xmm[dst];
        long low = single
                ? d0 & 0xFFFF_FFFF_0000_0000L | Fp32.fma(m, even, (int) d0, (int) cpu.xmm[a], (int) b0) & 0xFFFF_FFFFL
                : Fp64.fma(m, even, d0, cpu.xmm[a], b0);
        if (m.commit()) {
            throw cpu.xm();
        }
        set(cpu, low, cpu.xmm[dst + 1]);
    }

    private void executePacked(Cpu cpu, long la, long b0) {
        long b1 = word(cpu, la, 1);
        long b2 = wide ? word(cpu, la, 2) : 0;
        long b3 = wide ? word(cpu, la, 3) : 0;
        long[] x = cpu.xmm;
        long[] y = cpu.ymmHigh;
        Mxcsr m = cpu.mxcsr;
        m.begin();
        long w0 = single ? pair(m, x[dst], x[a], b0) : Fp64.fma(m, even, x[dst], x[a], b0);
        long w1 = single ? pair(m, x[dst + 1], x[a + 1], b1) : Fp64.fma(m, odd, x[dst + 1], x[a + 1], b1);
        if (!wide) {
            if (m.commit()) {
                throw cpu.xm();
            }
            set(cpu, w0, w1);
            return;
        }
        long w2 = single ? pair(m, y[dst], y[a], b2) : Fp64.fma(m, even, y[dst], y[a], b2);
        long w3 = single ? pair(m, y[dst + 1], y[a + 1], b3) : Fp64.fma(m, odd, y[dst + 1], y[a + 1], b3);
        if (m.commit()) {
            throw cpu.xm();
        }
        set(cpu, w0, w1, w2, w3);
    }
}

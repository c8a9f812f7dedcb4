package org.jvirt.engine.soft.simd;

import org.jspecify.annotations.Nullable;
import org.jvirt.engine.soft.cpu.Cpu;
import org.jvirt.engine.soft.cpu.Op;
import org.jvirt.engine.soft.simd.PackedIntegers.Binary;
import org.jvirt.x86.Instruction;
import org.jvirt.x86.Mnemonic;

/// The instructions that do the same to every pair of corresponding words, with the functions of [PackedIntegers].
final class WordOps {
    private WordOps() {}

    static @Nullable Op of(Instruction insn, int nextOffset) {
        Binary function = function(insn.mnemonic());
        return function == null ? null : new WordOp(insn, nextOffset, function);
    }

    static @Nullable Binary function(Mnemonic mnemonic) {
        return switch (mnemonic) {
            case PADDB, VPADDB -> PackedIntegers::paddb;
            case PADDW, VPADDW -> PackedIntegers::paddw;
            case PADDD, VPADDD -> PackedIntegers::paddd;
            case PADDQ, VPADDQ -> PackedIntegers::paddq;
            case PSUBB, VPSUBB -> PackedIntegers::psubb;
            case PSUBW, VPSUBW -> PackedIntegers::psubw;
            case PSUBD, VPSUBD -> PackedIntegers::psubd;
            case PSUBQ, VPSUBQ -> PackedIntegers::psubq;
            case PAND, VPAND, ANDPS, VANDPS, ANDPD, VANDPD -> PackedIntegers::pand;
            case PANDN, VPANDN, ANDNPS, VANDNPS, ANDNPD, VANDNPD -> PackedIntegers::pandn;
            case POR, VPOR, ORPS, VORPS, ORPD, VORPD -> PackedIntegers::por;
            case PXOR, VPXOR, XORPS, VXORPS, XORPD, VXORPD -> PackedIntegers::pxor;
            case PCMPEQB, VPCMPEQB -> PackedIntegers::pcmpeqb;
            case PCMPEQW, VPCMPEQW -> PackedIntegers::pcmpeqw;
            case PCMPEQD, VPCMPEQD -> PackedIntegers::pcmpeqd;
            case PCMPEQQ, VPCMPEQQ -> PackedIntegers::pcmpeqq;
            case PCMPGTB, VPCMPGTB -> PackedIntegers::pcmpgtb;
            case PCMPGTW, VPCMPGTW -> PackedIntegers::pcmpgtw;
            case PCMPGTD, VPCMPGTD -> PackedIntegers::pcmpgtd;
            case PCMPGTQ, VPCMPGTQ -> PackedIntegers::pcmpgtq;
            case PMINUB, VPMINUB -> PackedIntegers::pminub;
            case PMAXUB, VPMAXUB -> PackedIntegers::pmaxub;
            case PMINSB, VPMINSB -> PackedIntegers::pminsb;
            case PMAXSB, VPMAXSB -> PackedIntegers::pmaxsb;
            case PMINSW, VPMINSW -> PackedIntegers::pminsw;
            case PMAXSW, VPMAXSW -> PackedIntegers::pmaxsw;
            case PMINUW, VPMINUW -> PackedIntegers::pminuw;
            case PMAXUW, VPMAXUW -> PackedIntegers::pmaxuw;
            case PMINSD, VPMINSD -> PackedIntegers::pminsd;
            case PMAXSD, VPMAXSD -> PackedIntegers::pmaxsd;
            case PMINUD, VPMINUD -> PackedIntegers::pminud;
            case PMAXUD, VPMAXUD -> PackedIntegers::pmaxud;
            case PADDSB, VPADDSB -> PackedIntegers::paddsb;
            case PADDSW, VPADDSW -> PackedIntegers::paddsw;
            case PADDUSB, VPADDUSB -> PackedIntegers::paddusb;
            case PADDUSW, VPADDUSW -> PackedIntegers::paddusw;
            case PSUBSB, VPSUBSB -> PackedIntegers::psubsb;
            case PSUBSW, VPSUBSW -> PackedIntegers::psubsw;
            case PSUBUSB, VPSUBUSB -> PackedIntegers::psubusb;
            case PSUBUSW, VPSUBUSW -> PackedIntegers::psubusw;
            case PAVGB, VPAVGB -> PackedIntegers::pavgb;
            case PAVGW, VPAVGW -> PackedIntegers::pavgw;
            case PMULLW, VPMULLW -> PackedIntegers::pmullw;
            case PMULHW, VPMULHW -> PackedIntegers::pmulhw;
            case PMULHUW, VPMULHUW -> PackedIntegers::pmulhuw;
            case PMULHRSW, VPMULHRSW -> PackedIntegers::pmulhrsw;
            case PMULLD, VPMULLD -> PackedIntegers::pmulld;
            case PMULUDQ, VPMULUDQ -> PackedIntegers::pmuludq;
            case PMULDQ, VPMULDQ -> PackedIntegers::pmuldq;
            case PMADDWD, VPMADDWD -> PackedIntegers::pmaddwd;
            case PMADDUBSW, VPMADDUBSW -> PackedIntegers::pmaddubsw;
            case PSADBW, VPSADBW -> PackedIntegers::psadbw;
            case PABSB, VPABSB -> PackedIntegers::pabsb;
            case PABSW, VPABSW -> PackedIntegers::pabsw;
            case PABSD, VPABSD -> PackedIntegers::pabsd;
            case PSIGNB, VPSIGNB -> PackedIntegers::psignb;
            case PSIGNW, VPSIGNW -> PackedIntegers::psignw;
            case PSIGND, VPSIGND -> PackedIntegers::psignd;
            case VPSLLVD -> PackedShifts::psllvd;
            case VPSLLVQ -> PackedShifts::psllvq;
            case VPSRLVD -> PackedShifts::psrlvd;
            case VPSRLVQ -> PackedShifts::psrlvq;
            case VPSRAVD -> PackedShifts::psravd;
            default -> null;
        };
    }

    private static final class WordOp extends VectorOp {
        private final Binary function;

        WordOp(Instruction insn, int nextOffset, Binary function) {
            super(insn, nextOffset);
            this.function = function;
        }

        @Override
        public void execute(Cpu cpu) {
            use(cpu);
            long la = locate(cpu);
            long b0 = word(cpu, la, 0);
            long b1 = word(cpu, la, 1);
            long[] x = cpu.xmm;
            if (wide) {
                long b2 = word(cpu, la, 2);
                long b3 = word(cpu, la, 3);
                long[] y = cpu.ymmHigh;
                set(
                        cpu,
                        function.apply(x[a], b0),
                        function.apply(x[a + 1], b1),
                        function.apply(y[a], b2),
                        function.apply(y[a + 1], b3));
            } else {
                set(cpu, function.apply(x[a], b0), function.apply(x[a + 1], b1));
            }
        }
    }
}

package org.jvirt.engine.soft.simd;

import org.jspecify.annotations.Nullable;
import org.jvirt.engine.soft.cpu.Cpu;
import org.jvirt.engine.soft.cpu.Op;
import org.jvirt.engine.soft.simd.LaneFunctions.Lane;
import org.jvirt.x86.Instruction;
import org.jvirt.x86.Mnemonic;
import org.jvirt.x86.OperandKind;

/// The instructions that make every 128-bit lane of the result from the corresponding lanes of the operands.
final class LaneOps {
    private LaneOps() {}

    static @Nullable Op of(Instruction insn, int nextOffset) {
        Lane function = function(insn);
        return function == null ? null : new LaneOp(insn, nextOffset, function);
    }

    private static @Nullable Lane function(Instruction insn) {
        return switch (insn.mnemonic()) {
            case PUNPCKLBW, VPUNPCKLBW ->
                (half, a0, a1, b0, b1, imm) ->
                        half == 0 ? PackedShuffles.punpcklbw(a0, b0) : PackedShuffles.punpckhbw(a0, b0);
            case PUNPCKHBW, VPUNPCKHBW ->
                (half, a0, a1, b0, b1, imm) ->
                        half == 0 ? PackedShuffles.punpcklbw(a1, b1) : PackedShuffles.punpckhbw(a1, b1);
            case PUNPCKLWD, VPUNPCKLWD ->
                (half, a0, a1, b0, b1, imm) ->
                        half == 0 ? PackedShuffles.punpcklwd(a0, b0) : PackedShuffles.punpckhwd(a0, b0);
            case PUNPCKHWD, VPUNPCKHWD ->
                (half, a0, a1, b0, b1, imm) ->
                        half == 0 ? PackedShuffles.punpcklwd(a1, b1) : PackedShuffles.punpckhwd(a1, b1);
            case PUNPCKLDQ, VPUNPCKLDQ, UNPCKLPS, VUNPCKLPS ->
                (half, a0, a1, b0, b1, imm) ->
                        half == 0 ? PackedShuffles.punpckldq(a0, b0) : PackedShuffles.punpckhdq(a0, b0);
            case PUNPCKHDQ, VPUNPCKHDQ, UNPCKHPS, VUNPCKHPS ->
                (half, a0, a1, b0, b1, imm) ->
                        half == 0 ? PackedShuffles.punpckldq(a1, b1) : PackedShuffles.punpckhdq(a1, b1);
            case PACKSSWB, VPACKSSWB ->
                (half, a0, a1, b0, b1, imm) ->
                        half == 0 ? PackedShuffles.packsswb(a0, a1) : PackedShuffles.packsswb(b0, b1);
            case PACKUSWB, VPACKUSWB ->
                (half, a0, a1, b0, b1, imm) ->
                        half == 0 ? PackedShuffles.packuswb(a0, a1) : PackedShuffles.packuswb(b0, b1);
            case PACKSSDW, VPACKSSDW ->
                (half, a0, a1, b0, b1, imm) ->
                        half == 0 ? PackedShuffles.packssdw(a0, a1) : PackedShuffles.packssdw(b0, b1);
            case PACKUSDW, VPACKUSDW ->
                (half, a0, a1, b0, b1, imm) ->
                        half == 0 ? PackedShuffles.packusdw(a0, a1) : PackedShuffles.packusdw(b0, b1);
            case PHADDW, VPHADDW ->
                (half, a0, a1, b0, b1, imm) ->
                        half == 0 ? PackedShuffles.phaddw(a0, a1) : PackedShuffles.phaddw(b0, b1);
            case PHADDD, VPHADDD ->
                (half, a0, a1, b0, b1, imm) ->
                        half == 0 ? PackedShuffles.phaddd(a0, a1) : PackedShuffles.phaddd(b0, b1);
            case PHADDSW, VPHADDSW ->
                (half, a0, a1, b0, b1, imm) ->
                        half == 0 ? PackedShuffles.phaddsw(a0, a1) : PackedShuffles.phaddsw(b0, b1);
            case PHSUBW, VPHSUBW ->
                (half, a0, a1, b0, b1, imm) ->
                        half == 0 ? PackedShuffles.phsubw(a0, a1) : PackedShuffles.phsubw(b0, b1);
            case PHSUBD, VPHSUBD ->
                (half, a0, a1, b0, b1, imm) ->
                        half == 0 ? PackedShuffles.phsubd(a0, a1) : PackedShuffles.phsubd(b0, b1);
            case PHSUBSW, VPHSUBSW ->
                (half, a0, a1, b0, b1, imm) ->
                        half == 0 ? PackedShuffles.phsubsw(a0, a1) : PackedShuffles.phsubsw(b0, b1);
            case PUNPCKLQDQ, VPUNPCKLQDQ, UNPCKLPD, VUNPCKLPD, MOVLHPS, VMOVLHPS, MOVHPS, VMOVHPS, MOVHPD, VMOVHPD ->
                LaneFunctions::first;
            case PUNPCKHQDQ, VPUNPCKHQDQ, UNPCKHPD, VUNPCKHPD -> LaneFunctions::second;
            case MOVLPS, VMOVLPS, MOVLPD, VMOVLPD -> LaneFunctions::movlps;
            case MOVHLPS, VMOVHLPS -> LaneFunctions::movhlps;
            case MOVDDUP, VMOVDDUP -> LaneFunctions::movddup;
            case MOVSLDUP, VMOVSLDUP -> LaneFunctions::movsldup;
            case MOVSHDUP, VMOVSHDUP -> LaneFunctions::movshdup;
            case PSHUFD, VPSHUFD -> LaneFunctions::pshufd;
            case PSHUFLW, VPSHUFLW -> LaneFunctions::pshuflw;
            case PSHUFHW, VPSHUFHW -> LaneFunctions::pshufhw;
            case SHUFPS, VSHUFPS -> LaneFunctions::shufps;
            case SHUFPD, VSHUFPD -> LaneFunctions::shufpd;
            case VPERMILPS -> hasImmediate(insn) ? LaneFunctions::pshufd : LaneFunctions::permilps;
            case VPERMILPD -> hasImmediate(insn) ? LaneFunctions::permilpdImmediate : LaneFunctions::permilpd;
            case PSLLDQ, VPSLLDQ -> LaneFunctions::pslldq;
            case PSRLDQ, VPSRLDQ -> LaneFunctions::psrldq;
            case PALIGNR, VPALIGNR -> LaneFunctions::palignr;
            case PSHUFB, VPSHUFB -> LaneFunctions::pshufb;
            case PBLENDW, VPBLENDW -> LaneFunctions::pblendw;
            case BLENDPS, VBLENDPS, VPBLENDD -> LaneFunctions::blendps;
            case BLENDPD, VBLENDPD -> LaneFunctions::blendpd;
            case PHMINPOSUW, VPHMINPOSUW -> LaneFunctions::phminposuw;
            case MPSADBW, VMPSADBW -> LaneFunctions::mpsadbw;
            case PCLMULQDQ, VPCLMULQDQ -> LaneFunctions::pclmulqdq;
            case AESENC, VAESENC -> Aes::encrypt;
            case AESENCLAST, VAESENCLAST -> Aes::encryptLast;
            case AESDEC, VAESDEC -> Aes::decrypt;
            case AESDECLAST, VAESDECLAST -> Aes::decryptLast;
            case AESIMC, VAESIMC -> Aes::inverseMixColumns;
            case AESKEYGENASSIST, VAESKEYGENASSIST -> Aes::keyGenerationAssist;
            case SHA1NEXTE -> Sha::sha1nexte;
            case SHA1MSG1 -> Sha::sha1msg1;
            case SHA1MSG2 -> Sha::sha1msg2;
            case SHA1RNDS4 -> Sha::sha1rnds4;
            case SHA256MSG1 -> Sha::sha256msg1;
            case SHA256MSG2 -> Sha::sha256msg2;
            default -> null;
        };
    }

    private static boolean hasImmediate(Instruction insn) {
        return insn.kind(insn.operandCount() - 1) == OperandKind.IMMEDIATE;
    }

    /// How far the immediate is shifted for the high lane.
    private static int immediateBitsPerLane(Mnemonic mnemonic) {
        return switch (mnemonic) {
            case VSHUFPD, VBLENDPD, VPERMILPD -> 2;
            case VMPSADBW -> 3;
            case VBLENDPS, VPBLENDD -> 4;
            default -> 0;
        };
    }

    private static final class LaneOp extends VectorOp {
        private final Lane function;
        private final int immHigh;

        LaneOp(Instruction insn, int nextOffset, Lane function) {
            super(insn, nextOffset);
            this.function = function;
            immHigh = imm >>> immediateBitsPerLane(insn.mnemonic());
        }

        @Override
        public void execute(Cpu cpu) {
            use(cpu);
            long la = locate(cpu);
            long b0 = word(cpu, la, 0);
            long b1 = word(cpu, la, 1);
            long a0 = cpu.xmm[a];
            long a1 = cpu.xmm[a + 1];
            if (wide) {
                long b2 = word(cpu, la, 2);
                long b3 = word(cpu, la, 3);
                long a2 = cpu.ymmHigh[a];
                long a3 = cpu.ymmHigh[a + 1];
                set(
                        cpu,
                        function.apply(0, a0, a1, b0, b1, imm),
                        function.apply(1, a0, a1, b0, b1, imm),
                        function.apply(0, a2, a3, b2, b3, immHigh),
                        function.apply(1, a2, a3, b2, b3, immHigh));
            } else {
                set(cpu, function.apply(0, a0, a1, b0, b1, imm), function.apply(1, a0, a1, b0, b1, imm));
            }
        }
    }
}

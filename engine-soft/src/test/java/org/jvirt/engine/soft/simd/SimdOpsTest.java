package org.jvirt.engine.soft.simd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.jvirt.x86.Mem.mem;
import static org.jvirt.x86.Registers.MM0;
import static org.jvirt.x86.Registers.MM1;
import static org.jvirt.x86.Registers.RBX;
import static org.jvirt.x86.Registers.XMM0;
import static org.jvirt.x86.Registers.XMM1;
import static org.jvirt.x86.Registers.XMM2;

import java.util.Arrays;
import java.util.Objects;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.jvirt.engine.soft.cpu.Control;
import org.jvirt.engine.soft.cpu.Cpu;
import org.jvirt.engine.soft.cpu.GuestFault;
import org.jvirt.engine.soft.cpu.TestProcessor;
import org.jvirt.x86.Access;
import org.jvirt.x86.CodeSize;
import org.jvirt.x86.CpuFeature;
import org.jvirt.x86.Decoder;
import org.jvirt.x86.Instruction;
import org.jvirt.x86.InstructionGenerator;
import org.jvirt.x86.Mnemonic;
import org.jvirt.x86.OpcodeRow;
import org.jvirt.x86.OpcodeTable;

class SimdOpsTest {
    private static final int UD = 6;
    private static final int NM = 7;
    private static final int GP = 13;
    private static final int PF = 14;
    private static final int XM = 19;
    private static final int BASE = 15;

    private final VectorMachine machine = VectorMachine.long64();
    private final Cpu cpu = machine.cpu;

    @AfterEach
    void close() {
        machine.close();
    }

    private InstructionGenerator generator() {
        return new InstructionGenerator(8)
                .memory(InstructionGenerator.MemoryForm.ALWAYS)
                .registers(0xFFFF & ~(1 << BASE))
                .bases(1 << BASE)
                .indexes(0)
                .displacements(0, 1024)
                .alignDisplacements(true)
                .relativeAddresses(false);
    }

    private boolean isTested(Instruction insn) {
        String name = insn.mnemonic().name();
        return insn.memoryOperand() >= 0
                && insn.base() == BASE
                && !name.contains("GATHER")
                && !name.contains("MASKMOV")
                && VectorMachine.operation(insn, cpu) != null;
    }

    private record Registers(long[] general, long[] xmm, long[] high, int tags, int status, int mxcsr, int flags) {
        static Registers of(Cpu cpu) {
            return new Registers(
                    Arrays.copyOf(cpu.r, 16),
                    cpu.xmm.clone(),
                    cpu.ymmHigh.clone(),
                    cpu.x87.tags(),
                    cpu.x87.status(),
                    cpu.mxcsr.value(),
                    cpu.flags.pack());
        }
    }

    @Test
    void anInstructionWhoseMemoryIsAbsentFaultsAndChangesNothing() {
        var random = new SplittableRandom(9);
        var insn = new Instruction();
        InstructionGenerator generator = generator();
        int tried = 0;
        for (OpcodeRow row : OpcodeTable.rows()) {
            for (int i = 0; i < 5; i++) {
                if (!generator.generate(row, CodeSize.CODE64, insn) || !isTested(insn)) {
                    continue;
                }
                tried++;
                for (int k = 0; k < 32; k++) {
                    cpu.xmm[k] = random.nextLong();
                    cpu.ymmHigh[k] = random.nextLong();
                }
                cpu.x87.fninit();
                cpu.x87.loadInteger(random.nextInt());
                cpu.r[BASE] = TestProcessor.ABSENT;
                Registers before = Registers.of(cpu);
                assertThat(machine.run(generator.bytes())).as("%s", insn).isEqualTo(PF);
                assertThat(Registers.of(cpu))
                        .as("%s", insn)
                        .usingRecursiveComparison()
                        .isEqualTo(before);
                boolean writes = row.access(insn.memoryOperand()) != Access.READ;
                assertThat(faultedByWrite(generator.bytes())).as("%s", insn).isEqualTo(writes);
            }
        }
        assertThat(tried).isGreaterThan(3_000);
    }

    /// Whether the page fault of an instruction is that of a write.
    private boolean faultedByWrite(byte[] code) {
        var insn = new Instruction();
        new Decoder().decode(code, 0, code.length, CodeSize.CODE64, insn);
        try {
            Objects.requireNonNull(VectorMachine.operation(insn, cpu)).execute(cpu);
        } catch (GuestFault fault) {
            return (fault.errorCode() & 2) != 0;
        }
        throw new AssertionError("no fault: " + insn);
    }

    @Test
    void sixteenByteOperandsMustBeAlignedInLegacyFormsAndNeedNotBeInVexForms() {
        var insn = new Instruction();
        InstructionGenerator generator = generator();
        int aligned = 0;
        for (OpcodeRow row : OpcodeTable.rows()) {
            if (row.feature() == CpuFeature.SHA || !generator.generate(row, CodeSize.CODE64, insn) || !isTested(insn)) {
                continue;
            }
            cpu.r[BASE] = VectorMachine.DATA + 8;
            boolean mustBeAligned = insn.size(insn.memoryOperand()) == 16
                    && !insn.vex()
                    && !insn.mnemonic().name().matches("MOVDQU|MOVUP.|LDDQU|PCMP.STR.");
            if (mustBeAligned) {
                assertThat(machine.run(generator.bytes())).as("%s", insn).isEqualTo(GP);
                aligned++;
            } else if (insn.vex() && insn.alignment() == 0 && insn.mnemonic() != Mnemonic.VLDMXCSR) {
                cpu.mxcsr.value(0x1F80);
                assertThat(machine.run(generator.bytes())).as("%s", insn).isEqualTo(VectorMachine.NO_FAULT);
            }
        }
        assertThat(aligned).isGreaterThan(150);
    }

    @Test
    void aStoreIntoAnAbsentPageWritesNothingBeforeIt() {
        long at = TestProcessor.ABSENT - 8;
        machine.word(at, 0x1122_3344_5566_7788L);
        cpu.r[Cpu.RBX] = at;
        cpu.xmm[0] = -1;
        assertThat(machine.run(a -> a.movdqu(mem(RBX), XMM0))).isEqualTo(PF);
        assertThat(machine.word(at)).isEqualTo(0x1122_3344_5566_7788L);
    }

    @Test
    void legacyFormsKeepTheUpperHalfAndVexFormsClearIt() {
        Arrays.fill(cpu.ymmHigh, 7);
        machine.run(a -> a.pxor(XMM1, XMM2));
        assertThat(cpu.ymmHigh[2]).isEqualTo(7);
        machine.run(a -> a.emit(Mnemonic.VPXOR, XMM1, XMM1, XMM2));
        assertThat(cpu.ymmHigh[2]).isZero();
        assertThat(cpu.ymmHigh[3]).isZero();
        assertThat(cpu.ymmHigh[4]).isEqualTo(7);
    }

    @Test
    void theyAreUndefinedOrNotAvailableAsControlRegistersSay() {
        long cr0 = Control.PE | Control.PG | Control.ET;
        cpu.control.setCr0(cr0 | Control.TS);
        assertThat(machine.run(a -> a.pxor(XMM0, XMM0))).isEqualTo(NM);
        assertThat(machine.run(a -> a.pxor(MM0, MM1))).isEqualTo(NM);
        assertThat(machine.run(a -> a.emit(Mnemonic.VPXOR, XMM0, XMM0, XMM0))).isEqualTo(NM);
        assertThat(machine.run(a -> a.emit(Mnemonic.FLD1))).isEqualTo(NM);
        cpu.control.setCr0(cr0 | Control.EM);
        assertThat(machine.run(a -> a.pxor(XMM0, XMM0))).isEqualTo(UD);
        assertThat(machine.run(a -> a.pxor(MM0, MM1))).isEqualTo(UD);
        assertThat(machine.run(a -> a.emit(Mnemonic.FLD1))).isEqualTo(NM);
        cpu.control.setCr0(cr0);
        cpu.control.setCr4(Control.PAE | Control.OSXMMEXCPT);
        assertThat(machine.run(a -> a.pxor(XMM0, XMM0))).isEqualTo(UD);
        assertThat(machine.run(a -> a.pxor(MM0, MM1))).isEqualTo(VectorMachine.NO_FAULT);
        assertThat(machine.run(a -> a.emit(Mnemonic.VPXOR, XMM0, XMM0, XMM0))).isEqualTo(UD);
    }

    @Test
    void anUnmaskedExceptionLeavesTheDestinationAndSetsTheFlag() {
        cpu.mxcsr.value(0x1F80 & ~(4 << 7));
        cpu.xmm[0] = Double.doubleToRawLongBits(1.0);
        cpu.xmm[2] = 0;
        assertThat(machine.run(a -> a.emit(Mnemonic.DIVSD, XMM0, XMM1))).isEqualTo(XM);
        assertThat(cpu.xmm[0]).isEqualTo(Double.doubleToRawLongBits(1.0));
        assertThat(cpu.mxcsr.value() & 0x3F).isEqualTo(4);
        cpu.control.setCr4(Control.PAE | Control.OSFXSR);
        assertThat(machine.run(a -> a.emit(Mnemonic.DIVSD, XMM0, XMM1))).isEqualTo(UD);
    }

    @Test
    void reservedBitsOfMxcsrAreRefused() {
        machine.word(VectorMachine.DATA, 0x8000_1F80L);
        assertThat(machine.run(
                        a -> a.emit(Mnemonic.LDMXCSR, mem(VectorMachine.DATA).dword())))
                .isEqualTo(GP);
        machine.word(VectorMachine.DATA, 0x9FC0);
        assertThat(machine.run(
                        a -> a.emit(Mnemonic.LDMXCSR, mem(VectorMachine.DATA).dword())))
                .isEqualTo(VectorMachine.NO_FAULT);
        assertThat(machine.run(a ->
                        a.emit(Mnemonic.STMXCSR, mem(VectorMachine.DATA + 8).dword())))
                .isEqualTo(VectorMachine.NO_FAULT);
        assertThat(machine.word(VectorMachine.DATA + 8) & 0xFFFF_FFFFL).isEqualTo(0x9FC0);
    }

    @Test
    void maskedStoresTouchOnlySelectedBytes() {
        long at = TestProcessor.ABSENT - 4;
        machine.word(at - 4, 0x1122_3344_5566_7788L);
        cpu.r[Cpu.RDI] = at;
        cpu.xmm[0] = 0xA7A6_A5A4_A3A2_A1A0L;
        cpu.xmm[2] = 0x0000_0000_8000_0080L;
        cpu.xmm[3] = 0;
        assertThat(machine.run(a -> a.emit(Mnemonic.MASKMOVDQU, XMM0, XMM1))).isEqualTo(VectorMachine.NO_FAULT);
        assertThat(machine.word(at - 4)).isEqualTo(0xA322_33A0_5566_7788L);
        cpu.xmm[2] = 0x0000_0080_0000_0080L;
        cpu.xmm[0] = -1;
        assertThat(machine.run(a -> a.emit(Mnemonic.MASKMOVDQU, XMM0, XMM1))).isEqualTo(PF);
        assertThat(machine.word(at - 4)).isEqualTo(0xA322_33A0_5566_7788L);
    }

    @Test
    void mmxInstructionsClaimTheRegistersOfTheX87UnitAndEmmsFreesThem() {
        cpu.x87.loadInteger(3);
        machine.run(a -> a.pxor(MM0, MM0));
        assertThat(cpu.x87.top()).isZero();
        assertThat(cpu.x87.fullRegisters()).isEqualTo(0xFF);
        assertThat(cpu.x87.signExponent(0)).isEqualTo(0xFFFF);
        machine.run(a -> a.emit(Mnemonic.EMMS));
        assertThat(cpu.x87.fullRegisters()).isZero();
    }

    @Test
    void fieldsOfBitsAreExtractedAndInserted() {
        assertThat(Sse4aOps.extract(0x1234_5678_9ABC_DEF0L, 16, 8)).isEqualTo(0xBCDE);
        assertThat(Sse4aOps.extract(-1, 0, 0)).isEqualTo(-1);
        assertThat(Sse4aOps.insert(0, -1, 8, 60)).isEqualTo(0xF000_0000_0000_0000L);
        assertThat(Sse4aOps.insert(-1, 0, 12, 4)).isEqualTo(0xFFFF_FFFF_FFFF_000FL);
    }
}

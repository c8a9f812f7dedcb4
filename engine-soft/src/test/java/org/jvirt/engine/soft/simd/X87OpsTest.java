package org.jvirt.engine.soft.simd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.jvirt.x86.Mem.mem;
import static org.jvirt.x86.Registers.AX;
import static org.jvirt.x86.Registers.MM0;
import static org.jvirt.x86.Registers.ST0;
import static org.jvirt.x86.Registers.ST1;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.jvirt.engine.soft.cpu.Cpu;
import org.jvirt.engine.soft.cpu.TestProcessor;
import org.jvirt.x86.Mnemonic;

class X87OpsTest {
    private static final int MF = 16;
    private static final long DATA = VectorMachine.DATA;

    private final VectorMachine machine = VectorMachine.long64();
    private final Cpu cpu = machine.cpu;

    @AfterEach
    void close() {
        machine.close();
    }

    private void divideByZeroUnmasked() {
        machine.word(DATA, 0x037B);
        assertThat(machine.run(a -> a.emit(Mnemonic.FLDCW, mem(DATA).word())
                        .emit(Mnemonic.FLD1)
                        .emit(Mnemonic.FLDZ)
                        .emit(Mnemonic.FDIVP, ST1, ST0)))
                .isEqualTo(VectorMachine.NO_FAULT);
    }

    @Test
    void anUnmaskedExceptionIsRaisedByTheNextWaitingInstruction() {
        divideByZeroUnmasked();
        assertThat(machine.run(a -> a.emit(Mnemonic.FNSTSW, AX)
                        .emit(Mnemonic.FNSTCW, mem(DATA).word())))
                .isEqualTo(VectorMachine.NO_FAULT);
        assertThat(cpu.r[Cpu.RAX] & 0x8084).isEqualTo(0x8084);
        assertThat(machine.run(a -> a.emit(Mnemonic.FLD1))).isEqualTo(MF);
        assertThat(machine.run(a -> a.emit(Mnemonic.FWAIT))).isEqualTo(MF);
        assertThat(machine.run(a -> a.pxor(MM0, MM0))).isEqualTo(MF);
        assertThat(machine.run(a -> a.emit(Mnemonic.FNCLEX).emit(Mnemonic.FLD1)))
                .isEqualTo(VectorMachine.NO_FAULT);
    }

    @Test
    void theEnvironmentTellsTheLastInstructionAndItsOperand() {
        machine.word(DATA + 0x10, Double.doubleToRawLongBits(2.5));
        assertThat(machine.run(a -> a.emit(Mnemonic.FNINIT)
                        .emit(Mnemonic.FLD, mem(DATA + 0x10).qword())
                        .emit(Mnemonic.FNSTENV, mem(DATA + 0x40))))
                .isEqualTo(VectorMachine.NO_FAULT);
        assertThat(machine.word(DATA + 0x40) & 0xFFFF).isEqualTo(0x037F);
        assertThat(machine.word(DATA + 0x48) & 0xFFFF).isEqualTo(0x3FFF);
        assertThat(machine.word(DATA + 0x48) >>> 32).isEqualTo(TestProcessor.CODE + 2);
        assertThat(machine.word(DATA + 0x50) & 0xFFFF_FFFFL).isEqualTo(0x504L << 16 | 8);
        assertThat(machine.word(DATA + 0x50) >>> 32).isEqualTo(DATA + 0x10);
        assertThat(machine.word(DATA + 0x58) & 0xFFFF).isEqualTo(0x10);
    }

    @Test
    void whatIsSavedIsRestored() {
        assertThat(machine.run(a -> a.emit(Mnemonic.FLDPI)
                        .emit(Mnemonic.FLD1)
                        .emit(Mnemonic.FNSAVE, mem(DATA))
                        .emit(Mnemonic.FLDZ)
                        .emit(Mnemonic.FRSTOR, mem(DATA))))
                .isEqualTo(VectorMachine.NO_FAULT);
        assertThat(cpu.x87.top()).isEqualTo(6);
        assertThat(cpu.x87.stSignExponent(0)).isEqualTo(0x3FFF);
        assertThat(cpu.x87.stSignificand(1)).isEqualTo(0xC90F_DAA2_2168_C235L);
        assertThat(cpu.x87.fullRegisters()).isEqualTo(0xC0);
    }

    @Test
    void savingInitialises() {
        divideByZeroUnmasked();
        assertThat(machine.run(a -> a.emit(Mnemonic.FNSAVE, mem(DATA)))).isEqualTo(VectorMachine.NO_FAULT);
        assertThat(cpu.x87.pending()).isFalse();
        assertThat(cpu.x87.fullRegisters()).isZero();
        assertThat(cpu.x87.control()).isEqualTo(0x037F);
    }

    @Test
    void inRealModeTheEnvironmentHasLinearAddresses() {
        try (VectorMachine real = VectorMachine.real16()) {
            assertThat(real.run(a -> a.emit(Mnemonic.FNINIT)
                            .emit(Mnemonic.FILD, mem(0x2000).word())
                            .emit(Mnemonic.FNSTENV, mem(0x3000))))
                    .isEqualTo(VectorMachine.NO_FAULT);
            int codeBase = real.cpu.segments.selector(1) << 4;
            int dataBase = real.cpu.segments.selector(3) << 4;
            long ip = codeBase + TestProcessor.CODE + 2;
            long dp = dataBase + 0x2000L;
            assertThat(real.word(0x3006) & 0xFFFF).isEqualTo(ip & 0xFFFF);
            assertThat(real.word(0x3008) & 0xFFFF).isEqualTo((ip >> 16) << 12 | 0x706);
            assertThat(real.word(0x300A) & 0xFFFF).isEqualTo(dp & 0xFFFF);
            assertThat(real.word(0x300C) & 0xFFFF).isEqualTo((dp >> 16) << 12);
        }
    }

    @Test
    void operandsInMemoryHaveTheirFormats() {
        machine.word(DATA, 0xFFFFL);
        machine.word(DATA + 8, Integer.toUnsignedLong(Float.floatToRawIntBits(1.5f)));
        machine.word(DATA + 16, Double.doubleToRawLongBits(0.25));
        assertThat(machine.run(a -> a.emit(Mnemonic.FILD, mem(DATA).word())
                        .emit(Mnemonic.FADD, mem(DATA + 8).dword())
                        .emit(Mnemonic.FMUL, mem(DATA + 16).qword())
                        .emit(Mnemonic.FISUBR, mem(DATA).word())
                        .emit(Mnemonic.FSTP, mem(DATA + 24).qword())))
                .isEqualTo(VectorMachine.NO_FAULT);
        assertThat(Double.longBitsToDouble(machine.word(DATA + 24))).isEqualTo(-1 - (-1 + 1.5) * 0.25);
        assertThat(cpu.x87.fullRegisters()).isZero();
    }

    @Test
    void comparisonsAndConditionalMovesUseTheFlags() {
        assertThat(machine.run(a -> a.emit(Mnemonic.FLD1).emit(Mnemonic.FLDZ).emit(Mnemonic.FCOMI, ST0, ST1)))
                .isEqualTo(VectorMachine.NO_FAULT);
        assertThat(cpu.flags.cf()).isTrue();
        assertThat(cpu.flags.zf()).isFalse();
        assertThat(machine.run(a -> a.emit(Mnemonic.FCMOVNB, ST0, ST1))).isEqualTo(VectorMachine.NO_FAULT);
        assertThat(cpu.x87.stSignExponent(0)).isZero();
        assertThat(machine.run(a -> a.emit(Mnemonic.FCMOVB, ST0, ST1))).isEqualTo(VectorMachine.NO_FAULT);
        assertThat(cpu.x87.stSignExponent(0)).isEqualTo(0x3FFF);
    }
}

package org.jvirt.engine.soft.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.jvirt.engine.soft.fp.Mxcsr;

/// FXSAVE and the XSAVE family (Intel SDM volume 1, chapters 10.5 and 13).
class XsaveTest {
    private static final long AREA = 0x20_0000;
    private static final long HEADER = AREA + 512;
    private static final long ALL = 7;
    private static final int GENERAL_PROTECTION = 13;

    private final TestProcessor test = TestProcessor.long64();
    private final Cpu cpu = test.cpu;
    private final SplittableRandom random = new SplittableRandom(7);

    @BeforeEach
    void allowAllComponents() {
        cpu.control.setCr4(cpu.control.cr4() | Control.OSFXSR | Control.OSXSAVE);
        cpu.control.setXcr0(ALL);
        request(ALL);
    }

    @AfterEach
    void close() {
        test.close();
    }

    private void request(long components) {
        cpu.r[Cpu.RAX] = components;
        cpu.r[Cpu.RDX] = 0;
    }

    private void fillRegisters() {
        for (int i = 0; i < 32; i++) {
            cpu.xmm[i] = random.nextLong();
            cpu.ymmHigh[i] = random.nextLong();
        }
        cpu.mxcsr.value(0x9fa0);
        cpu.x87.fninit();
        cpu.x87.control(0x27f);
        cpu.x87.loadInteger(random.nextLong());
        cpu.x87.loadInteger(random.nextInt());
    }

    private void clearRegisters() {
        Arrays.fill(cpu.xmm, -1);
        Arrays.fill(cpu.ymmHigh, -1);
        cpu.mxcsr.value(Mxcsr.RESET);
        cpu.x87.fninit();
    }

    private record Registers(long[] xmm, long[] ymmHigh, int mxcsr, int control, int status, long st0, long st1) {}

    private Registers registers() {
        return new Registers(
                cpu.xmm.clone(),
                cpu.ymmHigh.clone(),
                cpu.mxcsr.value(),
                cpu.x87.control(),
                cpu.x87.status(),
                cpu.x87.stSignificand(0),
                cpu.x87.stSignificand(1));
    }

    private static void assertSame(Registers actual, Registers expected) {
        assertThat(actual).usingRecursiveComparison().isEqualTo(expected);
    }

    @Test
    void fxsaveAndFxrstorKeepX87AndSse() {
        fillRegisters();
        Registers before = registers();
        cpu.xsave.fxsave(AREA, true);
        long[] upper = cpu.ymmHigh.clone();
        clearRegisters();
        System.arraycopy(upper, 0, cpu.ymmHigh, 0, upper.length);
        cpu.xsave.fxrstor(AREA, true);
        assertSame(registers(), before);
    }

    @Test
    void everyFormOfXsaveIsRestored() {
        for (String form : new String[] {"XSAVE", "XSAVEOPT", "XSAVEC"}) {
            fillRegisters();
            Registers before = registers();
            switch (form) {
                case "XSAVE" -> cpu.xsave.xsave(AREA, true, false);
                case "XSAVEOPT" -> cpu.xsave.xsave(AREA, true, true);
                default -> cpu.xsave.xsavec(AREA, true);
            }
            clearRegisters();
            cpu.xsave.xrstor(AREA, true, false);
            assertSame(registers(), before);
            test.memory.fill(AREA, 1024, (byte) 0);
        }
    }

    @Test
    void aComponentThatWasNotSavedIsInitialised() {
        fillRegisters();
        cpu.xsave.xsave(AREA, true, false);
        cpu.mmu.store64(HEADER, 1);
        cpu.xsave.xrstor(AREA, true, false);
        assertThat(cpu.xmm).containsOnly(0);
        assertThat(cpu.ymmHigh).containsOnly(0);
        assertThat(cpu.x87.control()).isEqualTo(0x27f);
    }

    @Test
    void whatIsNotRequestedStaysAsItIs() {
        fillRegisters();
        cpu.xsave.xsave(AREA, true, false);
        clearRegisters();
        request(2);
        cpu.xsave.xrstor(AREA, true, false);
        assertThat(cpu.xmm).doesNotContain(-1);
        assertThat(cpu.ymmHigh).containsOnly(-1);
        assertThat(cpu.x87.control()).isEqualTo(0x37f);
    }

    @Test
    void headersAndAddressesThatTheManualForbidsFaultBeforeAnyChange() {
        fillRegisters();
        cpu.xsave.xsave(AREA, true, false);
        clearRegisters();
        Registers before = registers();
        assertFault(() -> cpu.xsave.xsave(AREA + 32, true, false));
        assertFault(() -> cpu.xsave.xrstor(AREA + 16, true, false));
        assertFault(() -> cpu.xsave.xrstor(AREA, true, true));
        cpu.mmu.store64(HEADER, ALL | 1 << 9);
        assertFault(() -> cpu.xsave.xrstor(AREA, true, false));
        cpu.mmu.store64(HEADER, ALL);
        cpu.mmu.store64(HEADER + 16, 1);
        assertFault(() -> cpu.xsave.xrstor(AREA, true, false));
        cpu.mmu.store64(HEADER + 16, 0);
        cpu.mmu.store32(AREA + 24, 0x1_0000);
        assertFault(() -> cpu.xsave.xrstor(AREA, true, false));
        assertSame(registers(), before);
    }

    private static void assertFault(Runnable action) {
        assertThatThrownBy(action::run)
                .isInstanceOfSatisfying(
                        GuestFault.class, fault -> assertThat(fault.vector()).isEqualTo(GENERAL_PROTECTION));
    }
}

package org.jvirt.engine.soft.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/// IRET in real mode, and what it leaves alone.
class RealModeReturnTest {
    @Test
    void virtualInterruptFlagsStayAsTheyAre() {
        try (var test = TestProcessor.real16()) {
            Cpu cpu = test.cpu;
            cpu.r[Cpu.RSP] = 0x2000;
            test.memory.writeInt(0x2000, 0x1234);
            test.memory.writeInt(0x2004, 0x100);
            test.memory.writeInt(0x2008, Cpu.VIF | Cpu.VIP | Cpu.VM | Cpu.IF | Cpu.AC | 3);
            cpu.far.iret(4);
            assertThat(cpu.rip).isEqualTo(0x1234);
            assertThat(cpu.segments.selector(Segments.CS)).isEqualTo(0x100);
            assertThat(cpu.segments.base(Segments.CS)).isEqualTo(0x1000);
            assertThat(cpu.rflags()).isEqualTo(Cpu.IF | Cpu.AC | 3);
            assertThat(cpu.sp()).isEqualTo(0x200C);
        }
    }
}

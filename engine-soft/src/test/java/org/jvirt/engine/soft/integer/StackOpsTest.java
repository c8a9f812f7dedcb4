package org.jvirt.engine.soft.integer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.jvirt.engine.soft.cpu.Cpu;
import org.jvirt.engine.soft.cpu.GuestFault;
import org.jvirt.engine.soft.cpu.Segments;
import org.jvirt.engine.soft.cpu.TestProcessor;

class StackOpsTest {
    private static final long STACK = 0x8000;

    private final TestProcessor machine = TestProcessor.long64();
    private final Cpu cpu = machine.cpu;
    private final Program program = new Program(machine);

    @AfterEach
    void close() {
        machine.close();
    }

    private static byte[] bytes(int... values) {
        byte[] result = new byte[values.length];
        for (int i = 0; i < values.length; i++) {
            result[i] = (byte) values[i];
        }
        return result;
    }

    @Test
    void pushOfTheStackPointerStoresItsOldValueAndPopLoadsIt() {
        cpu.r[Cpu.RSP] = STACK;
        program.run(bytes(0x54));
        assertThat(machine.memory.readLong(STACK - 8)).isEqualTo(STACK);
        machine.memory.writeLong(STACK - 8, 0x1234_5678_9ABCL);
        program.run(bytes(0x5C));
        assertThat(cpu.r[Cpu.RSP]).isEqualTo(0x1234_5678_9ABCL);
    }

    @Test
    void immediatesAreSignExtendedToTheOperand() {
        cpu.r[Cpu.RSP] = STACK;
        program.run(bytes(0x6A, 0x80, 0x68, 0, 0, 0, 0x80, 0x66, 0x6A, 0xFF));
        assertThat(machine.memory.readLong(STACK - 8)).isEqualTo(-128);
        assertThat(machine.memory.readLong(STACK - 16)).isEqualTo(0xFFFF_FFFF_8000_0000L);
        assertThat(machine.memory.readShort(STACK - 18)).isEqualTo(0xFFFF);
        assertThat(cpu.r[Cpu.RSP]).isEqualTo(STACK - 18);
    }

    @Test
    void popIntoMemoryOnTheStackUsesTheNewStackPointer() {
        cpu.r[Cpu.RSP] = STACK;
        machine.memory.writeLong(STACK, 0x77);
        // pop qword [rsp + 16]
        program.run(bytes(0x8F, 0x44, 0x24, 0x10));
        assertThat(machine.memory.readLong(STACK + 8 + 16)).isEqualTo(0x77);
        assertThat(cpu.r[Cpu.RSP]).isEqualTo(STACK + 8);
    }

    @Test
    void aPopThatCannotStoreKeepsTheStackPointer() {
        cpu.r[Cpu.RSP] = STACK;
        cpu.r[Cpu.RAX] = TestProcessor.ABSENT;
        assertThatThrownBy(() -> program.run(bytes(0x8F, 0x00))).isInstanceOf(GuestFault.class);
        assertThat(cpu.r[Cpu.RSP]).isEqualTo(STACK);
    }

    @Test
    void enterAndLeaveMakeAndDropFrames() {
        cpu.r[Cpu.RSP] = STACK;
        cpu.r[Cpu.RBP] = 0x9000;
        program.run(bytes(0xC8, 0x20, 0x00, 0x00));
        assertThat(cpu.r[Cpu.RBP]).isEqualTo(STACK - 8);
        assertThat(cpu.r[Cpu.RSP]).isEqualTo(STACK - 8 - 0x20);
        program.run(bytes(0xC9));
        assertThat(cpu.r[Cpu.RSP]).isEqualTo(STACK);
        assertThat(cpu.r[Cpu.RBP]).isEqualTo(0x9000);
    }

    @Test
    void nestedFramesCopyTheDisplay() {
        cpu.r[Cpu.RSP] = STACK;
        cpu.r[Cpu.RBP] = 0x9000;
        machine.memory.writeLong(0x9000 - 8, 0x111);
        machine.memory.writeLong(0x9000 - 16, 0x222);
        program.run(bytes(0xC8, 0x08, 0x00, 0x03));
        assertThat(machine.memory.readLong(STACK - 8)).isEqualTo(0x9000);
        assertThat(machine.memory.readLong(STACK - 16)).isEqualTo(0x111);
        assertThat(machine.memory.readLong(STACK - 24)).isEqualTo(0x222);
        assertThat(machine.memory.readLong(STACK - 32)).isEqualTo(STACK - 8);
        assertThat(cpu.r[Cpu.RBP]).isEqualTo(STACK - 8);
        assertThat(cpu.r[Cpu.RSP]).isEqualTo(STACK - 40);
    }

    @Test
    void aFrameThatDoesNotFitChangesNoRegister() {
        cpu.r[Cpu.RSP] = TestProcessor.ABSENT + TestProcessor.ABSENT_BYTES + 0x10;
        cpu.r[Cpu.RBP] = 0x9000;
        assertThatThrownBy(() -> program.run(bytes(0xC8, 0x00, 0x01, 0x00))).isInstanceOf(GuestFault.class);
        assertThat(cpu.r[Cpu.RSP]).isEqualTo(TestProcessor.ABSENT + TestProcessor.ABSENT_BYTES + 0x10);
        assertThat(cpu.r[Cpu.RBP]).isEqualTo(0x9000);
    }

    @Test
    void allRegistersGoToTheStackAndComeBack() {
        try (TestProcessor flat = TestProcessor.protected32()) {
            Cpu c = flat.cpu;
            for (int i = 0; i < 8; i++) {
                c.r[i] = 0x1000_0000L + i;
            }
            c.r[Cpu.RSP] = STACK;
            var run = new Program(flat);
            run.run(bytes(0x60));
            assertThat(c.r[Cpu.RSP]).isEqualTo(STACK - 32);
            for (int i = 0; i < 8; i++) {
                int expected = i == Cpu.RSP ? (int) STACK : 0x1000_0000 + i;
                assertThat(flat.memory.readInt(STACK - 4 - 4L * i)).isEqualTo(expected);
            }
            for (int i = 0; i < 8; i++) {
                if (i != Cpu.RSP) {
                    c.r[i] = 0;
                }
            }
            run.run(bytes(0x61));
            assertThat(c.r[Cpu.RSP]).isEqualTo(STACK);
            for (int i = 0; i < 8; i++) {
                assertThat(c.r[i]).isEqualTo(i == Cpu.RSP ? STACK : 0x1000_0000L + i);
            }
        }
    }

    @Test
    void aSixteenBitStackWrapsAndLeavesUpperBits() {
        try (TestProcessor real = TestProcessor.real16()) {
            Cpu c = real.cpu;
            c.segments.base[Segments.SS] = 0x1_0000;
            c.r[Cpu.RSP] = 0xABCD_0000L;
            c.r[Cpu.RAX] = 0x5678;
            new Program(real).run(bytes(0x50));
            assertThat(c.r[Cpu.RSP]).isEqualTo(0xABCD_FFFEL);
            assertThat(real.memory.readShort(0x1_FFFE)).isEqualTo(0x5678);
            new Program(real).run(bytes(0x5B));
            assertThat(c.r[Cpu.RSP]).isEqualTo(0xABCD_0000L);
            assertThat(c.r[Cpu.RBX] & 0xFFFF).isEqualTo(0x5678);
        }
    }
}

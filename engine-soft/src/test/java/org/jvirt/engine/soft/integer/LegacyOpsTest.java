package org.jvirt.engine.soft.integer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.jvirt.engine.soft.cpu.Cpu;
import org.jvirt.engine.soft.cpu.Flags;
import org.jvirt.engine.soft.cpu.GuestFault;
import org.jvirt.engine.soft.cpu.TestProcessor;

/// Instructions that only 16- and 32-bit code has.
class LegacyOpsTest {
    private static final long BOUNDS = 0x2_0000;

    private final TestProcessor machine = TestProcessor.protected32();
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
    void decimalInstructionsChangeOnlyTheAccumulator() {
        cpu.r[Cpu.RAX] = 0x1234_5679L;
        cpu.flags.add8(0x35, 0x44);
        program.run(bytes(0x27));
        assertThat(cpu.r[Cpu.RAX]).isEqualTo(0x1234_5679L);
        cpu.r[Cpu.RAX] = 0x1234_003FL;
        program.run(bytes(0xD4, 10));
        assertThat(cpu.r[Cpu.RAX]).isEqualTo(0x1234_0603L);
        program.run(bytes(0xD5, 10));
        assertThat(cpu.r[Cpu.RAX]).isEqualTo(0x1234_003FL);
        cpu.flags.unpack(Flags.CF);
        program.run(bytes(0xD6));
        assertThat(cpu.r[Cpu.RAX]).isEqualTo(0x1234_00FFL);
    }

    @Test
    void dividingByZeroInAamIsADivideError() {
        assertThatThrownBy(() -> program.run(bytes(0xD4, 0)))
                .isInstanceOfSatisfying(
                        GuestFault.class, fault -> assertThat(fault.vector()).isZero());
    }

    @Test
    void boundAcceptsItsLimitsAndRefusesWhatIsBeyond() {
        machine.memory.writeInt(BOUNDS, -5);
        machine.memory.writeInt(BOUNDS + 4, 7);
        cpu.r[Cpu.RBX] = BOUNDS;
        for (int inside : new int[] {-5, 0, 7}) {
            cpu.r[Cpu.RAX] = inside & 0xFFFF_FFFFL;
            program.run(bytes(0x62, 0x03));
        }
        for (int outside : new int[] {-6, 8, Integer.MIN_VALUE, Integer.MAX_VALUE}) {
            cpu.r[Cpu.RAX] = outside & 0xFFFF_FFFFL;
            assertThatThrownBy(() -> program.run(bytes(0x62, 0x03)))
                    .isInstanceOfSatisfying(
                            GuestFault.class,
                            fault -> assertThat(fault.vector()).isEqualTo(5));
        }
    }

    @Test
    void shortIncrementsKeepTheUpperHalf() {
        cpu.r[Cpu.RAX] = 0x1234_FFFFL;
        program.run(bytes(0x66, 0x40));
        assertThat(cpu.r[Cpu.RAX]).isEqualTo(0x1234_0000L);
        assertThat(cpu.flags.zf()).isTrue();
        program.run(bytes(0x48));
        assertThat(cpu.r[Cpu.RAX]).isEqualTo(0x1233_FFFFL);
    }
}

package org.jvirt.engine.soft.integer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.jvirt.x86.Mem.mem;
import static org.jvirt.x86.Registers.EAX;
import static org.jvirt.x86.Registers.EBX;
import static org.jvirt.x86.Registers.RAX;
import static org.jvirt.x86.Registers.RBX;
import static org.jvirt.x86.Registers.RCX;
import static org.jvirt.x86.Registers.RDX;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.jvirt.engine.soft.cpu.Cpu;
import org.jvirt.engine.soft.cpu.Flags;
import org.jvirt.engine.soft.cpu.GuestFault;
import org.jvirt.engine.soft.cpu.Segments;
import org.jvirt.engine.soft.cpu.TestProcessor;

class BranchOpsTest {
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
    void everyConditionalJumpIsTakenExactlyWhenItsConditionHolds() {
        for (int code = 0; code < 16; code++) {
            byte[] jump = bytes(0x70 | code, 0x10);
            for (int bits = 0; bits <= 0xFFF; bits++) {
                cpu.flags.unpack(bits);
                program.step(jump, 0);
                long expected = TestProcessor.CODE + 2 + (cpu.flags.condition(code) ? 0x10 : 0);
                if (cpu.rip != expected) {
                    assertThat(cpu.rip)
                            .as("condition %d, flags 0x%x", code, bits)
                            .isEqualTo(expected);
                }
            }
        }
    }

    @Test
    void aRecursiveProgramComputesItsResult() {
        cpu.r[Cpu.RSP] = STACK;
        program.run(a -> a.mov(RBX, 20)
                .call("fibonacci")
                .jmp("end")
                .label("fibonacci")
                .cmp(RBX, 2)
                .jb("small")
                .push(RBX)
                .sub(RBX, 1)
                .call("fibonacci")
                .pop(RBX)
                .push(RAX)
                .sub(RBX, 2)
                .call("fibonacci")
                .pop(RCX)
                .add(RAX, RCX)
                .ret()
                .label("small")
                .mov(RAX, RBX)
                .ret()
                .label("end"));
        assertThat(cpu.r[Cpu.RAX]).isEqualTo(6765);
        assertThat(cpu.r[Cpu.RSP]).isEqualTo(STACK);
    }

    @Test
    void loopsCountWithTheAddressSize() {
        cpu.r[Cpu.RCX] = 0xFFFF_FFFF_0000_0003L;
        program.run(a -> a.mov(RAX, 0).label("again").add(RAX, 1).db(0x67, 0xE2, 0xF9));
        assertThat(cpu.r[Cpu.RAX]).isEqualTo(3);
        assertThat(cpu.r[Cpu.RCX]).as("a 32-bit counter clears the upper half").isZero();
    }

    @Test
    void conditionalLoopsLookAtTheCountAndZf() {
        cpu.r[Cpu.RCX] = 5;
        cpu.flags.unpack(Flags.ZF);
        program.step(bytes(0xE1, 0x10), 0);
        assertThat(cpu.rip).isEqualTo(TestProcessor.CODE + 0x12);
        program.step(bytes(0xE0, 0x10), 0);
        assertThat(cpu.rip).isEqualTo(TestProcessor.CODE + 2);
        cpu.r[Cpu.RCX] = 1;
        program.step(bytes(0xE1, 0x10), 0);
        assertThat(cpu.rip).isEqualTo(TestProcessor.CODE + 2);
        assertThat(cpu.r[Cpu.RCX]).isZero();
        assertThat(cpu.flags.pack()).isEqualTo(Flags.ZF);
        program.step(bytes(0xE3, 0x10), 0);
        assertThat(cpu.rip).isEqualTo(TestProcessor.CODE + 0x12);
        assertThat(cpu.r[Cpu.RCX]).isZero();
    }

    @Test
    void returningDropsArguments() {
        cpu.r[Cpu.RSP] = STACK;
        machine.memory.writeLong(STACK, 0x1234);
        program.step(bytes(0xC2, 0x18, 0x00), 0);
        assertThat(cpu.rip).isEqualTo(0x1234);
        assertThat(cpu.r[Cpu.RSP]).isEqualTo(STACK + 8 + 0x18);
    }

    @Test
    void aCallThroughTheStackReadsItsTargetBeforeItPushes() {
        cpu.r[Cpu.RSP] = STACK;
        machine.memory.writeLong(STACK, 0x4321);
        program.step(bytes(0xFF, 0x14, 0x24), 0);
        assertThat(cpu.rip).isEqualTo(0x4321);
        assertThat(cpu.r[Cpu.RSP]).isEqualTo(STACK - 8);
        assertThat(machine.memory.readLong(STACK - 8)).isEqualTo(TestProcessor.CODE + 3);
    }

    @Test
    void aTargetThatIsNotCanonicalFaultsAtTheBranchAndChangesNothing() {
        cpu.r[Cpu.RSP] = STACK;
        cpu.r[Cpu.RAX] = 0x8000_0000_0000L;
        machine.memory.writeLong(STACK, cpu.r[Cpu.RAX]);
        for (byte[] code : new byte[][] {bytes(0xFF, 0xE0), bytes(0xFF, 0xD0), bytes(0xC3)}) {
            assertThatThrownBy(() -> program.step(code, 0))
                    .isInstanceOfSatisfying(
                            GuestFault.class,
                            fault -> assertThat(fault.vector()).isEqualTo(13));
            assertThat(cpu.r[Cpu.RSP]).isEqualTo(STACK);
            assertThat(machine.memory.readLong(STACK - 8)).isZero();
        }
    }

    @Test
    void aCallThatCannotPushKeepsTheStackPointer() {
        cpu.r[Cpu.RSP] = TestProcessor.ABSENT + 8;
        assertThatThrownBy(() -> program.step(bytes(0xE8, 0, 0, 0, 0), 0))
                .isInstanceOfSatisfying(
                        GuestFault.class, fault -> assertThat(fault.vector()).isEqualTo(14));
        assertThat(cpu.r[Cpu.RSP]).isEqualTo(TestProcessor.ABSENT + 8);
        cpu.r[Cpu.RSP] = 0x8000_0000_0000L;
        assertThatThrownBy(() -> program.step(bytes(0xE8, 0, 0, 0, 0), 0))
                .isInstanceOfSatisfying(
                        GuestFault.class, fault -> assertThat(fault.vector()).isEqualTo(14));
        cpu.r[Cpu.RSP] = 0x8000_0000_0010L;
        assertThatThrownBy(() -> program.step(bytes(0xE8, 0, 0, 0, 0), 0))
                .isInstanceOfSatisfying(
                        GuestFault.class, fault -> assertThat(fault.vector()).isEqualTo(12));
    }

    @Test
    void sixteenBitOperandsCutTargetsAndReturnAddresses() {
        try (TestProcessor flat = TestProcessor.protected32()) {
            Cpu c = flat.cpu;
            var run = new Program(flat);
            c.r[Cpu.RSP] = STACK;
            c.r[Cpu.RAX] = 0x1_5678;
            run.step(bytes(0x66, 0xFF, 0xD0), 0);
            assertThat(c.rip).isEqualTo(0x5678);
            assertThat(c.r[Cpu.RSP]).isEqualTo(STACK - 2);
            assertThat(flat.memory.readShort(STACK - 2)).isEqualTo((int) TestProcessor.CODE + 3);
        }
    }

    @Test
    void protectedModeChecksTargetsAgainstTheCodeSegment() {
        try (TestProcessor real = TestProcessor.real16()) {
            Cpu c = real.cpu;
            c.r[Cpu.RSP] = STACK;
            c.r[Cpu.RAX] = 0x1_0000;
            assertThatThrownBy(() -> new Program(real).step(bytes(0x66, 0xFF, 0xE0), 0))
                    .isInstanceOfSatisfying(
                            GuestFault.class,
                            fault -> assertThat(fault.vector()).isEqualTo(13));
        }
    }

    @Test
    void conditionalMovesReadMemoryAlwaysAndClearTheUpperHalf() {
        cpu.r[Cpu.RAX] = -1;
        cpu.r[Cpu.RBX] = 0x1122_3344_5566_7788L;
        cpu.flags.unpack(0);
        program.run(a -> a.cmove(EAX, EBX));
        assertThat(cpu.r[Cpu.RAX]).isEqualTo(0xFFFF_FFFFL);
        cpu.r[Cpu.RDX] = TestProcessor.ABSENT;
        assertThatThrownBy(() -> program.run(a -> a.cmove(RAX, mem(RDX)))).isInstanceOf(GuestFault.class);
        assertThat(cpu.r[Cpu.RAX]).isEqualTo(0xFFFF_FFFFL);
    }

    @Test
    void theStackSegmentsLimitIsEnforced() {
        try (TestProcessor flat = TestProcessor.protected32()) {
            Cpu c = flat.cpu;
            flat.data(Segments.SS, 0, 0xFFF);
            c.r[Cpu.RSP] = 0x1002;
            assertThatThrownBy(() -> new Program(flat).step(bytes(0x50), 0))
                    .isInstanceOfSatisfying(
                            GuestFault.class,
                            fault -> assertThat(fault.vector()).isEqualTo(12));
            assertThat(c.r[Cpu.RSP]).isEqualTo(0x1002);
        }
    }
}

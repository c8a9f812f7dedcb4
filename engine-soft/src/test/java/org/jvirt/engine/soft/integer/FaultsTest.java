package org.jvirt.engine.soft.integer;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.jvirt.engine.soft.cpu.Cpu;
import org.jvirt.engine.soft.cpu.Flags;
import org.jvirt.engine.soft.cpu.GuestFault;
import org.jvirt.engine.soft.cpu.TestProcessor;
import org.jvirt.x86.Access;
import org.jvirt.x86.CodeSize;
import org.jvirt.x86.Instruction;
import org.jvirt.x86.InstructionGenerator;
import org.jvirt.x86.Mnemonic;
import org.jvirt.x86.OpcodeRow;
import org.jvirt.x86.OpcodeTable;

/// Every integer instruction with a memory operand, pointed at a page that is not there.
class FaultsTest {
    private static final int BASE = 15;

    @Test
    void anInstructionWhoseMemoryIsAbsentFaultsAndChangesNothing() {
        try (TestProcessor machine = TestProcessor.long64()) {
            Cpu cpu = machine.cpu;
            var program = new Program(machine);
            var random = new SplittableRandom(3);
            var insn = new Instruction();
            var generator = new InstructionGenerator(4)
                    .memory(InstructionGenerator.MemoryForm.ALWAYS)
                    .registers(0xFFFF & ~(1 << BASE | 1 << Cpu.RSP))
                    .bases(1 << BASE)
                    .indexes(0)
                    .displacements(0, 1024)
                    .alignDisplacements(true)
                    .relativeAddresses(false);
            int tried = 0;
            for (OpcodeRow row : OpcodeTable.rows()) {
                for (int i = 0; i < 20; i++) {
                    if (!generator.generate(row, CodeSize.CODE64, insn) || !isTested(insn, cpu)) {
                        continue;
                    }
                    tried++;
                    for (int k = 0; k < 16; k++) {
                        cpu.r[k] = random.nextInt(64);
                    }
                    cpu.r[BASE] = TestProcessor.ABSENT;
                    cpu.r[Cpu.RSP] = 0x8000;
                    int flags = random.nextInt() & Flags.MASK;
                    cpu.flags.unpack(flags);
                    long[] before = Arrays.copyOf(cpu.r, 16);
                    int errorCode = faultOf(program, generator.bytes(), insn);
                    boolean writes = row.access(insn.memoryOperand()) != Access.READ;
                    assertThat(errorCode).as("%s", insn).isEqualTo(writes ? 2 : 0);
                    assertThat(Arrays.copyOf(cpu.r, 16)).as("%s", insn).isEqualTo(before);
                    assertThat(cpu.flags.pack()).as("%s", insn).isEqualTo(flags);
                }
            }
            assertThat(tried).isGreaterThan(2_000);
        }
    }

    private static boolean isTested(Instruction insn, Cpu cpu) {
        return insn.memoryOperand() >= 0
                && insn.base() == BASE
                && insn.mnemonic() != Mnemonic.LEA
                && insn.mnemonic() != Mnemonic.NOP
                && !insn.mnemonic().name().startsWith("PREFETCH")
                && !insn.mnemonic().name().startsWith("UD")
                && IntegerOps.of(insn, insn.length(), cpu.opContext()) != null;
    }

    /// The error code of the page fault that the instruction ends in.
    private static int faultOf(Program program, byte[] code, Instruction insn) {
        try {
            program.run(code);
        } catch (GuestFault fault) {
            assertThat(fault.vector()).isEqualTo(14);
            return fault.errorCode();
        }
        throw new AssertionError("no fault: " + insn);
    }
}

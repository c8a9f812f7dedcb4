package org.jvirt.x86;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/// The generator keeps within what it was told, and repeats itself for a seed.
class InstructionGeneratorTest {
    private static final int REGISTERS = 0b0100_0011_0000_1101;
    private static final int BASES = 1 << 6 | 1 << 14;

    private final Instruction instruction = new Instruction();

    private static InstructionGenerator restricted(long seed) {
        return new InstructionGenerator(seed)
                .registers(REGISTERS)
                .vectorRegisters(0b1111)
                .bases(BASES)
                .indexes(0)
                .relativeAddresses(false)
                .displacements(0x100, 0xFFF)
                .alignDisplacements(true);
    }

    @Test
    void operandsStayWithinTheSettings() {
        InstructionGenerator generator = restricted(5);
        int memory = 0;
        for (OpcodeRow row : OpcodeTable.rows()) {
            for (int i = 0; i < 10 && generator.generate(row, CodeSize.CODE64, instruction); i++) {
                for (int k = 0; k < instruction.operandCount(); k++) {
                    boolean fixed = row.operand(k).method == OperandSpec.Method.FIXED;
                    if (fixed) {
                        continue;
                    }
                    switch (instruction.kind(k)) {
                        case GPR, GPR8_HIGH ->
                            assertThat(REGISTERS >> instruction.register(k) & 1).isOne();
                        case XMM, YMM, MMX ->
                            assertThat(instruction.register(k)).isLessThan(4);
                        case MEMORY -> {
                            memory++;
                            checkAddress(k);
                        }
                        case SEGMENT, CONTROL, DEBUG, X87, IMMEDIATE, RELATIVE, FAR -> {
                            // not restricted
                        }
                    }
                }
            }
        }
        assertThat(memory).isGreaterThan(3_000);
    }

    private void checkAddress(int operand) {
        assertThat(instruction.displacement()).isBetween(0x100L, 0xFFFL);
        if (instruction.alignment() != 0) {
            assertThat(instruction.displacement() % instruction.alignment()).isZero();
        }
        if (instruction.row().operand(operand).method != OperandSpec.Method.O) {
            assertThat(BASES >> instruction.base() & 1).isOne();
        }
    }

    @Test
    void gathersAreNotGeneratedWithoutAnIndexRegister() {
        OpcodeRow gather = OpcodeTable.rows(Mnemonic.VPGATHERDD).getFirst();
        assertThat(restricted(1).generate(gather, CodeSize.CODE64, instruction)).isFalse();
        assertThat(restricted(1).indexes(0b10).generate(gather, CodeSize.CODE64, instruction))
                .isTrue();
        assertThat(instruction.index()).isOne();
    }

    @Test
    void theMemoryFormIsAsAsked() {
        OpcodeRow add = OpcodeTable.rows(Mnemonic.ADD).getFirst();
        InstructionGenerator never = new InstructionGenerator(1).memory(InstructionGenerator.MemoryForm.NEVER);
        InstructionGenerator always = new InstructionGenerator(1).memory(InstructionGenerator.MemoryForm.ALWAYS);
        for (int i = 0; i < 50; i++) {
            assertThat(never.generate(add, CodeSize.CODE64, instruction)).isTrue();
            assertThat(instruction.memoryOperand()).isEqualTo(-1);
            assertThat(always.generate(add, CodeSize.CODE64, instruction)).isTrue();
            assertThat(instruction.memoryOperand()).isZero();
        }
        OpcodeRow load = OpcodeTable.rows(Mnemonic.LGDT).getFirst();
        assertThat(never.generate(load, CodeSize.CODE64, instruction)).isFalse();
    }

    @Test
    void aSeedRepeatsItsSequence() {
        assertThat(sequence(11)).isEqualTo(sequence(11)).isNotEqualTo(sequence(12));
    }

    private List<String> sequence(long seed) {
        InstructionGenerator generator = new InstructionGenerator(seed);
        List<String> texts = new ArrayList<>();
        for (OpcodeRow row : OpcodeTable.rows()) {
            if (generator.generate(row, CodeSize.CODE64, instruction)) {
                texts.add(instruction.toString());
            }
        }
        return texts;
    }

    @Test
    void impossibleSettingsAreRefused() {
        assertThatThrownBy(() -> new InstructionGenerator(1).registers(0)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new InstructionGenerator(1).displacements(5, 4))
                .hasMessageContaining("between 5 and 4");
    }
}

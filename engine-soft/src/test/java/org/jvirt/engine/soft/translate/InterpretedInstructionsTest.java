package org.jvirt.engine.soft.translate;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Test;
import org.jvirt.x86.Assembler;
import org.jvirt.x86.CodeSize;
import org.jvirt.x86.Registers;

class InterpretedInstructionsTest {
    private static final int SECOND = 16;

    @Test
    void theMostFrequentComesFirstWithItsShare() {
        try (var arena = Arena.ofConfined()) {
            MemorySegment ram = arena.allocate(64);
            put(ram, 0, new Assembler(CodeSize.CODE64).mov(Registers.CR3, Registers.RAX));
            put(ram, SECOND, new Assembler(CodeSize.CODE64).hlt());
            var counted = new InterpretedInstructions(ram);
            assertThat(counted.toString()).isEmpty();
            // a loop of two would hide one of them from a count of every second
            for (int i = 0; i < 30_000; i++) {
                counted.count(0);
                counted.count(0);
                counted.count(SECOND);
                counted.count(0);
            }
            assertThat(counted.toString()).isEqualTo("mov to cr3 75.0 %, hlt 25.0 %");
        }
    }

    private static void put(MemorySegment ram, int at, Assembler code) {
        byte[] bytes = code.assemble();
        MemorySegment.copy(bytes, 0, ram, ValueLayout.JAVA_BYTE, at, bytes.length);
    }
}

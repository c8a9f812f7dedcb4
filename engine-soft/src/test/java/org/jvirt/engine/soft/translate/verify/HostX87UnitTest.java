package org.jvirt.engine.soft.translate.verify;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;
import org.jvirt.linux.ExecutableMemory;
import org.jvirt.linux.NativeCode;
import org.jvirt.x86.CodeWriter;

/// What a guest does to the x87 unit of the host that executes its code.
@EnabledIf(
        value = "org.jvirt.engine.soft.SoftHypervisor#isTranslatorPossible",
        disabledReason = "The translator needs an x86-64 Linux host")
class HostX87UnitTest {
    private static final int PROGRAMS = 12;
    private static final int RDI = 7;
    private static final int ALL_EMPTY = 0xFFFF;
    private static final int TOP_AND_FLAGS = 0x38FF;

    /// FNSTENV's image of the calling thread's unit.
    private static int[] environment() {
        var writer = new CodeWriter();
        writer.memory(0xD9, 4, 6, RDI, -1, 0, 0);
        writer.memory(0xD9, 4, 4, RDI, -1, 0, 0);
        writer.ret();
        try (var memory = ExecutableMemory.allocate("test-x87", 4096);
                Arena arena = Arena.ofConfined()) {
            MemorySegment.copy(writer.bytes(), 0, memory.writable(), ValueLayout.JAVA_BYTE, 0, writer.size());
            MemorySegment image = arena.allocate(28, 8);
            int _ = NativeCode.enter(MemorySegment.ofAddress(memory.executableAddress()), image.address(), 0);
            int[] words = new int[7];
            for (int i = 0; i < words.length; i++) {
                words[i] = image.get(ValueLayout.JAVA_INT, 4L * i) & 0xFFFF;
            }
            return words;
        }
    }

    @Test
    void javaFindsItsOwnUnitEmptyAndWithItsControlWord() {
        int[] before = environment();
        for (int seed = 0; seed < PROGRAMS; seed++) {
            Program program = ProgramGenerator.program(seed, 16, seed % 2 == 0 ? Profile.X87 : Profile.MMX);
            try (var machine = new Machine(Engines.translator(), false)) {
                machine.run(program, new Code(program), Duration.ofSeconds(60));
            }
            int[] after = environment();
            assertThat(after[0]).as("control word").isEqualTo(before[0]);
            assertThat(after[1] & TOP_AND_FLAGS).as("TOP and exceptions").isZero();
            assertThat(after[2]).as("tags").isEqualTo(ALL_EMPTY);
        }
    }
}

package org.jvirt.engine.soft.code;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.jvirt.core.RunResult;
import org.jvirt.core.TranslatorSettings;
import org.jvirt.engine.soft.SoftHypervisor;
import org.jvirt.engine.soft.cpu.Cpu;
import org.jvirt.engine.soft.cpu.TestProcessor;
import org.jvirt.engine.soft.translate.Translator;

/// Blocks that have translations before they are decoded, and blocks that are no longer decoded.
final class UndecodedBlocksTest {
    /// mov eax, 7; add eax, ecx; jmp +0
    private static final int[] CODE = {0xB8, 7, 0, 0, 0, 0x01, 0xC8, 0xEB, 0};
    /// The first instruction only.
    private static final int DEPENDS_TO = 4;

    private final TestProcessor machine = TestProcessor.long64();
    private final Cpu cpu = machine.cpu;
    private final BlockCache cache = new BlockCache(cpu);
    private final BlockBuilder builder = new BlockBuilder(cpu, cache);

    @AfterEach
    void close() {
        machine.close();
    }

    /// A block for which something has been found before it was decoded.
    private Block recalled() {
        for (int i = 0; i < CODE.length; i++) {
            machine.memory.writeByte(TestProcessor.CODE + i, CODE[i]);
        }
        cpu.rip = TestProcessor.CODE;
        builder.recallBy(block -> {
            int first = (int) block.at & 0xFFF;
            block.dependsOn(first, first + DEPENDS_TO);
            return true;
        });
        Block block = builder.at(cpu.modeKey());
        assertThat(block.decoded).as("nothing was decoded").isNull();
        assertThat(builder.at(cpu.modeKey())).isSameAs(block);
        return block;
    }

    @Test
    void aRecalledBlockIsDecodedWhenTheInterpreterNeedsIt() {
        Block block = recalled();
        cpu.r[Cpu.RCX] = 5;
        builder.decoded(block).run(cpu);
        assertThat(cpu.r[Cpu.RAX]).isEqualTo(12);
        assertThat(cpu.rip).isEqualTo(TestProcessor.CODE + CODE.length);
        assertThat(block.length()).isEqualTo(CODE.length);
        assertThat(builder.decoded(block)).isSameAs(block.decoded);
    }

    @Test
    void codeThatIsStoredToIsNoticedWhetherDecodedOrNot() {
        Block block = recalled();
        cache.written(block.at + CODE.length - 1, 1);
        assertThat(block.valid).as("nothing depends on the last byte yet").isTrue();
        cache.written(block.at + DEPENDS_TO, 1);
        assertThat(block.valid).isFalse();

        Block next = recalled();
        assertThat(next).isNotSameAs(block);
        var _ = builder.decoded(next);
        next.decoded = null;
        cache.written(next.at + CODE.length - 1, 1);
        assertThat(next.valid).as("what was decoded once counts").isFalse();
    }

    @Test
    void moreCodeThanIsKeptDecodedRunsOn() {
        assumeTrue(SoftHypervisor.isTranslatorPossible(), "SKIPPED: translated code needs an x86-64 Linux host");
        long start = 0x20_0000;
        int jumps = 40_000;
        for (int i = 0; i < jumps; i++) {
            // jmp +0
            machine.memory.writeByte(start + 2L * i, 0xEB);
            machine.memory.writeByte(start + 2L * i + 1, 0);
        }
        long end = start + 2L * jumps;
        int[] last = {0xFF, 0xC9, 0x0F, 0x85, 0, 0, 0, 0, 0x0F, 0x0B};
        for (int i = 0; i < last.length; i++) {
            machine.memory.writeByte(end + i, last[i]);
        }
        // dec ecx; jnz start; ud2
        machine.memory.writeInt(end + 4, (int) (start - end - 8));
        cpu.rip = start;
        cpu.r[Cpu.RCX] = 3;
        TranslatorSettings settings = TranslatorSettings.DEFAULT.withThreshold(1000);
        try (var translator = new Translator(cpu, Interpreter.features(cpu), settings)) {
            assertThat(new Interpreter(cpu, translator, settings).run()).isInstanceOf(RunResult.TripleFault.class);
            assertThat(translator.counters().translated()).isZero();
        }
        assertThat(cpu.r[Cpu.RCX]).isZero();
        assertThat(cpu.instructions).isEqualTo(3L * (jumps + 2));
    }
}

package org.jvirt.engine.soft.translate.verify;

import static org.assertj.core.api.Assertions.assertThat;
import static org.jvirt.x86.Mem.mem;
import static org.jvirt.x86.Registers.*;

import java.time.Duration;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.jvirt.engine.soft.SoftHypervisor;
import org.jvirt.x86.Assembler;
import org.jvirt.x86.CodeSize;
import org.jvirt.x86.Mem;

/// Stores to a page that holds code: those beside the code stay in generated code, and those to it change it.
///
/// ```
/// PAGE         mov eax, …; ret        PAGE + BESIDE   data
/// ```
@Timeout(120)
class StoresBesideCodeTest {
    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final long RESULT = Multiprocessor.FREE;
    private static final long PAGE = Multiprocessor.FREE + 0x1_0000;
    private static final int BESIDE = 0x800;
    private static final int ROUNDS = 20_000;
    /// mov eax, 0; ret
    private static final long FUNCTION = 0xC3_0000_0000_B8L;

    private static Mem at(int offset) {
        return mem(RBX).disp(offset);
    }

    private static Multiprocessor run(int processors, Consumer<Assembler> code) {
        var machine = new Multiprocessor(Engines.translator(), processors);
        for (int i = 0; i < processors; i++) {
            var asm = new Assembler(CodeSize.CODE64, Multiprocessor.code(i));
            if (i == 0) {
                asm.mov(EBX, (int) PAGE)
                        .mov(RSI, FUNCTION)
                        .mov(at(0).qword(), RSI)
                        .xor(EDI, EDI);
                code.accept(asm);
                asm.mov(mem(RESULT).qword(), RDI);
            }
            machine.load(Multiprocessor.code(i), asm.out(Multiprocessor.STOP_PORT, AL));
        }
        machine.run(LIMIT);
        return machine;
    }

    private static void expectFewExits(Multiprocessor machine) {
        if (SoftHypervisor.isTranslatorPossible()) {
            assertThat(TranslatorRegressionTest.exits(machine.statistics(0))).isLessThan(ROUNDS / 20);
        }
    }

    private static long sum(int count) {
        return count * (count + 1L) / 2;
    }

    /// Each turn stores beside the code, at several sizes, calls it, and adds what was stored.
    private static void turns(Assembler asm, String label, int beside) {
        asm.mov(ECX, ROUNDS).label(label).mov(at(beside).qword(), RCX).movups(XMM0, at(beside + 3));
        asm.movups(at(beside + 21), XMM0)
                .add(at(beside).dword(), EDX)
                .call(RBX)
                .add(RDI, at(beside).qword());
        asm.dec(RCX).jnz(label);
    }

    @Test
    void theyStayInGeneratedCode() {
        try (var machine = run(1, asm -> {
            asm.xor(EDX, EDX);
            turns(asm, "again", BESIDE);
        })) {
            expectFewExits(machine);
            assertThat(machine.memory().readLong(RESULT)).isEqualTo(sum(ROUNDS));
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {6, 8, 32, 60, 64, Layout.PAGE - 40})
    void whereverTheyAre(int beside) {
        for (int processors = 1; processors <= 2; processors++) {
            try (var machine = run(processors, asm -> {
                asm.xor(EDX, EDX);
                turns(asm, "again", beside);
            })) {
                assertThat(machine.memory().readLong(RESULT)).isEqualTo(sum(ROUNDS));
            }
        }
    }

    @Test
    void theCodeIsChangedAsEver() {
        int changes = 300;
        try (var machine = run(1, asm -> {
            asm.mov(ECX, changes)
                    .label("again")
                    .mov(at(BESIDE).qword(), RCX)
                    .call(RBX)
                    .mov(at(1).dword(), ECX);
            asm.mov(at(BESIDE).qword(), RDI).call(RBX).add(RDI, RAX).dec(RCX).jnz("again");
        })) {
            assertThat(machine.memory().readLong(RESULT)).isEqualTo(sum(changes));
        }
    }

    @Test
    void dataThatBecomesCodeIsCode() {
        int changes = 300;
        try (var machine = run(1, asm -> {
            asm.xor(EDX, EDX);
            turns(asm, "first", BESIDE);
            asm.xor(EDI, EDI).lea(RBP, at(BESIDE)).mov(at(BESIDE).qword(), RSI).mov(ECX, changes);
            asm.label("again")
                    .mov(at(BESIDE + 1).dword(), ECX)
                    .call(RBP)
                    .add(RDI, RAX)
                    .dec(RCX)
                    .jnz("again");
        })) {
            assertThat(machine.memory().readLong(RESULT)).isEqualTo(sum(changes));
        }
    }

    @Test
    void codeThatIsNotExecutedAnyMoreMakesRoomForFastStores() {
        int stores = 2_000_000;
        int patience = 64 << 10;
        try (var machine = run(1, asm -> {
            asm.call(RBX).call(RBX).mov(ECX, stores).label("again");
            asm.mov(at(BESIDE).qword(), RCX)
                    .add(RDI, at(BESIDE).qword())
                    .dec(RCX)
                    .jnz("again");
        })) {
            assertThat(machine.memory().readLong(RESULT)).isEqualTo(sum(stores));
            if (SoftHypervisor.isTranslatorPossible()) {
                Matcher count = Pattern.compile("stores beside code (\\d+)").matcher(machine.statistics(0));
                assertThat(count.find()).as(machine.statistics(0)).isTrue();
                assertThat(Integer.parseInt(count.group(1))).isBetween(1, 2 * patience);
            }
        }
    }
}

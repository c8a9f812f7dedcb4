package org.jvirt.engine.soft.translate.verify;

import static org.assertj.core.api.Assertions.assertThat;
import static org.jvirt.x86.Mem.mem;
import static org.jvirt.x86.Registers.*;

import java.time.Duration;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.jvirt.core.GuestMemory;
import org.jvirt.core.Hypervisor;
import org.jvirt.engine.soft.SoftHypervisor;
import org.jvirt.x86.Assembler;
import org.jvirt.x86.CodeSize;
import org.jvirt.x86.Mem;

/// What is known of pages and code, in changing address spaces: none of it outlives its invalidation, and little of
/// it has to be found out again.
class AddressSpaceTest {
    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final int ROUNDS = 3000;
    private static final long RESULT = Multiprocessor.FREE;
    private static final long CODE_PAGE = Multiprocessor.FREE + 0x1_0000;
    private static final long OTHER_CODE_PAGE = Multiprocessor.FREE + 0x2_0000;
    private static final long DATA = Multiprocessor.FREE + 0x4_0000;
    private static final int PAGES = 64;
    /// Behind what is mapped: the tables of a second address space.
    private static final long SECOND_TABLES = 0x30_0000;

    private static final int FUNCTIONS = 8;
    private static final int FUNCTION_BYTES = 64;
    private static final int PCIDE = 1 << 17;
    private static final long KEEP = 1L << 63;
    private static final int PGE = 1 << 7;
    private static final int LARGE = 1 << 7;
    private static final int GLOBAL = 1 << 8;
    private static final int ALL_RIGHTS = 7;
    private static final int TWO_MIB = 0x20_0000;

    enum Engine {
        INTERPRETER,
        TRANSLATOR;

        Hypervisor make() {
            return this == INTERPRETER ? Engines.interpreter() : Engines.translator();
        }
    }

    private static Assembler assembler() {
        return new Assembler(CodeSize.CODE64, Multiprocessor.code(0));
    }

    private static Mem at(long address) {
        return mem(address).qword();
    }

    private static Assembler adds(int step) {
        return new Assembler(CodeSize.CODE64, CODE_PAGE).add(RSI, step).ret();
    }

    private static void run(Multiprocessor machine, Assembler code) {
        machine.load(Multiprocessor.code(0), code.out(Multiprocessor.STOP_PORT, AL));
        machine.run(LIMIT);
    }

    /// All as in the first address space, but what is at [#CODE_PAGE].
    private static void secondTables(GuestMemory memory) {
        var tables = new PageTables(memory, SECOND_TABLES, 0x7000);
        for (long page = 0; page < Multiprocessor.UNMAPPED; page += Layout.PAGE) {
            tables.map(page, page == CODE_PAGE ? OTHER_CODE_PAGE : page, PageTables.WRITABLE);
        }
    }

    /// Two process contexts with other code at [#CODE_PAGE], and the beginning of a program: R8 and R9 choose one
    /// each, RBX is where that code is, RSI what it adds up, and R12 a count of rounds.
    private static Assembler twoContexts(Multiprocessor machine) {
        secondTables(machine.memory());
        machine.load(CODE_PAGE, adds(1));
        machine.load(OTHER_CODE_PAGE, adds(0x1_0000));
        var asm = assembler().mov(RAX, CR4).or(EAX, PCIDE).mov(CR4, RAX);
        asm.mov(R8, CR3).mov(R9, SECOND_TABLES | 1).mov(R10, KEEP).or(R8, R10).or(R9, R10);
        return asm.mov(EBX, (int) CODE_PAGE).xor(ESI, ESI).mov(R12, ROUNDS);
    }

    private static long counter(String statistics, String what) {
        Matcher found = Pattern.compile(what + " (\\d+)").matcher(statistics);
        assertThat(found.find()).as(statistics).isTrue();
        return Long.parseLong(found.group(1));
    }

    @ParameterizedTest
    @EnumSource
    void eachProcessContextExecutesItsOwnCode(Engine engine) {
        try (var machine = new Multiprocessor(engine.make(), 1)) {
            Assembler asm = twoContexts(machine);
            asm.label("more")
                    .call(RBX)
                    .mov(CR3, R9)
                    .call(RBX)
                    .mov(CR3, R8)
                    .dec(R12)
                    .jnz("more");
            run(machine, asm.mov(at(RESULT), RSI));
            assertThat(machine.memory().readLong(RESULT)).isEqualTo(ROUNDS * 0x1_0001L);
        }
    }

    /// Many functions on one page, in an address space that is flushed each time, and then all of them others.
    @ParameterizedTest
    @EnumSource
    void afterAFlushAPageOfCodeIsFoundAgainAtOnceIfItIsTheSame(Engine engine) {
        try (var machine = new Multiprocessor(engine.make(), 1)) {
            functions(machine, CODE_PAGE, 1);
            functions(machine, OTHER_CODE_PAGE, 0x1_0000);
            Assembler asm = assembler().mov(R9, CR3).xor(ESI, ESI);
            callAfterFlush(asm, "first");
            long entry = Multiprocessor.pageEntry(CODE_PAGE);
            asm.mov(RDX, at(entry))
                    .add(RDX, (int) (OTHER_CODE_PAGE - CODE_PAGE))
                    .mov(at(entry), RDX);
            callAfterFlush(asm, "second");
            run(machine, asm.mov(at(RESULT), RSI));
            assertThat(machine.memory().readLong(RESULT)).isEqualTo((long) ROUNDS * FUNCTIONS * 0x1_0001L);
            if (engine == Engine.TRANSLATOR) {
                assertThat(counter(machine.statistics(0), "unknown targets")).isLessThan((long) ROUNDS * FUNCTIONS);
            }
        }
    }

    private static void functions(Multiprocessor machine, long page, int step) {
        var asm = new Assembler(CodeSize.CODE64, CODE_PAGE);
        for (int i = 0; i < FUNCTIONS; i++) {
            asm.add(RSI, step).ret().align(FUNCTION_BYTES);
        }
        machine.load(page, asm);
    }

    private static void callAfterFlush(Assembler asm, String label) {
        asm.mov(R12, ROUNDS).label(label).mov(CR3, R9);
        for (int i = 0; i < FUNCTIONS; i++) {
            asm.mov(EBX, (int) CODE_PAGE + i * FUNCTION_BYTES).call(RBX);
        }
        asm.dec(R12).jnz(label);
    }

    /// INVLPG used to overlook pages of code that had been fetched before a change of address space, not after it.
    @ParameterizedTest
    @EnumSource
    void codeOfAContextThatComesBackIsStillInvalidated(Engine engine) {
        try (var machine = new Multiprocessor(engine.make(), 1)) {
            long entry = Multiprocessor.pageEntry(CODE_PAGE);
            Assembler asm = twoContexts(machine);
            asm.label("more").call(RBX).dec(R12).jnz("more");
            asm.mov(CR3, R9)
                    .mov(CR3, R8)
                    .mov(R12, ROUNDS)
                    .label("again")
                    .call(RBX)
                    .dec(R12)
                    .jnz("again");
            asm.mov(RDX, at(entry))
                    .add(RDX, (int) (OTHER_CODE_PAGE - CODE_PAGE))
                    .mov(at(entry), RDX);
            asm.invlpg(mem(CODE_PAGE)).call(RBX);
            run(machine, asm.mov(at(RESULT), RSI));
            assertThat(machine.memory().readLong(RESULT)).isEqualTo(2L * ROUNDS + 0x1_0000);
        }
    }

    /// Also after so many changes of address space that their numbers begin anew.
    @ParameterizedTest
    @EnumSource
    void codeOnGlobalPagesIsStillInvalidated(Engine engine) {
        try (var machine = new Multiprocessor(engine.make(), 1)) {
            long entry = Multiprocessor.pageEntry(CODE_PAGE);
            GuestMemory memory = machine.memory();
            memory.writeLong(entry, memory.readLong(entry) | GLOBAL);
            machine.load(CODE_PAGE, adds(1));
            machine.load(OTHER_CODE_PAGE, adds(0x1_0000));
            var asm = assembler().mov(RAX, CR4).or(EAX, PGE).mov(CR4, RAX).mov(R8, CR3);
            asm.mov(EBX, (int) CODE_PAGE).xor(ESI, ESI).mov(R12, ROUNDS);
            asm.label("more").call(RBX).dec(R12).jnz("more").mov(R12, 2 * ROUNDS);
            asm.label("spaces").mov(CR3, R8).dec(R12).jnz("spaces");
            asm.mov(RDX, at(entry))
                    .add(RDX, (int) (OTHER_CODE_PAGE - CODE_PAGE))
                    .mov(at(entry), RDX);
            asm.invlpg(mem(CODE_PAGE)).call(RBX);
            run(machine, asm.mov(at(RESULT), RSI));
            assertThat(memory.readLong(RESULT)).isEqualTo(ROUNDS + 0x1_0000L);
        }
    }

    /// Pages that are read and written again after every change of address space.
    @Test
    void pagesAreFoundAgainWithoutLeavingGeneratedCode() {
        try (var machine = new Multiprocessor(Engines.translator(), 1)) {
            var asm = assembler().mov(R8, CR3).mov(R12, ROUNDS);
            asm.label("round").mov(CR3, R8).mov(EBX, (int) DATA).mov(ECX, PAGES);
            asm.label("page").inc(mem(RBX).qword()).push(RBX).pop(RAX);
            asm.add(RBX, (int) Layout.PAGE).dec(ECX).jnz("page").dec(R12).jnz("round");
            run(machine, asm);
            for (int i = 0; i < PAGES; i++) {
                assertThat(machine.memory().readLong(DATA + i * Layout.PAGE)).isEqualTo(ROUNDS);
            }
            if (SoftHypervisor.isTranslatorPossible()) {
                long misses = counter(machine.statistics(0), "misses");
                assertThat(misses).isLessThan(ROUNDS);
                assertThat(counter(machine.statistics(0), "page walks")).isGreaterThan((long) ROUNDS * PAGES / 2);
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void accessedAndDirtyBitsAreSetWhenTheyMust(Engine engine) {
        try (var machine = new Multiprocessor(engine.make(), 1)) {
            long entry = Multiprocessor.pageEntry(DATA);
            var asm = assembler().mov(R8, CR3).mov(EBX, (int) DATA).mov(R12, ROUNDS);
            // read, look, write, look, and clean again
            asm.xor(ESI, ESI).xor(R9D, R9D);
            asm.label("more")
                    .mov(EAX, mem(RBX))
                    .mov(RDX, at(entry))
                    .and(EDX, 0x60)
                    .add(RSI, RDX);
            asm.mov(mem(RBX), EAX).mov(RDX, at(entry)).and(EDX, 0x60).add(R9, RDX);
            asm.mov(RDX, at(entry)).and(RDX, ~0x60).mov(at(entry), RDX).mov(CR3, R8);
            asm.dec(R12).jnz("more").mov(at(RESULT), RSI);
            run(machine, asm.mov(at(RESULT + 8), R9));
            assertThat(machine.memory().readLong(RESULT)).isEqualTo(ROUNDS * 0x20L);
            assertThat(machine.memory().readLong(RESULT + 8)).isEqualTo(ROUNDS * 0x60L);
        }
    }

    /// One INVLPG ends all pieces of a page of 2 MiB, here one that moves by 2 MiB.
    @ParameterizedTest
    @EnumSource
    void invlpgEndsAllOfALargePage(Engine engine) {
        try (var machine = new Multiprocessor(engine.make(), 1)) {
            long table = Multiprocessor.FREE_TABLES;
            long gib = 1L << 30;
            GuestMemory memory = machine.memory();
            memory.writeLong(Multiprocessor.SECOND_GIB, table | ALL_RIGHTS);
            memory.writeLong(table, LARGE | 0x60 | ALL_RIGHTS);
            for (int i = 0; i < PAGES; i++) {
                memory.writeLong(DATA + i * Layout.PAGE, 1);
                memory.writeLong(DATA + TWO_MIB + i * Layout.PAGE, 0x1_0000);
            }
            var asm = assembler().mov(R8, CR3).mov(R12, 50).xor(ESI, ESI);
            asm.label("round").mov(CR3, R8);
            asm.mov(EBX, (int) (gib + DATA)).mov(ECX, PAGES).label("page").add(RSI, mem(RBX).qword());
            asm.add(RBX, (int) Layout.PAGE).dec(ECX).jnz("page").dec(R12).jnz("round");
            asm.mov(RDX, at(table)).add(RDX, TWO_MIB).mov(at(table), RDX).invlpg(mem(gib));
            asm.mov(EBX, (int) (gib + DATA)).mov(ECX, PAGES).label("last").add(RSI, mem(RBX).qword());
            asm.add(RBX, (int) Layout.PAGE).dec(ECX).jnz("last").mov(at(RESULT), RSI);
            run(machine, asm);
            assertThat(memory.readLong(RESULT)).isEqualTo(50L * PAGES + PAGES * 0x1_0000L);
        }
    }
}

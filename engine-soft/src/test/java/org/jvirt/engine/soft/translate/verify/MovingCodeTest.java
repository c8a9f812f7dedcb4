package org.jvirt.engine.soft.translate.verify;

import static org.assertj.core.api.Assertions.assertThat;
import static org.jvirt.x86.Mem.mem;
import static org.jvirt.x86.Registers.*;

import java.nio.file.Path;
import java.time.Duration;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.jvirt.core.GuestMemory;
import org.jvirt.core.Hypervisor;
import org.jvirt.engine.soft.SoftHypervisor;
import org.jvirt.x86.Assembler;
import org.jvirt.x86.CodeSize;

/// A library of two pages that is at many linear addresses, in two address spaces, while its code changes: what it
/// adds up, addresses of its own among it, is what it is on the interpreter.
class MovingCodeTest {
    private static final Duration LIMIT = Duration.ofSeconds(120);
    private static final long LIBRARY = Multiprocessor.FREE + 0x1_0000;
    private static final long POINTERS = Multiprocessor.FREE + 0x3_0000;
    private static final long RESULT = Multiprocessor.FREE + 0x4_0000;
    private static final long FIRST_TABLES = 0x30_0000;
    private static final long SECOND_TABLES = 0x32_0000;
    private static final int TABLES_BYTES = 0x2_0000;
    private static final int PLACES = 16;
    private static final int PAGE = 4096;
    private static final int CALLS = 4000;
    private static final int PCIDE = 1 << 17;
    private static final long KEEP = 1L << 63;
    private static final int FACTOR = 0x41C6_4E6D;

    /// Where the library is: near the beginning, or where it takes 8 bytes to say so; odd ones where one or the
    /// other.
    private static long place(long base, int i) {
        return base + (5L * i + 1) * PAGE + (i % 5 == 4 ? (long) i << 33 : 0);
    }

    private static Assembler library() {
        var asm = new Assembler(CodeSize.CODE64, LIBRARY + 0x40);
        asm.lea(RAX, mem("here"))
                .label("here")
                .add(RSI, RAX)
                .label("change")
                .mov(EDX, 0x1234)
                .add(RSI, RDX)
                .call("inner")
                .call("outer");
        // its accesses have entries of their own
        asm.mov(ECX, 20).label("sum").add(RSI, mem(RBX)).dec(ECX).jnz("sum");
        asm.test(EDX, 1).jz("even").inc(RSI).jmp("end").label("even");
        asm.add(RSI, mem("word").qword()).label("end").ret();
        asm.label("inner").add(RSI, mem(RSP).qword()).ret();
        asm.label("word").dq(0x5555_6666);
        asm.org(LIBRARY + PAGE + 0x80).label("outer").lea(RAX, mem("outer"));
        asm.add(RSI, RAX).add(RSI, mem("word").qword()).mov(RAX, mem(RSP).qword());
        return asm.add(RSI, RAX).jmp("inner");
    }

    private static void tables(GuestMemory memory, long root, long base, int turn) {
        var tables = new PageTables(memory, root, TABLES_BYTES);
        for (long page = 0; page < Multiprocessor.UNMAPPED; page += PAGE) {
            tables.map(page, page, PageTables.WRITABLE);
        }
        for (int i = 0; i < PLACES; i++) {
            long at = place(base, (i + turn) % PLACES);
            tables.map(at, LIBRARY, PageTables.WRITABLE);
            tables.map(at + PAGE, LIBRARY + PAGE, PageTables.WRITABLE);
        }
    }

    /// Calls the library at changing addresses; every eighth time its code is changed, every fourth the address
    /// space.
    private static Assembler program(Assembler library) {
        long change = library.address("change") + 1;
        var asm = new Assembler(CodeSize.CODE64, Multiprocessor.code(0));
        asm.mov(RAX, CR4).or(EAX, PCIDE).mov(CR4, RAX);
        asm.mov(R8, FIRST_TABLES)
                .mov(CR3, R8)
                .mov(R9, SECOND_TABLES | 1)
                .mov(R10, KEEP)
                .or(R8, R10)
                .or(R9, R10);
        asm.mov(EBX, (int) RESULT).xor(ESI, ESI).mov(R12, CALLS).mov(R11, 99);
        asm.label("again").imul(R11, R11, FACTOR).add(R11, 12345);
        asm.mov(EAX, R11D)
                .shr(EAX, 20)
                .and(EAX, PLACES - 1)
                .call(mem(POINTERS).index(RAX, 8).qword());
        asm.test(R12D, 7).jnz("unchanged").mov(mem(change).dword(), R12D).label("unchanged");
        asm.test(R12D, 3).jnz("same").xchg(R8, R9).mov(CR3, R8).label("same");
        asm.dec(R12).jnz("again").mov(mem(RESULT + 8).qword(), RSI);
        return asm.out(Multiprocessor.STOP_PORT, AL);
    }

    private record Run(long sum, String statistics) {
        long counter(String what) {
            Matcher found = Pattern.compile(what + " (\\d+)").matcher(statistics);
            assertThat(found.find()).as(statistics).isTrue();
            return Long.parseLong(found.group(1));
        }
    }

    private static Run run(Supplier<Hypervisor> engine, long base) {
        try (var machine = new Multiprocessor(engine.get(), 1)) {
            GuestMemory memory = machine.memory();
            tables(memory, FIRST_TABLES, base, 0);
            tables(memory, SECOND_TABLES, base, 7);
            Assembler library = library();
            machine.load(LIBRARY + 0x40, library);
            for (int i = 0; i < PLACES; i++) {
                memory.writeLong(POINTERS + 8L * i, place(base, i) + 0x40);
            }
            memory.writeLong(RESULT, 3);
            machine.load(Multiprocessor.code(0), program(library));
            machine.run(LIMIT);
            return new Run(memory.readLong(RESULT + 8), machine.statistics(0));
        }
    }

    /// New translations do not know how to move, those of the second run do.
    @ParameterizedTest
    @ValueSource(longs = {0x4000_0000L, 0x7F31_0000_0000L, 0x5555_5000_0000L})
    void addsUpTheSameWhereverItIs(long base, @TempDir Path store) {
        Run expected = run(Engines::interpreter, base);
        for (int i = 0; i < 3; i++) {
            Run translated = run(() -> Engines.recalling(store), base);
            assertThat(translated.sum()).isEqualTo(expected.sum());
            if (SoftHypervisor.isTranslatorPossible() && i > 0) {
                assertThat(translated.counter("moved")).isGreaterThan(CALLS);
            }
        }
    }
}

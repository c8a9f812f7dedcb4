package org.jvirt.engine.soft.translate.verify;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;
import static org.jvirt.engine.soft.translate.verify.FaultMachine.*;
import static org.jvirt.x86.Mem.mem;
import static org.jvirt.x86.Registers.*;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.jvirt.engine.soft.SoftHypervisor;
import org.jvirt.x86.Assembler;
import org.jvirt.x86.Mem;

/// Page faults that generated code delivers are what the interpreter delivers: frame, error code, CR2, stack, and
/// the registers of an instruction that has had no effect.
@Timeout(120)
class PageFaultTest {
    private static final int PRESENT = 1;
    private static final int WRITE = 2;
    private static final int USER = 4;
    private static final int STATUS_FLAGS = 0x8D5;
    /// Until the pages of gate and stack are known.
    private static final int FIRST_ROUNDS = 3;

    static List<Way> ways() {
        var all = new ArrayList<Way>();
        for (int levels : new int[] {4, 5}) {
            for (int ist : new int[] {0, 1}) {
                all.add(new Way(true, levels, ist, false));
                all.add(new Way(true, levels, ist, true));
                all.add(new Way(false, levels, ist, false));
            }
            all.add(new Way(true, levels, 0, false, false));
        }
        return all;
    }

    private static Mem at(int offset) {
        return mem(RBX).disp(offset).qword();
    }

    /// Answers the faults, which are the same on both engines.
    ///
    /// @param flagsDie whether nobody needs the status flags of the code
    private static List<Fault> faults(Way way, boolean fast, boolean flagsDie, Consumer<Assembler> access) {
        assumeTrue(SoftHypervisor.isTranslatorPossible(), "SKIPPED: translated code needs an x86-64 Linux host");
        List<Fault> wanted;
        try (var machine = new FaultMachine(Engines.interpreter(), way)) {
            wanted = machine.run(access);
        }
        try (var machine = new FaultMachine(Engines.translator(), way)) {
            List<Fault> found = machine.run(access);
            assertThat(withoutFlags(found, flagsDie)).isEqualTo(withoutFlags(wanted, flagsDie));
            Matcher count = Pattern.compile("page faults (\\d+)").matcher(machine.statistics());
            assertThat(count.find()).as(machine.statistics()).isTrue();
            int delivered = Integer.parseInt(count.group(1));
            if (fast) {
                assertThat(delivered).isGreaterThanOrEqualTo(ROUNDS - FIRST_ROUNDS);
            } else {
                assertThat(delivered).isZero();
            }
        }
        return wanted;
    }

    private static List<Fault> withoutFlags(List<Fault> faults, boolean flagsDie) {
        return !flagsDie
                ? faults
                : faults.stream()
                        .map(f -> new Fault(
                                f.vector(),
                                f.code(),
                                f.rip(),
                                f.cs(),
                                f.flags() & ~STATUS_FLAGS,
                                f.rsp(),
                                f.ss(),
                                f.address(),
                                f.stack(),
                                f.registers()))
                        .toList();
    }

    private static void expect(Way way, int code, int address, Consumer<Assembler> access) {
        expect(way, code, address, true, false, access);
    }

    private static void expect(
            Way way, int code, int address, boolean fast, boolean flagsDie, Consumer<Assembler> access) {
        List<Fault> faults = faults(way, fast, flagsDie, access);
        assertThat(faults).hasSize(ROUNDS);
        try (var machine = new FaultMachine(Engines.interpreter(), way)) {
            for (Fault fault : faults) {
                assertThat(fault.vector()).isEqualTo(14);
                assertThat(fault.code()).isEqualTo(code | (way.user() ? USER : 0));
                assertThat(fault.address()).isEqualTo(machine.data() + address);
            }
        }
    }

    @ParameterizedTest
    @MethodSource("ways")
    void aReadOfAnAbsentPageFaults(Way way) {
        expect(way, 0, ABSENT + 8, asm -> asm.mov(RAX, at(ABSENT + 8)));
        expect(way, 0, ABSENT, true, true, asm -> asm.mov(EDX, 7).add(RDX, at(ABSENT)));
    }

    @ParameterizedTest
    @MethodSource("ways")
    void aWriteToAnAbsentPageFaults(Way way) {
        expect(way, WRITE, ABSENT + 16, asm -> asm.mov(at(ABSENT + 16), RAX));
        expect(way, WRITE, ABSENT + 16, true, true, asm -> asm.add(at(ABSENT + 16), RAX));
        expect(way, WRITE, ABSENT + 24, asm -> asm.xchg(at(ABSENT + 24), RAX));
    }

    @ParameterizedTest
    @MethodSource("ways")
    void aWriteToAReadOnlyPageFaults(Way way) {
        expect(
                way,
                PRESENT | WRITE,
                READ_ONLY,
                asm -> asm.mov(RDX, at(READ_ONLY)).mov(at(READ_ONLY), RDX));
    }

    @ParameterizedTest
    @MethodSource("ways")
    void stackAccessesFault(Way way) {
        if (!way.user() && way.ist() == 0) {
            return;
        }
        expect(way, WRITE, READ_ONLY - 8, asm -> asm.lea(RSP, at(READ_ONLY)).push(RAX));
        expect(way, 0, ABSENT + 8, asm -> asm.lea(RSP, at(ABSENT + 8)).pop(RDX));
        expect(
                way,
                WRITE,
                ABSENT + 8,
                asm -> asm.lea(RSP, at(ABSENT + 16)).call("there").label("there"));
        expect(way, 0, ABSENT + 8, asm -> asm.lea(RSP, at(ABSENT + 8)).ret());
    }

    @ParameterizedTest
    @MethodSource("ways")
    void stringInstructionsFaultBetweenElements(Way way) {
        expect(way, WRITE, ABSENT, asm -> asm.lea(RDI, at(ABSENT - 24)).rep().stosb());
        expect(way, 0, ABSENT, asm -> asm.lea(RSI, at(ABSENT - 8)).rep().movsb());
    }

    @ParameterizedTest
    @MethodSource("ways")
    void anAccessAcrossPagesFaultsWhereItsSecondPageBegins(Way way) {
        List<Fault> faults = faults(way, true, false, asm -> asm.mov(RAX, at(ABSENT - 4)));
        try (var machine = new FaultMachine(Engines.interpreter(), way)) {
            assertThat(faults).hasSize(ROUNDS).allMatch(fault -> fault.address() == machine.data() + ABSENT);
        }
        expect(way, 0, READ_ONLY - 4, asm -> asm.mov(RAX, at(READ_ONLY - 4)));
    }

    @ParameterizedTest
    @MethodSource("ways")
    void alignmentCountsForMoreThanAnAbsentPage(Way way) {
        List<Fault> faults = faults(way, false, false, asm -> asm.movaps(XMM0, mem(RBX).disp(ABSENT + 8)));
        assertThat(faults).hasSize(ROUNDS).allMatch(fault -> fault.vector() == 13);
        expect(way, 0, ABSENT + 64, asm -> asm.movaps(XMM0, mem(RBX).disp(ABSENT + 64)));
    }

    @ParameterizedTest
    @MethodSource("ways")
    void reservedBitsAreToldOf(Way way) {
        expect(way, 9, RESERVED, false, false, asm -> asm.mov(RAX, at(RESERVED)));
    }

    @ParameterizedTest
    @MethodSource("ways")
    void codeThatMustNotBeExecutedFaults(Way way) {
        expect(
                way,
                way.noExecute() ? 17 : 9,
                NO_EXECUTE,
                false,
                false,
                asm -> asm.lea(RDX, at(NO_EXECUTE)).jmp(RDX));
    }

    @ParameterizedTest
    @ValueSource(ints = {4, 5})
    void withoutNxeItsBitIsReserved(int levels) {
        var way = new Way(true, levels, 0, false, false);
        expect(way, 9, NO_EXECUTE, false, false, asm -> asm.mov(RAX, at(NO_EXECUTE)));
        expect(way, 9 | WRITE, NO_EXECUTE, false, false, asm -> asm.mov(at(NO_EXECUTE), RAX));
    }

    @Test
    void programsDoNotTouchTheSystemsPages() {
        for (int levels : new int[] {4, 5}) {
            var way = new Way(true, levels, 0, true);
            expect(way, PRESENT, SUPERVISOR, asm -> asm.mov(RAX, at(SUPERVISOR)));
            expect(way, PRESENT | WRITE, SUPERVISOR, asm -> asm.mov(at(SUPERVISOR), RAX));
        }
    }

    @Test
    void theSystemTouchesPagesOfProgramsOnlyWithAc() {
        for (int levels : new int[] {4, 5}) {
            var way = new Way(false, levels, 0, true);
            expect(way, PRESENT, 8, asm -> asm.mov(RAX, at(8)));
            expect(way, 0, ABSENT, asm -> asm.stac().mov(RAX, at(8)).mov(RAX, at(ABSENT)));
        }
    }

    @Test
    void aFaultThatCannotBePushedIsADoubleFault() {
        for (int levels : new int[] {4, 5}) {
            var way = new Way(false, levels, 0, false);
            List<Fault> faults =
                    faults(way, false, false, asm -> asm.lea(RSP, at(READ_ONLY)).push(RAX));
            assertThat(faults).hasSize(ROUNDS).allMatch(fault -> fault.vector() == 8 && fault.code() == 0);
        }
    }
}

package org.jvirt.engine.soft.translate.verify;

import static org.assertj.core.api.Assertions.assertThat;
import static org.jvirt.x86.Mem.mem;
import static org.jvirt.x86.Registers.*;

import java.time.Duration;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.jvirt.core.Hypervisor;
import org.jvirt.engine.soft.SoftHypervisor;
import org.jvirt.x86.Assembler;
import org.jvirt.x86.CodeSize;
import org.jvirt.x86.Mem;
import org.jvirt.x86.Mnemonic;
import org.jvirt.x86.Reg;

/// Loops whose accesses move steadily through pages that do not follow one another in memory do on the translator
/// what they do on the interpreter.
class SteadyLoopTest {
    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final long RESULT = Multiprocessor.FREE;
    private static final long DATA = Multiprocessor.FREE + 0x4_0000;
    private static final int PAGES = 64;
    private static final long MIDDLE = DATA + PAGES / 2 * Layout.PAGE;
    private static final int LOOPS = 150;
    private static final int MOST_TURNS = 700;
    private static final Reg[] BASES = {RSI, RDI, R13, RBP};
    private static final int[] STEPS = {0, 1, 2, 4, 7, 8, 16, 24, 48, -1, -4, -8, -16, -40};

    /// A loop of random accesses, the same for the same seed.
    private static Assembler loop(long seed) {
        var random = new SplittableRandom(seed);
        var asm = new Assembler(CodeSize.CODE64, Multiprocessor.code(0));
        for (Reg base : BASES) {
            asm.mov(base, (int) MIDDLE + random.nextInt(Layout.PAGE));
        }
        asm.mov(RBX, random.nextInt(-64, 64)).xor(EDX, EDX).xor(EAX, EAX);
        asm.mov(RCX, 1 + random.nextInt(MOST_TURNS));
        asm.label("here");
        int accesses = 1 + random.nextInt(4);
        for (int i = 0; i < accesses; i++) {
            access(asm, random);
            if (random.nextInt(6) == 0) {
                asm.add(BASES[random.nextInt(BASES.length)], STEPS[random.nextInt(STEPS.length)]);
            }
            if (random.nextInt(5) == 0) {
                asm.cmp(EDX, random.nextInt()).jb("out");
            }
        }
        for (Reg base : BASES) {
            int step = STEPS[random.nextInt(STEPS.length)];
            if (step != 0) {
                asm.add(base, step);
            }
        }
        if (random.nextBoolean()) {
            asm.add(RBX, random.nextInt(-4, 5));
        }
        asm.dec(RCX).jnz("here").label("out");
        Reg[] seen = {RAX, RBX, RCX, RDX, RSI, RDI, RBP, R13};
        for (int i = 0; i < seen.length; i++) {
            asm.mov(mem(RESULT + 8 * i).qword(), seen[i]);
        }
        return asm.out(Multiprocessor.STOP_PORT, AL);
    }

    private static Mem place(SplittableRandom random) {
        Reg base = BASES[random.nextInt(BASES.length)];
        Mem place = random.nextBoolean() ? mem(base) : mem(base).index(RBX, 1 << random.nextInt(4));
        return place.disp(random.nextInt(-40, 40));
    }

    private static void access(Assembler asm, SplittableRandom random) {
        Mem place = place(random);
        switch (random.nextInt(7)) {
            case 0 -> asm.mov(RAX, place.qword()).add(RDX, RAX);
            case 1 -> asm.mov(place.dword(), EDX);
            case 2 -> asm.add(place.dword(), EDX);
            case 3 -> asm.movzx(EAX, place.byteSize()).add(EDX, EAX);
            case 4 -> asm.emit(Mnemonic.MOVDQU, XMM0, place).emit(Mnemonic.MOVDQU, place(random), XMM0);
            case 5 -> asm.xor(EDX, place.dword()).add(EDX, 1);
            default -> {
                // its address is not steady
                asm.mov(RAX, RDX)
                        .and(EAX, 0xFFF8)
                        .mov(RAX, mem(RAX).disp((int) DATA).qword());
                asm.add(RDX, RAX);
            }
        }
    }

    /// The data and the registers that a loop leaves behind.
    private static byte[] outcome(Hypervisor engine, long seed) {
        try (var machine = new Multiprocessor(engine, 1)) {
            var random = new SplittableRandom(seed);
            for (int i = PAGES - 1; i > 0; i--) {
                long one = Multiprocessor.pageEntry(DATA + i * Layout.PAGE);
                long other = Multiprocessor.pageEntry(DATA + random.nextInt(i + 1) * Layout.PAGE);
                long entry = machine.memory().readLong(one);
                machine.memory().writeLong(one, machine.memory().readLong(other));
                machine.memory().writeLong(other, entry);
            }
            for (long at = DATA; at < DATA + PAGES * Layout.PAGE; at += 8) {
                machine.memory().writeLong(at, random.nextLong());
            }
            machine.load(Multiprocessor.code(0), loop(seed));
            machine.run(LIMIT);
            byte[] bytes = new byte[(int) (DATA + PAGES * Layout.PAGE - RESULT)];
            machine.memory().read(RESULT, bytes);
            return bytes;
        }
    }

    @Test
    void loopsWithSteadyAccessesDoTheSame() {
        long first = System.nanoTime();
        var seeds = new SplittableRandom(Long.getLong("jvirt.verify.seed", first));
        for (int i = 0; i < LOOPS; i++) {
            long seed = seeds.nextLong();
            assertThat(outcome(Engines.translator(), seed))
                    .as("loop of seed %d, %d of -Djvirt.verify.seed=%d", seed, i, first)
                    .isEqualTo(outcome(Engines.interpreter(), seed));
        }
    }

    /// Half a page of turns costs no more than a few exits: the accesses neither miss nor go to the interpreter.
    @Test
    void aSteadyLoopStaysInTranslatedCode() {
        try (var machine = new Multiprocessor(Engines.translator(), 1)) {
            var asm = new Assembler(CodeSize.CODE64, Multiprocessor.code(0));
            asm.mov(RDX, 1000).label("again").mov(RSI, (int) DATA).mov(RDI, (int) MIDDLE);
            asm.mov(ECX, 4 * Layout.PAGE / 8).label("here").mov(RAX, mem(RSI).qword());
            asm.add(RAX, mem(RDI).qword())
                    .mov(mem(RDI).qword(), RAX)
                    .add(RSI, 8)
                    .add(RDI, 8);
            asm.dec(ECX).jnz("here").dec(RDX).jnz("again").out(Multiprocessor.STOP_PORT, AL);
            machine.memory().writeLong(DATA + 8, 3);
            machine.load(Multiprocessor.code(0), asm);
            machine.run(LIMIT);
            assertThat(machine.memory().readLong(MIDDLE + 8)).isEqualTo(3000);
            if (SoftHypervisor.isTranslatorPossible()) {
                assertThat(TranslatorRegressionTest.exits(machine.statistics(0)))
                        .isLessThan(500);
            }
        }
    }
}

package org.jvirt.machine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.jvirt.x86.Mem.mem;
import static org.jvirt.x86.Registers.AL;
import static org.jvirt.x86.Registers.CR2;
import static org.jvirt.x86.Registers.CR8;
import static org.jvirt.x86.Registers.DR1;
import static org.jvirt.x86.Registers.EAX;
import static org.jvirt.x86.Registers.EBX;
import static org.jvirt.x86.Registers.ECX;
import static org.jvirt.x86.Registers.EDX;
import static org.jvirt.x86.Registers.FS;
import static org.jvirt.x86.Registers.R15;
import static org.jvirt.x86.Registers.RAX;
import static org.jvirt.x86.Registers.RBX;
import static org.jvirt.x86.Registers.XMM1;
import static org.jvirt.x86.Registers.XMM15;

import java.util.Arrays;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.jvirt.core.HostFailureException;
import org.jvirt.core.cpu.CpuState;
import org.jvirt.core.interrupt.PcInterruptsState;
import org.jvirt.core.interrupt.PitState;
import org.jvirt.x86.Assembler;
import org.jvirt.x86.Mnemonic;

/// A guest begins on one engine and ends on another. Between the two it is nothing but records: processor,
/// interrupt controllers, 8254, and the content of its memory.
@Timeout(120)
final class EngineMoveTest {
    private static final long CODE = MovingGuest.CODE;
    private static final long DATA = 0x10_0000;
    private static final long RESULT = 0x10_1000;
    private static final long HANDLER = 0x10_2000;
    private static final int FS_BASE = 0xC000_0100;
    private static final int KERNEL_GS_BASE = 0xC000_0102;
    /// Machine checks are the engine's matter.
    private static final int MCG_CTL = 0x17B;
    /// It counts on, also between a load and a look.
    private static final int HV_VP_RUNTIME = 0x4000_0010;

    private static final int VECTOR = 0x49;
    private static final int LEVEL_TRIGGERED = 1 << 15;
    private static final int PIN = 9;
    private static final long IO_APIC = 0xFEC0_0000L;
    private static final long ALL_DIFFERENT = 0x0123_4567_89AB_CDEFL;

    /// What the guest writes on the first engine and reads on the second: STAR, LSTAR, FMASK, SYSENTER's three, PAT
    /// and the bases.
    private static final Map<Integer, Long> MSRS = new TreeMap<>(Map.of(
            0xC000_0081,
            0x0023_0008_0000_0000L,
            0xC000_0082,
            0xFFFF_8000_1234_5678L,
            0xC000_0084,
            0x4_7700L,
            0x174,
            0x8L,
            0x175,
            0x11_2233L,
            0x176,
            0x44_5566L,
            0x277,
            0x0007_0406_0007_0406L,
            FS_BASE,
            DATA + 0x100,
            KERNEL_GS_BASE,
            0xFFFF_9000_0000_0000L));

    @BeforeAll
    static void needsKvm() {
        try {
            var _ = Engines.choose("kvm");
        } catch (HostFailureException e) {
            Assumptions.abort(e.getMessage());
        }
    }

    @Test
    void fromKvmToTheInterpreter() throws Exception {
        moves("kvm", "interpreter");
    }

    @Test
    void fromTheInterpreterToKvm() throws Exception {
        moves("interpreter", "kvm");
    }

    @Test
    void toItselfOnKvm() throws Exception {
        moves("kvm", "kvm");
    }

    private static void moves(String from, String to) throws Exception {
        byte[] memory;
        CpuState processor;
        PcInterruptsState interrupts;
        PitState pit;
        long second;
        try (var guest = new MovingGuest(Engines.named(from))) {
            var code = firstHalf();
            second = code.here();
            guest.memory().write(CODE, secondHalf(code).assemble());
            guest.memory().write(HANDLER, handler().assemble());
            guest.gate(VECTOR, HANDLER);
            guest.memory().writeLong(DATA, ALL_DIFFERENT);
            guest.memory().writeLong(DATA + 8, ~ALL_DIFFERENT);
            guest.memory().writeLong(DATA + 0x108, 0x1DEA);
            guest.load();
            guest.run();
            guest.line(PIN).set(true);
            memory = guest.content();
            processor = guest.state();
            interrupts = guest.saveInterrupts();
            pit = guest.savePit();
        }
        assertThat(processor.general().rip()).as("between the halves").isEqualTo(second);
        try (var guest = new MovingGuest(Engines.named(to), interrupts, pit)) {
            guest.memory().write(0, memory);
            guest.load(processor);
            same(guest.state(), processor);
            same(guest.saveInterrupts(), interrupts);
            assertThat(guest.savePit().channels().get(2).count())
                    .isEqualTo(pit.channels().get(2).count())
                    .isEqualTo(0x1234);
            guest.run();
            isRight(guest);
        }
    }

    private static Assembler write(Assembler code, int msr, long value) {
        return code.mov(ECX, msr & 0xFFFF_FFFFL)
                .mov(EAX, value & 0xFFFF_FFFFL)
                .mov(EDX, value >>> 32)
                .wrmsr();
    }

    /// Fills registers of every kind, and stops with interrupts off and one about to come.
    private static Assembler firstHalf() {
        Assembler code = MovingGuest.code(CODE);
        MSRS.forEach((msr, value) -> write(code, msr, value));
        write(code, 0x1B, 0xFEE0_0D00L);
        write(code, 0x80F, 0x1FF);
        // both 8259s: vectors from 0x20 and 0x28, all inputs masked
        for (int[] icw : new int[][] {
            {0x20, 0x11}, {0x21, 0x20}, {0x21, 4}, {0x21, 1}, {0xA0, 0x11}, {0xA1, 0x28}, {0xA1, 2}, {0xA1, 1}
        }) {
            code.mov(AL, icw[1]).out(icw[0], AL);
        }
        code.mov(AL, 0xFF).out(0x21, AL).out(0xA1, AL);
        // the IO-APIC's pin, level-triggered, to the only processor
        code.mov(RBX, IO_APIC)
                .mov(EAX, 0x10 + 2 * PIN + 1)
                .mov(mem(RBX), EAX)
                .mov(EAX, 0)
                .mov(mem(RBX).disp(0x10), EAX)
                .mov(EAX, 0x10 + 2 * PIN)
                .mov(mem(RBX), EAX)
                .mov(EAX, LEVEL_TRIGGERED | VECTOR)
                .mov(mem(RBX).disp(0x10), EAX);
        // the 8254's channel 2: mode 3, count 0x1234
        code.mov(AL, 0xB6)
                .out(0x43, AL)
                .mov(AL, 0x34)
                .out(0x42, AL)
                .mov(AL, 0x12)
                .out(0x42, AL);
        code.mov(RBX, DATA)
                .emit(Mnemonic.MOVUPS, XMM1, mem(RBX).xmmword())
                .emit(Mnemonic.MOVUPS, XMM15, mem(RBX).xmmword())
                .mov(RAX, 0xDEAD_B000L)
                .mov(CR2, RAX)
                .mov(EAX, 3)
                .mov(CR8, RAX)
                .mov(EAX, 0x77_7000)
                .mov(DR1, RAX)
                .mov(R15, ALL_DIFFERENT)
                .mov(EBX, 5);
        return code.out(MovingGuest.EXIT_PORT, AL);
    }

    /// Writes down what it finds, and then takes the interrupt.
    private static Assembler secondHalf(Assembler code) {
        code.mov(mem(RESULT), R15).mov(RAX, RBX).mov(RBX, RESULT);
        code.mov(mem(RBX).disp(8), RAX);
        code.mov(RAX, CR2).mov(mem(RBX).disp(0x10), RAX);
        code.mov(RAX, CR8).mov(mem(RBX).disp(0x18), RAX);
        code.mov(RAX, DR1).mov(mem(RBX).disp(0x20), RAX);
        code.mov(RAX, mem(8).segment(FS)).mov(mem(RBX).disp(0x28), RAX);
        code.emit(Mnemonic.MOVUPS, mem(RBX).disp(0x40).xmmword(), XMM1);
        code.emit(Mnemonic.MOVUPS, mem(RBX).disp(0x50).xmmword(), XMM15);
        int at = 0x100;
        for (int msr : MSRS.keySet()) {
            code.mov(ECX, msr & 0xFFFF_FFFFL).rdmsr();
            code.mov(mem(RBX).disp(at), EAX).mov(mem(RBX).disp(at + 4), EDX);
            at += 8;
        }
        return code.sti().label("wait").hlt().jmp("wait");
    }

    private static Assembler handler() {
        return MovingGuest.code(HANDLER)
                .mov(RBX, RESULT)
                .mov(EAX, VECTOR)
                .mov(mem(RBX).disp(0x30), EAX)
                .out(MovingGuest.EXIT_PORT, AL)
                .hlt();
    }

    private static void isRight(MovingGuest guest) {
        var memory = guest.memory();
        assertThat(memory.readLong(RESULT)).as("R15").isEqualTo(ALL_DIFFERENT);
        assertThat(memory.readLong(RESULT + 8)).as("RBX").isEqualTo(5);
        assertThat(memory.readLong(RESULT + 0x10)).as("CR2").isEqualTo(0xDEAD_B000L);
        assertThat(memory.readLong(RESULT + 0x18)).as("CR8").isEqualTo(3);
        assertThat(memory.readLong(RESULT + 0x20)).as("DR1").isEqualTo(0x77_7000);
        assertThat(memory.readLong(RESULT + 0x28)).as("behind FS").isEqualTo(0x1DEA);
        for (int at : new int[] {0x40, 0x50}) {
            assertThat(memory.readLong(RESULT + at)).as("an XMM register").isEqualTo(ALL_DIFFERENT);
            assertThat(memory.readLong(RESULT + at + 8)).as("its upper half").isEqualTo(~ALL_DIFFERENT);
        }
        long at = RESULT + 0x100;
        for (var msr : MSRS.entrySet()) {
            assertThat(memory.readLong(at)).as("MSR 0x%x", msr.getKey()).isEqualTo(msr.getValue());
            at += 8;
        }
        assertThat(memory.readInt(RESULT + 0x30)).as("the interrupt").isEqualTo(VECTOR);
    }

    /// An engine's own model-specific registers may be fewer; x87, SSE and AVX are there on all.
    private static void same(CpuState moved, CpuState original) {
        assertThat(moved.general()).isEqualTo(original.general());
        assertThat(moved.segments()).isEqualTo(original.segments());
        assertThat(moved.control()).isEqualTo(original.control());
        assertThat(moved.debug()).isEqualTo(original.debug());
        assertThat(moved.events()).isEqualTo(original.events());
        assertThat(moved.activity()).isEqualTo(original.activity());
        assertThat(vectors(moved)).isEqualTo(vectors(original));
        var common = new TreeMap<>(original.msrs());
        common.keySet().retainAll(moved.msrs().keySet());
        common.keySet().removeAll(Set.of(MCG_CTL, HV_VP_RUNTIME));
        assertThat(moved.msrs()).containsAllEntriesOf(common);
        assertThat(common).hasSizeGreaterThan(MSRS.size());
    }

    /// The registers themselves: FCW to FOP, MXCSR, and everything from ST0 to XMM15. FIP and FDP are left out:
    /// some processors do not save them.
    private static byte[] vectors(CpuState state) {
        byte[] all = state.extended().bytes();
        byte[] kept = Arrays.copyOf(all, 416);
        Arrays.fill(kept, 6, 24, (byte) 0);
        return kept;
    }

    private static void same(PcInterruptsState moved, PcInterruptsState original) {
        assertThat(moved.master()).isEqualTo(original.master());
        assertThat(moved.slave()).isEqualTo(original.slave());
        assertThat(moved.ioApic()).isEqualTo(original.ioApic());
        assertThat(moved.apics()).isEqualTo(original.apics());
    }
}

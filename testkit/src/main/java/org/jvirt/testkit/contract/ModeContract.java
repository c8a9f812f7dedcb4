package org.jvirt.testkit.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.jvirt.x86.Mem.mem;
import static org.jvirt.x86.Registers.AL;
import static org.jvirt.x86.Registers.AX;
import static org.jvirt.x86.Registers.CR0;
import static org.jvirt.x86.Registers.CR3;
import static org.jvirt.x86.Registers.CR4;
import static org.jvirt.x86.Registers.CX;
import static org.jvirt.x86.Registers.DR0;
import static org.jvirt.x86.Registers.DR6;
import static org.jvirt.x86.Registers.DR7;
import static org.jvirt.x86.Registers.DS;
import static org.jvirt.x86.Registers.EAX;
import static org.jvirt.x86.Registers.EBX;
import static org.jvirt.x86.Registers.ECX;
import static org.jvirt.x86.Registers.EDX;
import static org.jvirt.x86.Registers.ESP;
import static org.jvirt.x86.Registers.R11;
import static org.jvirt.x86.Registers.R8;
import static org.jvirt.x86.Registers.R9;
import static org.jvirt.x86.Registers.RAX;
import static org.jvirt.x86.Registers.RBX;
import static org.jvirt.x86.Registers.RCX;
import static org.jvirt.x86.Registers.RDI;
import static org.jvirt.x86.Registers.RDX;
import static org.jvirt.x86.Registers.RSI;
import static org.jvirt.x86.Registers.RSP;
import static org.jvirt.x86.Registers.SS;

import java.util.Arrays;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.jvirt.core.RunResult;
import org.jvirt.core.cpu.Activity;
import org.jvirt.core.cpu.ControlRegisters;
import org.jvirt.core.cpu.CpuState;
import org.jvirt.core.cpu.GeneralRegisters;
import org.jvirt.core.cpu.PendingEvents;
import org.jvirt.core.cpu.Segment;
import org.jvirt.core.cpu.SegmentRegisters;
import org.jvirt.core.cpu.XsaveArea;
import org.jvirt.x86.Assembler;
import org.jvirt.x86.CodeSize;
import org.jvirt.x86.FarPointer;
import org.jvirt.x86.Imm;
import org.jvirt.x86.Mnemonic;

/// Modes and the ways between them, exceptions, debugging, and the state as a whole.
abstract class ModeContract extends HypervisorContract {
    private static final long HANDLER = Guest.FREE + 0x8000;

    private static void stopOn(Guest guest, int vector, boolean errorCode) {
        Assembler code = code64(HANDLER + vector * 0x40L);
        if (errorCode) {
            code.pop(R8);
        }
        guest.load(
                HANDLER + vector * 0x40L, code.pop(R9).out(Guest.EXIT_PORT, AL).hlt());
        guest.gate(vector, HANDLER + vector * 0x40L, 0);
    }

    // ---------------------------------------------------------------- modes

    @Test
    void aProcessorGoesFromRealThroughProtectedToLongMode() {
        try (var guest = guest()) {
            Assembler code = new Assembler(CodeSize.CODE16, Guest.CODE);
            code.mov(AX, 0x1000).mov(DS, AX);
            code.emitSized(Mnemonic.LGDT, 4, mem(0x100));
            code.mov(EAX, 0x11).mov(CR0, EAX);
            code.emit(Mnemonic.JMPF, new FarPointer(0x18, "protected"));
            code.mode(CodeSize.CODE32).label("protected");
            code.mov(EAX, 0x10).mov(DS, AX).mov(SS, AX).mov(ESP, Guest.STACK);
            code.mov(EAX, 0x620).mov(CR4, EAX);
            code.mov(EAX, Guest.TABLES).mov(CR3, EAX);
            code.mov(ECX, 0xC000_0080).rdmsr().or(EAX, 0x100).wrmsr();
            code.mov(EAX, 0x8000_0011L).mov(CR0, EAX);
            code.emit(Mnemonic.JMPF, new FarPointer(0x08, "long"));
            code.mode(CodeSize.CODE64).label("long");
            code.mov(RBX, 0x1234_5678_9ABC_DEF0L).out(Guest.EXIT_PORT, AL).hlt();
            guest.load(Guest.CODE, code);
            guest.memory.writeShort(0x1_0100, 0x4F);
            guest.memory.writeInt(0x1_0102, (int) Guest.GDT);
            CpuState reset = CpuState.reset(Activity.RUNNING, 0);
            var s = reset.segments();
            var flatCode = new Segment(0, 0, 0xFFFF, s.cs().attributes());
            guest.vcpus
                    .getFirst()
                    .load(reset.with(new SegmentRegisters(
                                    s.es(), flatCode, s.ss(), s.ds(), s.fs(), s.gs(), s.ldt(), s.tr(), s.gdt(),
                                    s.idt()))
                            .with(GeneralRegisters.of(new long[16], Guest.CODE, 2)));
            assertThat(guest.run(0)).isEqualTo(RunResult.KICKED);
            assertThat(guest.registers().rbx()).isEqualTo(0x1234_5678_9ABC_DEF0L);
            assertThat(guest.vcpus.getFirst().state().control().efer() & 0x500).isEqualTo(0x500);
        }
    }

    @Test
    void realModeInterruptsGoThroughTheVectorTable() {
        try (var guest = guest()) {
            guest.load(
                    Guest.CODE,
                    new Assembler(CodeSize.CODE16, Guest.CODE)
                            .mov(CX, 5)
                            .emit(Mnemonic.INT, new Imm(0x21))
                            .out(Guest.EXIT_PORT, AL));
            guest.load(0x2000, new Assembler(CodeSize.CODE16, 0x2000).add(CX, 2).iret());
            guest.memory.writeInt(0x21 * 4, 0x2000);
            CpuState reset = CpuState.reset(Activity.RUNNING, 0);
            var s = reset.segments();
            long[] registers = new long[16];
            registers[4] = 0x7000;
            guest.vcpus
                    .getFirst()
                    .load(reset.with(new SegmentRegisters(
                                    s.es(),
                                    new Segment(0, 0, 0xFFFF, s.cs().attributes()),
                                    s.ss(),
                                    s.ds(),
                                    s.fs(),
                                    s.gs(),
                                    s.ldt(),
                                    s.tr(),
                                    s.gdt(),
                                    s.idt()))
                            .with(GeneralRegisters.of(registers, Guest.CODE, 0x202)));
            guest.run(0);
            assertThat(guest.registers().rcx()).isEqualTo(7);
            assertThat(guest.registers().rflags() & 0x200).as("IF after IRET").isEqualTo(0x200);
            assertThat(guest.registers().rsp()).isEqualTo(0x7000);
        }
    }

    @Test
    void systemCallsGoToTheKernelAndBack() {
        try (var guest = guest()) {
            long user = Guest.FREE;
            long kernel = Guest.FREE + 0x1000;
            guest.load(user, code64(user).mov(EBX, 1).syscall().inc(EBX).int3());
            guest.load(kernel, code64(kernel).add(EBX, 10).mov(RSI, R11).sysretq());
            guest.load(
                    HANDLER,
                    code64(HANDLER)
                            .mov(RDI, mem(RSP).disp(8))
                            .out(Guest.EXIT_PORT, AL)
                            .hlt());
            guest.gate(3, HANDLER, 3);
            guest.run64(code64().mov(ECX, 0xC000_0080)
                    .rdmsr()
                    .or(EAX, 1)
                    .wrmsr()
                    .mov(ECX, 0xC000_0081)
                    .xor(EAX, EAX)
                    .mov(EDX, 0x001B_0008)
                    .wrmsr()
                    .mov(ECX, 0xC000_0082)
                    .mov(EAX, kernel)
                    .xor(EDX, EDX)
                    .wrmsr()
                    .mov(ECX, 0xC000_0084)
                    .mov(EAX, 0x200)
                    .wrmsr()
                    .push(0x23)
                    .push(Guest.STACK - 0x100)
                    .push(0x202)
                    .push(0x2B)
                    .push(user)
                    .iretq());
            assertThat(guest.registers().rbx()).isEqualTo(12);
            assertThat(guest.registers().rsi() & 0x200).as("IF saved in R11").isEqualTo(0x200);
            assertThat(guest.registers().rdi()).as("CS of the user").isEqualTo(0x2B);
            assertThat(guest.registers().rsp()).as("stack from the TSS").isEqualTo(Guest.KERNEL_STACK - 40);
        }
    }

    @Test
    void anotherProcessorStartsByInitAndStartup() {
        try (var guest = guest(2)) {
            guest.load(
                    0x9000,
                    new Assembler(CodeSize.CODE16, 0)
                            .mov(AX, 0x55)
                            .out(0x99, AL)
                            .out(Guest.EXIT_PORT, AL));
            var second = guest.start(1);
            guest.interrupts.signals(1).init();
            guest.interrupts.signals(1).startup(9);
            assertThat(Guest.await(second)).isEqualTo(RunResult.KICKED);
            assertThat(guest.accesses).containsExactly(new Guest.Access(true, 0x99, 1, 0x55));
        }
    }

    // ---------------------------------------------------------------- exceptions

    @Test
    void undefinedInstructionsFaultAtTheirOwnAddress() {
        try (var guest = guest()) {
            stopOn(guest, 6, false);
            guest.run64(code64().nop().ud2());
            assertThat(guest.registers().r9()).isEqualTo(Guest.CODE + 1);
        }
    }

    @Test
    void divisionByZeroFaults() {
        try (var guest = guest()) {
            stopOn(guest, 0, false);
            guest.run64(code64().xor(ECX, ECX).div(ECX));
            assertThat(guest.registers().r9()).isEqualTo(Guest.CODE + 2);
        }
    }

    @Test
    void aSelectorBeyondTheTableFaultsWithItsNumber() {
        try (var guest = guest()) {
            stopOn(guest, 13, true);
            guest.run64(code64().mov(EAX, 0x1003).mov(DS, AX).hlt());
            assertThat(guest.registers().r8()).isEqualTo(0x1000);
            assertThat(guest.registers().r9()).isEqualTo(Guest.CODE + 5);
        }
    }

    @Test
    void nonCanonicalAddressesFault() {
        try (var guest = guest()) {
            stopOn(guest, 13, true);
            guest.run64(code64().mov(RBX, 1L << 47).mov(EAX, mem(RBX)).hlt());
            assertThat(guest.registers().r8()).isZero();
        }
        try (var guest = guest()) {
            stopOn(guest, 12, true);
            guest.run64(code64().mov(RSP, 1L << 47).push(RAX).hlt());
            assertThat(guest.registers().r8()).isZero();
        }
    }

    @Test
    void unknownModelSpecificRegistersFault() {
        try (var guest = guest()) {
            stopOn(guest, 13, true);
            guest.run64(code64().mov(ECX, 0x7777_7777).rdmsr().hlt());
            assertThat(guest.registers().r9()).isEqualTo(Guest.CODE + 5);
        }
    }

    @Test
    void aFaultWhileAFaultIsDeliveredIsADoubleFault() {
        try (var guest = guest()) {
            stopOn(guest, 8, true);
            // vector 13 has no gate
            guest.run64(code64().mov(ECX, 0x7777_7777).rdmsr().hlt());
            assertThat(guest.registers().r8()).isZero();
            assertThat(guest.registers().r9()).isEqualTo(Guest.CODE + 5);
        }
    }

    @Test
    void withoutAnyHandlerTheProcessorShutsDown() {
        try (var guest = guest()) {
            assertThat(guest.run64(code64().nop().ud2())).isEqualTo(new RunResult.TripleFault(Guest.CODE + 1));
            assertThat(guest.vcpus.getFirst().state().activity()).isEqualTo(Activity.SHUTDOWN);
        }
    }

    // ---------------------------------------------------------------- debugging

    /// Counts debug exceptions in RDI and keeps the last DR6 in RSI and the last RIP in R9.
    private static void countDebugExceptions(Guest guest) {
        guest.load(
                HANDLER,
                code64(HANDLER)
                        .inc(RDI)
                        .push(RAX)
                        .mov(RAX, DR6)
                        .mov(RSI, RAX)
                        .mov(R9, mem(RSP).disp(8))
                        .xor(EAX, EAX)
                        .mov(DR6, RAX)
                        .pop(RAX)
                        .iretq());
        guest.gate(1, HANDLER, 0);
    }

    @Test
    void singleSteppingTrapsAfterEveryInstruction() {
        try (var guest = guest()) {
            countDebugExceptions(guest);
            guest.run64(code64().pushf()
                    .or(mem(RSP).qword(), 0x100)
                    .popf()
                    .nop()
                    .nop()
                    .nop()
                    .pushf()
                    .and(mem(RSP).qword(), ~0x100)
                    .popf()
                    .out(Guest.EXIT_PORT, AL));
            // three NOPs, PUSHF, AND, POPF
            assertThat(guest.registers().rdi()).isEqualTo(6);
            assertThat(guest.registers().rsi() & 0x4000).as("DR6.BS").isEqualTo(0x4000);
        }
    }

    @Test
    void executionBreakpointsFaultBeforeTheInstructionAndOnce() {
        try (var guest = guest()) {
            countDebugExceptions(guest);
            // the handler returns with RF set, which lets the instruction pass
            guest.load(
                    HANDLER,
                    code64(HANDLER)
                            .inc(RDI)
                            .mov(R9, mem(RSP))
                            .or(mem(RSP).disp(16).qword(), 0x1_0000)
                            .iretq());
            Assembler code = code64();
            code.mov(RAX, Guest.CODE + 0x40).mov(DR0, RAX).mov(EAX, 2).mov(DR7, RAX);
            code.mov(ECX, 3).label("again");
            while (code.size() < 0x40) {
                code.nop();
            }
            code.inc(EBX).dec(ECX).jnz("again").out(Guest.EXIT_PORT, AL);
            guest.run64(code);
            assertThat(guest.registers().rdi()).isEqualTo(3);
            assertThat(guest.registers().rbx()).isEqualTo(3);
            assertThat(guest.registers().r9()).isEqualTo(Guest.CODE + 0x40);
        }
    }

    @Test
    void dataBreakpointsTrapAfterTheAccess() {
        try (var guest = guest()) {
            countDebugExceptions(guest);
            Assembler code = code64();
            code.mov(RAX, Guest.FREE + 4).mov(DR0, RAX);
            // 4 bytes, write
            code.mov(EAX, 0xD_0002).mov(DR7, RAX);
            code.mov(RBX, Guest.FREE).mov(mem(RBX).dword(), 1).mov(EAX, mem(RBX).disp(4));
            code.mov(mem(RBX).qword(), 5);
            long after = code.here();
            guest.run64(code.nop().out(Guest.EXIT_PORT, AL));
            assertThat(guest.registers().rdi()).isEqualTo(1);
            assertThat(guest.registers().rsi() & 15).isEqualTo(1);
            assertThat(guest.registers().r9()).isEqualTo(after);
            assertThat(guest.memory.readLong(Guest.FREE)).isEqualTo(5);
        }
    }

    @Test
    void movToSsHoldsInterruptsBackForOneInstruction() {
        try (var guest = guest()) {
            guest.load(Guest.FREE, code64(Guest.FREE).mov(RBX, 1).iretq());
            guest.gate(0x40, Guest.FREE, 0);
            guest.load(
                    Guest.CODE,
                    code64().mov(EAX, 0x10)
                            .sti()
                            .mov(SS, AX)
                            .mov(RSI, RBX)
                            .mov(RDI, RBX)
                            .cli()
                            .out(Guest.EXIT_PORT, AL));
            guest.vcpus.getFirst().load(guest.long64(0, Guest.CODE));
            guest.interrupts.raise(0, 0x40);
            guest.run(0);
            assertThat(guest.registers().rsi()).isZero();
            assertThat(guest.registers().rdi()).isEqualTo(1);
        }
    }

    // ---------------------------------------------------------------- state

    @Test
    void theStateSurvivesARoundTrip() {
        try (var guest = guest()) {
            CpuState base = guest.long64(0, Guest.CODE);
            long[] registers = new long[16];
            for (int i = 0; i < 16; i++) {
                registers[i] = 0x0101_0101_0101_0101L * (i + 1);
            }
            byte[] area = new byte[576 + 256];
            for (int i = 160; i < 416; i++) {
                area[i] = (byte) i;
            }
            System.arraycopy(XsaveArea.initial().bytes(), 0, area, 0, 160);
            area[28] = (byte) 0xFF;
            area[29] = (byte) 0xFF;
            area[512] = 3;
            var msrs = new TreeMap<>(guest.vcpus.getFirst().state().msrs());
            msrs.put(0xC000_0082, 0xFFFF_FFFF_8000_1234L);
            msrs.put(0xC000_0102, 0x1234_5678L);
            var c = base.control();
            var state = new CpuState(
                    GeneralRegisters.of(registers, Guest.CODE, 0x246),
                    base.segments(),
                    new ControlRegisters(c.cr0(), 0x1234, c.cr3(), c.cr4(), 3, c.efer(), 3),
                    base.debug(),
                    new XsaveArea(Arrays.copyOf(
                            area, guest.vcpus.getFirst().state().extended().bytes().length)),
                    msrs,
                    new PendingEvents(true, true, false, -1, -1),
                    Activity.HALTED);
            guest.vcpus.getFirst().load(state);
            CpuState back = guest.vcpus.getFirst().state();
            assertThat(back.general()).isEqualTo(state.general());
            assertThat(back.segments()).isEqualTo(state.segments());
            assertThat(back.control()).isEqualTo(state.control());
            assertThat(back.debug()).isEqualTo(state.debug());
            assertThat(Arrays.copyOf(back.extended().bytes(), 512))
                    .isEqualTo(Arrays.copyOf(state.extended().bytes(), 512));
            assertThat(back.msrs()).isEqualTo(state.msrs());
            assertThat(back.events()).isEqualTo(state.events());
            assertThat(back.activity()).isEqualTo(Activity.HALTED);
        }
    }

    @Test
    void aGuestContinuesOnAnotherProcessorWithItsState() {
        try (var guest = guest()) {
            guest.load(
                    Guest.CODE,
                    code64().mov(ECX, 100)
                            .label("next")
                            .add(RBX, RCX)
                            .out(Guest.EXIT_PORT, AL)
                            .dec(ECX)
                            .jnz("next")
                            .out(0x10, AL)
                            .label("end")
                            .jmp("end"));
            guest.vcpus.getFirst().load(guest.long64(0, Guest.CODE));
            for (int i = 0; i < 50; i++) {
                guest.run(0);
            }
            CpuState half = guest.vcpus.getFirst().state();
            for (int i = 0; i < 50; i++) {
                guest.run(0);
            }
            long expected = guest.registers().rbx();
            guest.vcpus.getFirst().load(half);
            for (int i = 0; i < 50; i++) {
                guest.run(0);
            }
            assertThat(guest.registers().rbx()).isEqualTo(expected).isEqualTo(5050);
        }
    }

    @Test
    void xsaveAndXrstorCarryTheVectorRegisters() {
        try (var guest = guest()) {
            CpuState base = guest.long64(0, Guest.CODE);
            byte[] area = new byte[576];
            System.arraycopy(XsaveArea.initial().bytes(), 0, area, 0, 160);
            area[160] = 0x5A;
            area[512] = 3;
            guest.load(
                    Guest.CODE,
                    code64().mov(EAX, 0x4_0620)
                            .mov(CR4, RAX)
                            .mov(RBX, Guest.FREE)
                            .mov(EAX, 3)
                            .xor(EDX, EDX)
                            .xor(ECX, ECX)
                            .xsetbv()
                            .xsave(mem(RBX))
                            .mov(mem(RBX).disp(160).byteSize(), 0x77)
                            .xrstor(mem(RBX))
                            .out(Guest.EXIT_PORT, AL));
            guest.vcpus
                    .getFirst()
                    .load(new CpuState(
                            base.general(),
                            base.segments(),
                            base.control(),
                            base.debug(),
                            new XsaveArea(area),
                            base.msrs(),
                            base.events(),
                            base.activity()));
            guest.run(0);
            assertThat(guest.memory.readLong(Guest.FREE + 512)).isEqualTo(3);
            assertThat(guest.vcpus.getFirst().state().extended().bytes()[160]).isEqualTo((byte) 0x77);
        }
    }

    // ---------------------------------------------------------------- what a processor says of itself

    @Test
    void cpuidFollowsTheState() {
        try (var guest = guest()) {
            guest.run64(code64().mov(EAX, 1)
                    .cpuid()
                    .mov(RSI, RCX)
                    .mov(RAX, CR4)
                    .or(EAX, 1 << 18)
                    .mov(CR4, RAX)
                    .mov(EAX, 1)
                    .cpuid()
                    .mov(RDI, RCX)
                    .out(Guest.EXIT_PORT, AL));
            assertThat(guest.registers().rsi() >>> 27 & 1).isZero();
            assertThat(guest.registers().rdi() >>> 27 & 1).isEqualTo(1);
        }
    }

    @Test
    void randomNumbersDiffer() {
        try (var guest = guest()) {
            guest.run64(code64().rdrand(RBX).rdseed(RDX).out(Guest.EXIT_PORT, AL));
            assertThat(guest.registers().rbx()).isNotEqualTo(guest.registers().rdx());
            assertThat(guest.registers().rflags() & 1).isEqualTo(1);
        }
    }

    @Test
    void instructionsAreCounted() {
        try (var guest = guest()) {
            guest.run64(
                    code64().mov(ECX, 1000).label("next").dec(ECX).jnz("next").out(Guest.EXIT_PORT, AL));
            assertThat(guest.vcpus.getFirst().instructions())
                    .as("-1: the engine cannot tell")
                    .isIn(2002L, -1L);
        }
    }
}

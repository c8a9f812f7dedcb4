package org.jvirt.testkit.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.jvirt.x86.Mem.mem;
import static org.jvirt.x86.Registers.AL;
import static org.jvirt.x86.Registers.AX;
import static org.jvirt.x86.Registers.CR0;
import static org.jvirt.x86.Registers.CR4;
import static org.jvirt.x86.Registers.CS;
import static org.jvirt.x86.Registers.DR0;
import static org.jvirt.x86.Registers.DR1;
import static org.jvirt.x86.Registers.DR6;
import static org.jvirt.x86.Registers.DR7;
import static org.jvirt.x86.Registers.DS;
import static org.jvirt.x86.Registers.EAX;
import static org.jvirt.x86.Registers.EBX;
import static org.jvirt.x86.Registers.ECX;
import static org.jvirt.x86.Registers.EDI;
import static org.jvirt.x86.Registers.EDX;
import static org.jvirt.x86.Registers.ESI;
import static org.jvirt.x86.Registers.ESP;
import static org.jvirt.x86.Registers.R10;
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

import org.junit.jupiter.api.Test;
import org.jvirt.core.cpu.CpuState;
import org.jvirt.core.cpu.PendingEvents;
import org.jvirt.x86.Assembler;
import org.jvirt.x86.Mnemonic;

/// Rare paths of a processor: fast system calls of the older kind, process contexts, debugging aids, alignment,
/// values that registers refuse, faults that meet each other, and events on their way through a saved state.
abstract class ProcessorContract extends HypervisorContract {
    private static final long HANDLER = Guest.FREE + 0x8000;
    private static final long DATA = Guest.FREE + 0x5000;
    private static final long UNMAPPED = 0x1F_0000;
    private static final long NON_CANONICAL = 1L << 47;
    private static final int SYSENTER_CS = 0x174;
    private static final int SYSENTER_ESP = 0x175;
    private static final int SYSENTER_EIP = 0x176;
    private static final int CR4_DE = 1 << 3;
    private static final int CR4_PCIDE = 1 << 17;

    /// Stops at `vector`, with its number in EDI, the error code in R8 and RIP in R9.
    private static void stopOn(Guest guest, int vector) {
        long at = HANDLER + vector * 0x40L;
        Assembler code = code64(at).mov(EDI, vector);
        if (vector == 8 || vector >= 10 && vector <= 14 || vector == 17) {
            code.pop(R8);
        }
        guest.load(at, code.pop(R9).out(Guest.EXIT_PORT, AL).hlt());
        guest.gate(vector, at, 3);
    }

    /// Runs code whose last instruction, of `length` bytes, must raise `#GP(0)`.
    private void refuses(Assembler code, int length) {
        try (var guest = guest()) {
            stopOn(guest, 13);
            long at = code.here() - length;
            guest.run64(code.out(Guest.EXIT_PORT, AL).hlt());
            assertThat(guest.registers().rdi()).isEqualTo(13);
            assertThat(guest.registers().r8()).isZero();
            assertThat(guest.registers().r9()).isEqualTo(at);
        }
    }

    private static Assembler write(Assembler code, int msr, long value) {
        return code.mov(ECX, msr & 0xFFFF_FFFFL)
                .mov(EAX, value & 0xFFFF_FFFFL)
                .mov(EDX, value >>> 32)
                .wrmsr();
    }

    private static Assembler toUser(Assembler code, int flags) {
        return code.push(0x23)
                .push(Guest.STACK - 0x100)
                .push(flags)
                .push(0x2B)
                .push(Guest.FREE)
                .iretq();
    }

    // ---------------------------------------------------------------- SYSENTER and SYSEXIT

    @Test
    void sysenterGoesToThe64BitKernelAndBack() {
        try (var guest = guest()) {
            long kernel = Guest.FREE + 0x1000;
            long back = Guest.FREE + 0x100;
            guest.load(Guest.FREE, code64(Guest.FREE).mov(EBX, 1).sysenter());
            guest.load(back, code64(back).add(EBX, 100).int3());
            Assembler inside = code64(kernel)
                    .add(EBX, 10)
                    .mov(RSI, RSP)
                    .pushf()
                    .pop(R10)
                    .mov(R11, CS)
                    .mov(RDX, back)
                    .mov(RCX, Guest.STACK - 0x200);
            guest.load(kernel, inside.emitSized(Mnemonic.SYSEXIT, 8));
            stopOn(guest, 3);
            guest.load(
                    HANDLER,
                    code64(HANDLER)
                            .mov(R8, mem(RSP).disp(8))
                            .mov(R9, mem(RSP).disp(24))
                            .out(Guest.EXIT_PORT, AL));
            guest.gate(3, HANDLER, 3);
            var code = write(code64(), SYSENTER_CS, 8);
            write(code, SYSENTER_ESP, Guest.KERNEL_STACK - 0x400);
            write(code, SYSENTER_EIP, kernel);
            guest.run64(toUser(code, 0x202));
            assertThat(guest.registers().rbx()).isEqualTo(111);
            assertThat(guest.registers().rsi()).isEqualTo(Guest.KERNEL_STACK - 0x400);
            assertThat(guest.registers().r10() & 0x200).as("IF").isZero();
            assertThat(guest.registers().r11()).as("CS of the kernel").isEqualTo(8);
            assertThat(guest.registers().r8()).as("CS of the user").isEqualTo(0x2B);
            assertThat(guest.registers().r9()).as("stack of the user").isEqualTo(Guest.STACK - 0x200);
        }
    }

    @Test
    void sysenterGoesToThe32BitKernelAndBack() {
        try (var guest = guest()) {
            Legacy32.tables(guest);
            long kernel = Guest.FREE + 0x1000;
            long back = Guest.FREE + 0x100;
            guest.load(Guest.FREE, Legacy32.code32(Guest.FREE).mov(EBX, 1).sysenter());
            guest.load(back, Legacy32.code32(back).add(EBX, 100).int3());
            guest.load(
                    kernel,
                    Legacy32.code32(kernel)
                            .add(EBX, 10)
                            .mov(ESI, ESP)
                            .mov(EDX, back)
                            .mov(ECX, Guest.STACK - 0x200)
                            .emitSized(Mnemonic.SYSEXIT, 4));
            Legacy32.handle(
                    guest,
                    3,
                    3,
                    Legacy32.handler(3)
                            .mov(EDI, mem(ESP).disp(4))
                            .mov(EDX, mem(ESP).disp(16))
                            .out(Guest.EXIT_PORT, AL));
            var code = write(Legacy32.code32(Guest.CODE), SYSENTER_CS, 8);
            write(code, SYSENTER_ESP, Guest.KERNEL_STACK - 0x400);
            write(code, SYSENTER_EIP, kernel);
            code.push(0x23)
                    .push(Guest.STACK)
                    .push(2)
                    .push(0x1B)
                    .push(Guest.FREE)
                    .iretd();
            Legacy32.run(guest, code);
            assertThat(guest.registers().rbx()).isEqualTo(111);
            assertThat(guest.registers().rsi()).isEqualTo(Guest.KERNEL_STACK - 0x400);
            assertThat(guest.registers().rdi()).as("CS").isEqualTo(0x1B);
            assertThat(guest.registers().rdx()).as("SS").isEqualTo(0x23);
        }
    }

    @Test
    void fastCallsNeedASelectorAndCanonicalAddresses() {
        refuses(write(code64(), SYSENTER_CS, 3).sysenter(), 2);
        refuses(write(code64(), SYSENTER_CS, 0).emitSized(Mnemonic.SYSEXIT, 4), 2);
        refuses(
                write(code64(), SYSENTER_CS, 8)
                        .xor(EDX, EDX)
                        .mov(RCX, NON_CANONICAL)
                        .emitSized(Mnemonic.SYSEXIT, 8),
                3);
        refuses(
                write(code64(), SYSENTER_CS, 8)
                        .xor(ECX, ECX)
                        .mov(RDX, NON_CANONICAL)
                        .emitSized(Mnemonic.SYSEXIT, 8),
                3);
    }

    /// Runs one instruction at privilege level 3 that must raise `#GP(0)`.
    private void refusesUser(Assembler code) {
        try (var guest = guest()) {
            stopOn(guest, 13);
            guest.load(Guest.FREE, code);
            guest.run64(toUser(code64(), 2));
            assertThat(guest.registers().rdi()).isEqualTo(13);
            assertThat(guest.registers().r8()).isZero();
            assertThat(guest.registers().r9()).isEqualTo(Guest.FREE);
        }
    }

    @Test
    void usersMayNot() {
        refusesUser(code64(Guest.FREE).emitSized(Mnemonic.SYSEXIT, 4));
        refusesUser(code64(Guest.FREE).emit(Mnemonic.INVPCID, RAX, mem(RBX)));
        refusesUser(code64(Guest.FREE).emit(Mnemonic.RDPMC));
        refusesUser(code64(Guest.FREE).wrmsr());
        refusesUser(code64(Guest.FREE).mov(RAX, DR7));
    }

    // ---------------------------------------------------------------- INVPCID

    private void invalidates(int type, long pcid, long cr4) {
        try (var guest = guest()) {
            long la = 0x5_0000;
            guest.memory.writeInt(la, 1);
            guest.memory.writeInt(DATA, 2);
            guest.memory.writeLong(DATA + 0x100, pcid);
            guest.memory.writeLong(DATA + 0x108, la);
            guest.run64(code64().mov(RAX, CR4)
                    .or(EAX, cr4)
                    .mov(CR4, RAX)
                    .mov(ECX, mem(la))
                    .mov(RAX, DATA | 7)
                    .mov(RBX, Guest.pageEntry(la))
                    .mov(mem(RBX), RAX)
                    .mov(EAX, type)
                    .mov(RBX, DATA + 0x100)
                    .emit(Mnemonic.INVPCID, RAX, mem(RBX))
                    .mov(EDX, mem(la))
                    .out(Guest.EXIT_PORT, AL));
            assertThat(guest.registers().rcx()).isEqualTo(1);
            assertThat(guest.registers().rdx()).isEqualTo(2);
        }
    }

    @Test
    void eachKindOfInvpcidForgetsTheTranslation() {
        for (int type = 0; type < 4; type++) {
            invalidates(type, 0, 0);
            invalidates(type, 0, CR4_PCIDE);
        }
    }

    private void refusesContext(long type, long pcid, long la) {
        refuses(
                code64().mov(RBX, DATA)
                        .mov(RAX, pcid)
                        .mov(mem(RBX), RAX)
                        .mov(RAX, la)
                        .mov(mem(RBX).disp(8), RAX)
                        .mov(RAX, type)
                        .emit(Mnemonic.INVPCID, RAX, mem(RBX)),
                5);
    }

    @Test
    void invpcidRefusesWhatTheManualReserves() {
        refusesContext(4, 0, 0);
        refusesContext(-1, 0, 0);
        refusesContext(0, 0x1000, 0);
        refusesContext(2, 0x1000, 0);
        refusesContext(0, 1, 0);
        refusesContext(1, 1, 0);
        refusesContext(0, 0, NON_CANONICAL);
    }

    // ---------------------------------------------------------------- debugging

    private static void countDebugExceptions(Guest guest) {
        guest.load(
                HANDLER,
                code64(HANDLER)
                        .inc(RDI)
                        .push(RAX)
                        .mov(RAX, DR6)
                        .mov(RSI, RAX)
                        .mov(R9, mem(RSP).disp(8))
                        .pop(RAX)
                        .iretq());
        guest.gate(1, HANDLER, 0);
    }

    private void portBreakpoint(int cr4, int dr7, int port, int expected) {
        try (var guest = guest()) {
            countDebugExceptions(guest);
            var code = code64().mov(RAX, CR4).or(EAX, cr4).mov(CR4, RAX);
            code.mov(EAX, 0x10).mov(DR0, RAX).mov(EAX, dr7).mov(DR7, RAX);
            code.out(port, AL);
            long after = code.here();
            guest.run64(code.nop().mov(EAX, 0x400).mov(DR7, RAX).out(Guest.EXIT_PORT, AL));
            assertThat(guest.registers().rdi()).isEqualTo(expected);
            assertThat(guest.accesses).hasSize(1);
            if (expected != 0) {
                assertThat(guest.registers().rsi() & 15).isEqualTo(1);
                assertThat(guest.registers().r9()).isEqualTo(after);
            }
        }
    }

    @Test
    void portBreakpointsTrapAfterTheAccess() {
        portBreakpoint(CR4_DE, 0x2_0002, 0x10, 1);
        portBreakpoint(CR4_DE, 0x2_0002, 0x11, 0);
        portBreakpoint(CR4_DE, 0x6_0002, 0x11, 1);
        portBreakpoint(CR4_DE, 0x6_0000, 0x10, 0);
        portBreakpoint(0, 0x2_0002, 0x10, 0);
    }

    @Test
    void repeatedPortInstructionsTrapAfterEachIteration() {
        try (var guest = guest()) {
            countDebugExceptions(guest);
            var code = code64().mov(RAX, CR4).or(EAX, CR4_DE).mov(CR4, RAX);
            code.mov(EAX, 0x10).mov(DR0, RAX).mov(EAX, 0x2_0002).mov(DR7, RAX);
            code.mov(EDX, 0x10).mov(ECX, 3).mov(RSI, DATA);
            // the handler's RSI is the port instruction's too
            guest.load(HANDLER, code64(HANDLER).inc(RDI).iretq());
            guest.run64(code.rep().emitSized(Mnemonic.OUTS, 1).nop().out(Guest.EXIT_PORT, AL));
            assertThat(guest.registers().rdi()).isEqualTo(3);
            assertThat(guest.registers().rcx()).isZero();
            assertThat(guest.accesses).hasSize(3);
        }
    }

    @Test
    void generalDetectFaultsAtTheAccessAndSwitchesItselfOff() {
        try (var guest = guest()) {
            countDebugExceptions(guest);
            var code = code64().mov(EAX, 0x2400).mov(DR7, RAX);
            long at = code.here();
            guest.run64(code.mov(RBX, DR7).out(Guest.EXIT_PORT, AL));
            assertThat(guest.registers().rdi()).isEqualTo(1);
            assertThat(guest.registers().rsi() & 0x2000).as("DR6.BD").isEqualTo(0x2000);
            assertThat(guest.registers().r9()).isEqualTo(at);
            assertThat(guest.registers().rbx()).isEqualTo(0x400);
        }
    }

    @Test
    void anIretThatWasResumedItselfMayResumeItsTarget() {
        try (var guest = guest()) {
            guest.load(
                    HANDLER,
                    code64(HANDLER)
                            .inc(RDI)
                            .or(mem(RSP).disp(16).dword(), 0x1_0000)
                            .iretq());
            guest.gate(1, HANDLER, 0);
            var code = code64();
            code.mov(RAX, Guest.CODE + 0x80).mov(DR0, RAX);
            code.mov(RAX, Guest.CODE + 0xA0).mov(DR1, RAX);
            code.mov(EAX, 0xA).mov(DR7, RAX);
            code.push(0x10).push(Guest.STACK).push(0x1_0002).push(8).push(Guest.CODE + 0xA0);
            while (code.size() < 0x80) {
                code.nop();
            }
            code.iretq();
            while (code.size() < 0xA0) {
                code.nop();
            }
            guest.run64(code.inc(EBX).out(Guest.EXIT_PORT, AL));
            assertThat(guest.registers().rbx()).isEqualTo(1);
            assertThat(guest.registers().rdi()).as("at IRET alone").isEqualTo(1);
        }
    }

    // ---------------------------------------------------------------- alignment

    private void alignment(boolean mask, int flags, int expected) {
        try (var guest = guest()) {
            stopOn(guest, 17);
            stopOn(guest, 3);
            long at = HANDLER + 17 * 0x40L;
            // the kernel itself may
            guest.load(
                    at,
                    code64(at)
                            .mov(EDI, 17)
                            .mov(EAX, mem(DATA + 1))
                            .pop(R8)
                            .pop(R9)
                            .out(Guest.EXIT_PORT, AL));
            guest.load(
                    Guest.FREE,
                    code64(Guest.FREE)
                            .mov(EAX, mem(DATA + 4))
                            .mov(EAX, mem(DATA + 2))
                            .int3());
            var code = code64().mov(RAX, CR0);
            if (mask) {
                code.or(EAX, 1 << 18);
            }
            guest.run64(toUser(code.mov(CR0, RAX), flags));
            assertThat(guest.registers().rdi()).isEqualTo(expected);
            if (expected == 17) {
                assertThat(guest.registers().r8()).isZero();
                assertThat(guest.registers().r9()).isEqualTo(Guest.FREE + 7);
            }
        }
    }

    @Test
    void misalignedAccessesOfUsersFaultWhereBothSidesAsk() {
        alignment(true, 0x4_0002, 17);
        alignment(true, 2, 3);
        alignment(false, 0x4_0002, 3);
    }

    // ---------------------------------------------------------------- model-specific registers

    @Test
    void modelSpecificRegistersRefuseReservedValues() {
        long[][] refused = {
            {0xC000_0080L, 0x502},
            {0xC000_0080L, 1L << 63 | 0x500},
            {0xC000_0080L, 0x400},
            {0xC000_0082L, NON_CANONICAL},
            {0xC000_0083L, NON_CANONICAL},
            {0xC000_0100L, NON_CANONICAL},
            {0xC000_0101L, NON_CANONICAL},
            {0xC000_0102L, NON_CANONICAL},
            {0xC000_0103L, 1L << 32},
            {SYSENTER_ESP, NON_CANONICAL},
            {SYSENTER_EIP, NON_CANONICAL},
            {0x277, 2},
            {0x277, 3L << 56},
            {0x277, 8L << 24},
            {0xFE, 0},
            {0x200, 2},
            {0x200, 0x106},
            {0x201, 1},
            {0x201, 1L << 63},
            {0x250, 7},
            {0x2FF, 7},
            {0x2FF, 0x206},
        };
        for (long[] pair : refused) {
            refuses(write(code64(), (int) pair[0], pair[1]), 2);
        }
    }

    @Test
    void modelSpecificRegistersKeepWhatTheyTake() {
        long[][] kept = {
            {0x277, 0x0105_0406_0007_0106L},
            {0x200, 0x8000_0006L},
            {0x201, 0xF_8000_0800L},
            {0x250, 0x0606_0606_0505_0400L},
            {0x2FF, 0xC06},
            {0xC000_0081L, -1},
            {0xC000_0082L, -NON_CANONICAL},
            {SYSENTER_EIP, NON_CANONICAL - 1},
        };
        for (long[] pair : kept) {
            try (var guest = guest()) {
                guest.run64(write(code64(), (int) pair[0], pair[1])
                        .xor(EAX, EAX)
                        .xor(EDX, EDX)
                        .rdmsr()
                        .out(Guest.EXIT_PORT, AL));
                assertThat(guest.registers().rdx() << 32 | guest.registers().rax())
                        .isEqualTo(pair[1]);
            }
        }
    }

    @Test
    void thereAreNoPerformanceCounters() {
        refuses(code64().xor(ECX, ECX).emit(Mnemonic.RDPMC), 2);
    }

    // ---------------------------------------------------------------- faults that meet

    /// How the delivery of the first fault fails.
    private enum Second {
        NOT_PRESENT,
        PAGE_FAULT
    }

    private void meet(int first, Second second, int expected) {
        try (var guest = guest()) {
            for (int vector : new int[] {0, 6, 8, 11, 13, 14}) {
                stopOn(guest, vector);
            }
            guest.memory.writeLong(Guest.pageEntry(UNMAPPED), 0);
            guest.memory.writeLong(Guest.TSS + 36, UNMAPPED + 0x800);
            long gate = Guest.IDT + 16L * first;
            if (second == Second.NOT_PRESENT) {
                guest.memory.writeByte(gate + 5, 0xE);
            } else {
                guest.memory.writeByte(gate + 4, 1);
            }
            var code = code64().nop();
            switch (first) {
                case 0 -> code.xor(ECX, ECX).div(ECX);
                case 6 -> code.ud2();
                case 13 -> code.mov(EAX, 0x1003).mov(DS, AX);
                default -> code.mov(EAX, mem(UNMAPPED));
            }
            guest.run64(code.hlt());
            assertThat(guest.registers().rdi()).as(first + " and " + second).isEqualTo(expected);
            if (expected == 11) {
                assertThat(guest.registers().r8()).as("EXT, IDT, vector").isEqualTo(first * 8 + 3);
            }
        }
    }

    @Test
    void contributoryFaultsAndPageFaultsDouble() {
        meet(0, Second.NOT_PRESENT, 8);
        meet(6, Second.NOT_PRESENT, 11);
        meet(13, Second.NOT_PRESENT, 8);
        meet(14, Second.NOT_PRESENT, 8);
        meet(0, Second.PAGE_FAULT, 14);
        meet(6, Second.PAGE_FAULT, 14);
        meet(13, Second.PAGE_FAULT, 14);
        meet(14, Second.PAGE_FAULT, 8);
    }

    // ---------------------------------------------------------------- decoded code

    @Test
    void moreCodeThanIsKeptStaysCoherent() {
        try (var guest = guest()) {
            // short jumps, one of them across each border of two pages and over a byte
            int pages = 70;
            byte[] jumps = new byte[pages * 4096];
            for (int i = 0; i < jumps.length; i += 2) {
                jumps[i] = (byte) 0xEB;
            }
            for (int page = 1; page < pages; page++) {
                int border = page * 4096;
                jumps[border - 2] = (byte) 0x90;
                jumps[border - 1] = (byte) 0xEB;
                jumps[border] = 1;
                jumps[border + 1] = (byte) 0x90;
            }
            jumps[jumps.length - 2] = (byte) 0xC3;
            guest.memory.write(Guest.FREE, jumps);
            guest.run64(code64().mov(R8, Guest.FREE)
                    .xor(EAX, EAX)
                    .call(R8)
                    .mov(RSI, RAX)
                    .mov(RBX, Guest.FREE + 4095)
                    .mov(ECX, pages - 1)
                    .label("next")
                    // JMP becomes ADD AL
                    .mov(mem(RBX).byteSize(), 4)
                    .add(RBX, 4096)
                    .dec(ECX)
                    .jnz("next")
                    // the last pages first, while what has been decoded of them is still there
                    .mov(RBX, Guest.FREE + 60 * 4096 + 2)
                    .call(RBX)
                    .mov(RDI, RAX)
                    .xor(EAX, EAX)
                    .call(R8)
                    .out(Guest.EXIT_PORT, AL));
            assertThat(guest.registers().rsi()).isZero();
            assertThat(guest.registers().rdi()).isEqualTo(pages - 61);
            assertThat(guest.registers().rax()).isEqualTo(pages - 1);
        }
    }

    // ---------------------------------------------------------------- events in a saved state

    private static CpuState with(CpuState state, PendingEvents events) {
        return new CpuState(
                state.general(),
                state.segments(),
                state.control(),
                state.debug(),
                state.extended(),
                state.msrs(),
                events,
                state.activity());
    }

    @Test
    void anEventWhoseDeliveryHadBegunIsDelivered() {
        try (var guest = guest()) {
            stopOn(guest, 13);
            guest.load(Guest.CODE, code64().hlt());
            guest.vcpus
                    .getFirst()
                    .load(with(guest.long64(0, Guest.CODE), new PendingEvents(false, false, false, 13, 0x58)));
            guest.run(0);
            assertThat(guest.registers().rdi()).isEqualTo(13);
            assertThat(guest.registers().r8()).isEqualTo(0x58);
            assertThat(guest.registers().r9()).isEqualTo(Guest.CODE);
        }
    }

    @Test
    void anNmiWaitsInTheStateUntilTheHandlerReturns() {
        try (var guest = guest()) {
            guest.load(HANDLER, code64(HANDLER).mov(RSI, RBX).inc(RDI).iretq());
            guest.gate(2, HANDLER, 0);
            guest.load(
                    Guest.CODE,
                    code64().mov(EBX, 7)
                            .push(0x10)
                            .push(Guest.STACK)
                            .push(2)
                            .push(8)
                            .push(Guest.FREE)
                            .iretq());
            guest.load(Guest.FREE, code64(Guest.FREE).nop().out(Guest.EXIT_PORT, AL));
            guest.vcpus
                    .getFirst()
                    .load(with(guest.long64(0, Guest.CODE), new PendingEvents(true, true, false, -1, -1)));
            guest.run(0);
            assertThat(guest.registers().rdi()).isEqualTo(1);
            assertThat(guest.registers().rsi()).as("not before the return").isEqualTo(7);
        }
    }

    @Test
    void aDebugTrapThatWaitedIsNotTheNextStates() {
        try (var guest = guest()) {
            countDebugExceptions(guest);
            guest.run64(code64().push(0x102).popf().out(Guest.EXIT_PORT, AL).hlt());
            guest.load(Guest.CODE, code64().nop().out(Guest.EXIT_PORT, AL));
            guest.vcpus.getFirst().load(guest.long64(0, Guest.CODE));
            guest.run(0);
            assertThat(guest.registers().rdi()).isZero();
        }
    }
}

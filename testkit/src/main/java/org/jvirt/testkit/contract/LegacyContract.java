package org.jvirt.testkit.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.jvirt.x86.Mem.mem;
import static org.jvirt.x86.Registers.AL;
import static org.jvirt.x86.Registers.AX;
import static org.jvirt.x86.Registers.CR2;
import static org.jvirt.x86.Registers.CX;
import static org.jvirt.x86.Registers.DS;
import static org.jvirt.x86.Registers.EAX;
import static org.jvirt.x86.Registers.EBX;
import static org.jvirt.x86.Registers.ECX;
import static org.jvirt.x86.Registers.EDI;
import static org.jvirt.x86.Registers.EDX;
import static org.jvirt.x86.Registers.ESI;
import static org.jvirt.x86.Registers.ESP;
import static org.jvirt.x86.Registers.GS;

import org.junit.jupiter.api.Test;
import org.jvirt.core.cpu.Activity;
import org.jvirt.core.cpu.ControlRegisters;
import org.jvirt.core.cpu.CpuState;
import org.jvirt.core.cpu.DescriptorTable;
import org.jvirt.core.cpu.GeneralRegisters;
import org.jvirt.core.cpu.Segment;
import org.jvirt.core.cpu.SegmentRegisters;
import org.jvirt.x86.Assembler;
import org.jvirt.x86.CodeSize;
import org.jvirt.x86.FarPointer;
import org.jvirt.x86.Imm;
import org.jvirt.x86.Mnemonic;

/// 32-bit protected mode, its privilege levels, tasks and paging, and virtual-8086 mode.
///
/// ```
/// 0x06_0000  GDT: 8 code, 0x10 data, 0x1B user code, 0x23 user data, 0x28 and 0x30 TSS, 0x38 call gate
/// 0x06_1000  IDT     0x06_2000, 0x06_2100  TSS
/// ```
abstract class LegacyContract extends HypervisorContract {
    private static final long GDT = 0x6_0000;
    private static final long IDT = 0x6_1000;
    private static final long FIRST_TASK = 0x6_2000;
    private static final long SECOND_TASK = 0x6_2100;
    private static final long HANDLER = Guest.FREE + 0x8000;
    private static final long USER_CODE = Guest.FREE;
    private static final int CODE_ATTRIBUTES = Segment.PRESENT | Segment.S | 0xB | Segment.GRANULARITY | Segment.BIG;
    private static final int DATA_ATTRIBUTES = Segment.PRESENT | Segment.S | 0x3 | Segment.GRANULARITY | Segment.BIG;

    private static Assembler code32(long origin) {
        return new Assembler(CodeSize.CODE32, origin);
    }

    private static void descriptors(Guest guest) {
        long flat = 0x000F_0000_0000_FFFFL;
        guest.memory.writeLong(GDT + 0x08, flat | (long) CODE_ATTRIBUTES << 40);
        guest.memory.writeLong(GDT + 0x10, flat | (long) DATA_ATTRIBUTES << 40);
        guest.memory.writeLong(GDT + 0x18, flat | (CODE_ATTRIBUTES | 3L << 5) << 40);
        guest.memory.writeLong(GDT + 0x20, flat | (DATA_ATTRIBUTES | 3L << 5) << 40);
        guest.memory.writeLong(GDT + 0x28, 0x67 | FIRST_TASK << 16 | 0x8BL << 40);
        guest.memory.writeLong(GDT + 0x30, 0x67 | SECOND_TASK << 16 | 0x89L << 40);
        guest.memory.writeLong(
                GDT + 0x38, HANDLER & 0xFFFF | 8L << 16 | 0xEC01L << 32 | (HANDLER & 0xFFFF_0000L) << 32);
        guest.memory.writeInt(FIRST_TASK + 4, (int) Guest.KERNEL_STACK);
        guest.memory.writeInt(FIRST_TASK + 8, 0x10);
        guest.memory.writeShort(FIRST_TASK + 102, 0x68);
    }

    private static void gate(Guest guest, int vector, long target, int dpl) {
        guest.memory.writeLong(
                IDT + 8L * vector,
                target & 0xFFFF | 8L << 16 | (0x8E00L | (long) dpl << 13) << 32 | (target & 0xFFFF_0000L) << 32);
    }

    private static CpuState protected32(long cr0, long cr3, long cr4) {
        CpuState reset = CpuState.reset(Activity.RUNNING, 0);
        var code = Segment.flat(8, CODE_ATTRIBUTES);
        var data = Segment.flat(0x10, DATA_ATTRIBUTES);
        var task = new Segment(0x28, FIRST_TASK, 0x67, Segment.PRESENT | 0xB);
        long[] registers = new long[16];
        registers[4] = Guest.STACK;
        return reset.with(GeneralRegisters.of(registers, Guest.CODE, 2))
                .with(new SegmentRegisters(
                        data,
                        code,
                        data,
                        data,
                        data,
                        data,
                        reset.segments().ldt(),
                        task,
                        new DescriptorTable(GDT, 0x3F),
                        new DescriptorTable(IDT, 0x7FF)))
                .with(new ControlRegisters(0x11 | cr0, 0, cr3, cr4, 0, 0, 1));
    }

    private static void run(Guest guest, Assembler code, CpuState state) {
        descriptors(guest);
        guest.load(Guest.CODE, code);
        guest.vcpus.getFirst().load(state);
        guest.run(0);
    }

    @Test
    void interruptsFromUserCodeSwitchStacksAndReturn() {
        try (var guest = guest()) {
            guest.load(
                    USER_CODE,
                    code32(USER_CODE)
                            .mov(ECX, 1)
                            .emit(Mnemonic.INT, new Imm(0x80))
                            .add(ECX, 100)
                            .emit(Mnemonic.INT, new Imm(0x81)));
            guest.load(HANDLER, code32(HANDLER).mov(EDX, ESP).add(ECX, 10).iretd());
            guest.load(
                    HANDLER + 0x100,
                    code32(HANDLER + 0x100)
                            .mov(ESI, mem(ESP).disp(12))
                            .out(0xF4, AL)
                            .hlt());
            gate(guest, 0x80, HANDLER, 3);
            gate(guest, 0x81, HANDLER + 0x100, 3);
            run(
                    guest,
                    code32(Guest.CODE)
                            .push(0x23)
                            .push(Guest.STACK - 0x100)
                            .push(2)
                            .push(0x1B)
                            .push(USER_CODE)
                            .iretd(),
                    protected32(0, 0, 0));
            assertThat(guest.registers().rcx()).isEqualTo(111);
            assertThat(guest.registers().rdx()).isEqualTo(Guest.KERNEL_STACK - 20);
            assertThat(guest.registers().rsi()).as("user's stack pointer").isEqualTo(Guest.STACK - 0x100);
        }
    }

    @Test
    void callGatesCopyParametersToTheInnerStack() {
        try (var guest = guest()) {
            guest.load(
                    USER_CODE,
                    code32(USER_CODE)
                            .push(0x1234)
                            .emit(Mnemonic.CALLF, new FarPointer(0x38, 0))
                            .mov(EBX, ESP)
                            .emit(Mnemonic.INT, new Imm(0x81)));
            guest.load(HANDLER, code32(HANDLER).mov(ECX, mem(ESP).disp(8)).emit(Mnemonic.RETF, new Imm(4)));
            guest.load(HANDLER + 0x100, code32(HANDLER + 0x100).out(0xF4, AL).hlt());
            gate(guest, 0x81, HANDLER + 0x100, 3);
            run(
                    guest,
                    code32(Guest.CODE)
                            .push(0x23)
                            .push(Guest.STACK - 0x100)
                            .push(2)
                            .push(0x1B)
                            .push(USER_CODE)
                            .iretd(),
                    protected32(0, 0, 0));
            assertThat(guest.registers().rcx()).isEqualTo(0x1234);
            assertThat(guest.registers().rbx()).as("parameters dropped").isEqualTo(Guest.STACK - 0x100);
        }
    }

    @Test
    void aJumpToATaskSwitchesAndCallsReturn() {
        try (var guest = guest()) {
            guest.load(HANDLER, code32(HANDLER).add(EBX, 5).iretd());
            guest.memory.writeInt(SECOND_TASK + 32, (int) HANDLER);
            guest.memory.writeInt(SECOND_TASK + 36, 2);
            guest.memory.writeInt(SECOND_TASK + 40 + 12, 37);
            guest.memory.writeInt(SECOND_TASK + 40 + 16, (int) Guest.KERNEL_STACK);
            for (int s = 0; s < 6; s++) {
                guest.memory.writeInt(SECOND_TASK + 72 + 4L * s, s == 1 ? 8 : 0x10);
            }
            run(
                    guest,
                    code32(Guest.CODE)
                            .mov(EBX, 1)
                            .emit(Mnemonic.CALLF, new FarPointer(0x30, 0))
                            .mov(ECX, 9)
                            .out(Guest.EXIT_PORT, AL)
                            .hlt(),
                    protected32(0, 0, 0));
            assertThat(guest.registers().rbx()).as("own register").isEqualTo(1);
            assertThat(guest.registers().rcx()).isEqualTo(9);
            assertThat(guest.memory.readInt(SECOND_TASK + 40 + 12))
                    .as("the other task's EBX")
                    .isEqualTo(42);
            assertThat(guest.memory.readShort(SECOND_TASK)).as("back link").isEqualTo(0x28);
            assertThat(guest.memory.readByte(GDT + 0x35)).as("no longer busy").isEqualTo(0x89);
            assertThat(guest.vcpus.getFirst().state().control().cr0() & 8)
                    .as("CR0.TS")
                    .isEqualTo(8);
        }
    }

    @Test
    void virtual8086CodeTrapsIntoItsMonitor() {
        try (var guest = guest()) {
            guest.load(
                    0x5000,
                    new Assembler(CodeSize.CODE16, 0)
                            .mov(AX, 0x700)
                            .mov(DS, AX)
                            .mov(CX, mem(0x10))
                            .emit(Mnemonic.INT, new Imm(0x21)));
            guest.memory.writeShort(0x7010, 0x4321);
            guest.load(
                    HANDLER,
                    code32(HANDLER)
                            .pop(EAX)
                            .mov(ESI, mem(ESP))
                            .mov(EDI, mem(ESP).disp(4))
                            .mov(EDX, mem(ESP).disp(8))
                            .mov(EBX, mem(ESP).disp(24))
                            .out(0xF4, AL)
                            .hlt());
            gate(guest, 13, HANDLER, 0);
            run(
                    guest,
                    code32(Guest.CODE)
                            .push(0)
                            .push(0)
                            .push(0x600)
                            .push(0)
                            .push(0x300)
                            .push(0x1000)
                            .push(0x2_0002)
                            .push(0x500)
                            .push(0)
                            .iretd(),
                    protected32(0, 0, 0));
            assertThat(guest.registers().rcx()).isEqualTo(0x4321);
            assertThat(guest.registers().rdi()).as("CS").isEqualTo(0x500);
            assertThat(guest.registers().rdx() & 0x2_0000).as("VM in the image").isEqualTo(0x2_0000);
            assertThat(guest.registers().rbx()).as("DS at the time").isEqualTo(0x700);
            assertThat(guest.registers().rsi()).as("INT itself").isEqualTo(9);
        }
    }

    @Test
    void twoLevelPagingFaultsAndTranslates() {
        try (var guest = guest()) {
            long directory = 0x7_0000;
            guest.memory.writeInt(directory, 0x83);
            guest.memory.writeInt(directory + 4 * 4, (int) (0x7_1000 | 3));
            guest.memory.writeInt(0x7_1000, (int) (Guest.FREE | 3));
            guest.memory.writeInt(Guest.FREE, 0x5555);
            guest.load(
                    HANDLER,
                    code32(HANDLER).pop(ESI).mov(EDI, CR2).out(0xF4, AL).hlt());
            gate(guest, 14, HANDLER, 0);
            run(
                    guest,
                    code32(Guest.CODE)
                            .mov(ECX, mem(0x100_0000L))
                            .mov(mem(0x100_1004L).dword(), 1),
                    protected32(0x8001_0000L, directory, 0x10));
            assertThat(guest.registers().rcx()).isEqualTo(0x5555);
            assertThat(guest.registers().rsi()).isEqualTo(2);
            assertThat(guest.registers().rdi()).isEqualTo(0x100_1004L);
        }
    }

    @Test
    void physicalAddressExtensionHasThreeLevels() {
        try (var guest = guest()) {
            guest.memory.writeLong(0x7_0000, 0x7_1000 | 1);
            guest.memory.writeLong(0x7_0000 + 24, 0x7_2000 | 1);
            guest.memory.writeLong(0x7_1000, 0x83);
            guest.memory.writeLong(0x7_1008, 0x20_0083);
            guest.memory.writeLong(0x7_2000, 0x40_0083);
            guest.memory.writeInt(0x40_0123, 0x7777);
            run(
                    guest,
                    code32(Guest.CODE).mov(ECX, mem(0xC000_0123L)).out(Guest.EXIT_PORT, AL),
                    protected32(0x8001_0000L, 0x7_0000, 0x20));
            assertThat(guest.registers().rcx()).isEqualTo(0x7777);
        }
    }

    private enum Paging {
        NONE,
        TWO_LEVELS,
        THREE_LEVELS
    }

    /// Sums what a function makes of memory, through a segment too; the function pushes, calls, repeats and
    /// returns.
    private static Assembler loop(int turns) {
        return code32(Guest.CODE)
                .mov(EBX, Guest.FREE)
                .mov(EDI, turns)
                .xor(EDX, EDX)
                .label("turn")
                .call("add")
                .dec(EDI)
                .jne("turn")
                .out(Guest.EXIT_PORT, AL)
                .hlt()
                .label("add")
                .push(EDI)
                .mov(EAX, mem(EBX).index(EDI, 4).disp(-4))
                .add(EAX, mem(0).segment(GS))
                .add(EDX, EAX)
                .mov(EDI, Guest.FREE + 0x4000)
                .mov(ECX, 3)
                .rep()
                .stosd()
                .pop(EDI)
                .ret();
    }

    @Test
    void hotLoopsAreExactAndFast() {
        sum(Paging.NONE);
    }

    @Test
    void hotLoopsUnderTwoLevelsOfPagingAreExactAndFast() {
        sum(Paging.TWO_LEVELS);
    }

    @Test
    void hotLoopsUnderThreeLevelsOfPagingAreExactAndFast() {
        sum(Paging.THREE_LEVELS);
    }

    private void sum(Paging paging) {
        int turns = 3000;
        try (var guest = guest()) {
            guest.memory.writeInt(0x7_0000, 0x83);
            long expected = 0;
            for (int i = 0; i < turns; i++) {
                guest.memory.writeInt(Guest.FREE + 4L * i, i * 0x9E37_79B9);
                expected += (i * 0x9E37_79B9 + 0x77 & 0xFFFF_FFFFL);
            }
            guest.memory.writeInt(Guest.FREE + 0x8000, 0x77);
            long cr0 = 0;
            long cr4 = 0;
            switch (paging) {
                case NONE -> {
                    // linear is physical
                }
                case TWO_LEVELS -> {
                    cr0 = 0x8001_0000L;
                    cr4 = 0x10;
                }
                case THREE_LEVELS -> {
                    cr0 = 0x8001_0000L;
                    cr4 = 0x20;
                    guest.memory.writeLong(0x7_0000, 0x7_1000 | 1);
                    guest.memory.writeLong(0x7_1000, 0x83);
                }
            }
            CpuState state = protected32(cr0, 0x7_0000, cr4);
            var s = state.segments();
            var thread = new Segment(0x10, Guest.FREE + 0x8000, 0xFFFF_FFFFL, DATA_ATTRIBUTES);
            run(
                    guest,
                    loop(turns),
                    state.with(new SegmentRegisters(
                            s.es(), s.cs(), s.ss(), s.ds(), s.fs(), thread, s.ldt(), s.tr(), s.gdt(), s.idt())));
            assertThat(guest.registers().rdx()).isEqualTo(expected & 0xFFFF_FFFFL);
            guest.interpreted()
                    .ifPresent(count -> assertThat(count)
                            .as("instructions left to the interpreter")
                            .isLessThan(turns));
        }
    }

    @Test
    void offsetsBeyondTheLimitFault() {
        try (var guest = guest()) {
            guest.load(HANDLER, code32(HANDLER).pop(ESI).pop(EDI).out(0xF4, AL).hlt());
            gate(guest, 13, HANDLER, 0);
            CpuState state = protected32(0, 0, 0);
            var s = state.segments();
            var small = new Segment(0x10, 0, 0xFFF, DATA_ATTRIBUTES & ~Segment.GRANULARITY);
            run(
                    guest,
                    code32(Guest.CODE).mov(EAX, mem(0xFFCL)).mov(EAX, mem(0xFFDL)),
                    state.with(new SegmentRegisters(
                            s.es(), s.cs(), s.ss(), small, s.fs(), s.gs(), s.ldt(), s.tr(), s.gdt(), s.idt())));
            assertThat(guest.registers().rsi()).isZero();
            assertThat(guest.registers().rdi()).isEqualTo(Guest.CODE + 5);
        }
    }
}

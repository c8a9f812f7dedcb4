package org.jvirt.testkit.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.jvirt.x86.Mem.mem;
import static org.jvirt.x86.Registers.AL;
import static org.jvirt.x86.Registers.AX;
import static org.jvirt.x86.Registers.BX;
import static org.jvirt.x86.Registers.CX;
import static org.jvirt.x86.Registers.DR6;
import static org.jvirt.x86.Registers.DS;
import static org.jvirt.x86.Registers.EAX;
import static org.jvirt.x86.Registers.EBX;
import static org.jvirt.x86.Registers.ECX;
import static org.jvirt.x86.Registers.EDI;
import static org.jvirt.x86.Registers.EDX;
import static org.jvirt.x86.Registers.ESI;
import static org.jvirt.x86.Registers.SI;
import static org.jvirt.x86.Registers.SP;

import org.junit.jupiter.api.Test;
import org.jvirt.core.cpu.Segment;
import org.jvirt.x86.Assembler;
import org.jvirt.x86.CodeSize;
import org.jvirt.x86.FarPointer;
import org.jvirt.x86.Imm;
import org.jvirt.x86.Mnemonic;

/// Hardware tasks: segments of both widths, task gates, and faults on the way.
abstract class TaskContract extends HypervisorContract {
    private static final int NT = 1 << 14;
    private static final int RF = 1 << 16;

    private static Assembler code16(int offset) {
        return new Assembler(CodeSize.CODE16, offset);
    }

    @Test
    void a16BitTaskIsCalledAndReturns() {
        try (var guest = guest()) {
            Legacy32.tables(guest);
            Legacy32.shortTask(guest, 0x10);
            guest.memory.writeShort(Legacy32.SHORT + 24, 37);
            guest.load(
                    Guest.FREE + 0x10,
                    code16(0x10).mov(mem(0x100).dword(), EBX).add(BX, 5).iret());
            Legacy32.run(
                    guest,
                    Legacy32.code32(Guest.CODE)
                            .mov(EBX, 0x1_0001)
                            .emit(Mnemonic.CALLF, new FarPointer(0x38, 0))
                            .mov(ECX, 9)
                            .out(Guest.EXIT_PORT, AL));
            assertThat(guest.registers().rbx()).as("own register").isEqualTo(0x1_0001);
            assertThat(guest.registers().rcx()).isEqualTo(9);
            assertThat(guest.memory.readShort(Legacy32.SHORT + 24)).isEqualTo(42);
            assertThat(guest.memory.readShort(Guest.FREE + 0x100)).isEqualTo(37);
            assertThat(guest.memory.readShort(Legacy32.SHORT)).as("back link").isEqualTo(0x28);
            assertThat(guest.memory.readShort(Legacy32.SHORT + 16) & NT)
                    .as("NT in the finished task")
                    .isZero();
            assertThat(guest.memory.readByte(Legacy32.GDT + 0x3D))
                    .as("available")
                    .isEqualTo(0x81);
            assertThat(guest.memory.readByte(Legacy32.GDT + 0x2D)).as("busy").isEqualTo(0x8B);
        }
    }

    @Test
    void a16BitTaskJumpsBackToA32BitTask() {
        try (var guest = guest()) {
            Legacy32.tables(guest);
            Legacy32.shortTask(guest, 0x10);
            guest.load(Guest.FREE + 0x10, code16(0x10).emit(Mnemonic.JMPF, new FarPointer(0x28, 0)));
            Legacy32.run(
                    guest,
                    Legacy32.code32(Guest.CODE)
                            .mov(ESI, 0x1234_5678)
                            .emit(Mnemonic.JMPF, new FarPointer(0x38, 0))
                            .mov(ECX, 9)
                            .out(Guest.EXIT_PORT, AL));
            assertThat(guest.registers().rsi()).isEqualTo(0x1234_5678);
            assertThat(guest.registers().rcx()).isEqualTo(9);
            assertThat(guest.memory.readShort(Legacy32.SHORT))
                    .as("no back link")
                    .isZero();
            assertThat(guest.memory.readShort(Legacy32.SHORT + 14)).as("IP").isEqualTo(0x15);
            assertThat(guest.memory.readByte(Legacy32.GDT + 0x3D)).isEqualTo(0x81);
            assertThat(guest.memory.readByte(Legacy32.GDT + 0x2D)).isEqualTo(0x8B);
        }
    }

    @Test
    void anInterruptThroughATaskGateReturnsBehindTheInstruction() {
        try (var guest = guest()) {
            Legacy32.tables(guest);
            Legacy32.gate(guest, Legacy32.IDT, 0x80, 0x30, 0, Legacy32.TASK_GATE | Legacy32.USER);
            Legacy32.task(guest, Legacy32.SECOND, Legacy32.at(0));
            guest.load(
                    Legacy32.at(0),
                    Legacy32.handler(0)
                            .label("again")
                            .pushf()
                            .pop(EDX)
                            .inc(ESI)
                            .iretd()
                            .jmp("again"));
            Legacy32.handle(guest, 0x81, 3, Legacy32.handler(0x81).out(Guest.EXIT_PORT, AL));
            guest.load(
                    Guest.FREE,
                    Legacy32.code32(Guest.FREE)
                            .emit(Mnemonic.INT, new Imm(0x80))
                            .inc(ECX)
                            .emit(Mnemonic.INT, new Imm(0x80))
                            .inc(ECX)
                            .emit(Mnemonic.INT, new Imm(0x81)));
            Legacy32.run(guest, Legacy32.toUser(2));
            assertThat(guest.registers().rcx()).isEqualTo(2);
            assertThat(guest.memory.readInt(Legacy32.SECOND + 64))
                    .as("ESI there")
                    .isEqualTo(2);
            assertThat(guest.memory.readInt(Legacy32.SECOND + 48) & NT)
                    .as("NT there")
                    .isEqualTo(NT);
        }
    }

    @Test
    void aFaultThroughATaskGatePushesItsErrorCodeAndSavesRf() {
        try (var guest = guest()) {
            Legacy32.tables(guest);
            Legacy32.gate(guest, Legacy32.IDT, 13, 0x30, 0, Legacy32.TASK_GATE);
            Legacy32.task(guest, Legacy32.SECOND, Legacy32.at(0));
            guest.load(Legacy32.at(0), Legacy32.handler(0).pop(ESI).out(Guest.EXIT_PORT, AL));
            Legacy32.run(
                    guest,
                    Legacy32.code32(Guest.CODE).mov(EAX, 0x7F8).mov(DS, AX).hlt());
            assertThat(guest.registers().rsi()).isEqualTo(0x7F8);
            assertThat(guest.memory.readInt(Legacy32.RUNNING + 32)).as("EIP").isEqualTo((int) Guest.CODE + 5);
            assertThat(guest.memory.readInt(Legacy32.RUNNING + 36) & RF)
                    .as("RF")
                    .isEqualTo(RF);
        }
    }

    @Test
    void aFaultThroughAGateToA16BitTaskPushesAWord() {
        try (var guest = guest()) {
            Legacy32.tables(guest);
            Legacy32.gate(guest, Legacy32.IDT, 13, 0x38, 0, Legacy32.TASK_GATE);
            Legacy32.shortTask(guest, 0x10);
            guest.load(Guest.FREE + 0x10, code16(0x10).mov(CX, SP).pop(SI).out(Guest.EXIT_PORT, AL));
            Legacy32.run(
                    guest,
                    Legacy32.code32(Guest.CODE).mov(EAX, 0x7F8).mov(DS, AX).hlt());
            assertThat(guest.registers().rsi() & 0xFFFF).isEqualTo(0x7F8);
            assertThat(guest.registers().rcx() & 0xFFFF).isEqualTo(0xEFFE);
        }
    }

    @Test
    void aBadSegmentOfTheNewTaskFaultsInTheNewTask() {
        try (var guest = guest()) {
            Legacy32.tables(guest);
            Legacy32.task(guest, Legacy32.SECOND, Guest.FREE + 0x77);
            guest.memory.writeInt(Legacy32.SECOND + 72 + 12, 0x7F8);
            Legacy32.handle(
                    guest,
                    10,
                    0,
                    Legacy32.handler(10)
                            .pop(ESI)
                            .pop(EDI)
                            .emit(Mnemonic.STR, BX)
                            .out(Guest.EXIT_PORT, AL));
            Legacy32.run(guest, Legacy32.code32(Guest.CODE).emit(Mnemonic.JMPF, new FarPointer(0x30, 0)));
            assertThat(guest.registers().rsi()).as("error code").isEqualTo(0x7F8);
            assertThat(guest.registers().rdi()).as("EIP of the new task").isEqualTo(Guest.FREE + 0x77);
            assertThat(guest.registers().rbx() & 0xFFFF).as("TR").isEqualTo(0x30);
        }
    }

    @Test
    void aSoftwareInterruptIntoABadTaskFaultsInTheNewTask() {
        try (var guest = guest()) {
            Legacy32.tables(guest);
            Legacy32.task(guest, Legacy32.SECOND, Guest.FREE + 0x77);
            guest.memory.writeInt(Legacy32.SECOND + 72 + 12, 0x7F8);
            Legacy32.gate(guest, Legacy32.IDT, 0x80, 0x30, 0, Legacy32.TASK_GATE);
            Legacy32.handle(guest, 10, 0, Legacy32.handler(10).pop(ESI).pop(EDI).out(Guest.EXIT_PORT, AL));
            Legacy32.run(guest, Legacy32.code32(Guest.CODE).emit(Mnemonic.INT, new Imm(0x80)));
            assertThat(guest.registers().rsi()).isEqualTo(0x7F8);
            assertThat(guest.registers().rdi()).isEqualTo(Guest.FREE + 0x77);
        }
    }

    private void refused(int attributes, int limit, int vector) {
        try (var guest = guest()) {
            Legacy32.tables(guest);
            Legacy32.descriptor(guest, 0x30, Legacy32.SECOND, limit, attributes);
            Legacy32.handle(
                    guest, vector, 0, Legacy32.handler(vector).pop(ESI).pop(EDI).out(Guest.EXIT_PORT, AL));
            Legacy32.run(guest, Legacy32.code32(Guest.CODE).nop().emit(Mnemonic.JMPF, new FarPointer(0x30, 0)));
            assertThat(guest.registers().rsi()).as("error code").isEqualTo(0x30);
            assertThat(guest.registers().rdi()).as("EIP of the jump").isEqualTo(Guest.CODE + 1);
        }
    }

    @Test
    void tasksThatAreBusyAbsentOrTooShortAreRefused() {
        refused(Segment.PRESENT | 0xB, 0x67, 13);
        refused(Segment.PRESENT | 0x3, 0x67, 13);
        refused(0x9, 0x67, 11);
        refused(0x1, 0x67, 11);
        refused(Segment.PRESENT | 0x9, 0x66, 10);
        refused(Segment.PRESENT | 0x1, 0x2A, 10);
    }

    @Test
    void aReturnNeedsATaskThatIsBusy() {
        try (var guest = guest()) {
            Legacy32.tables(guest);
            guest.memory.writeShort(Legacy32.RUNNING, 0x30);
            Legacy32.handle(guest, 10, 0, Legacy32.handler(10).pop(ESI).out(Guest.EXIT_PORT, AL));
            Legacy32.run(guest, Legacy32.code32(Guest.CODE).push(NT | 2).popf().iretd());
            assertThat(guest.registers().rsi()).isEqualTo(0x30);
        }
    }

    @Test
    void theTrapBitOfATaskRaisesADebugException() {
        try (var guest = guest()) {
            Legacy32.tables(guest);
            Legacy32.task(guest, Legacy32.SECOND, Guest.FREE + 0x77);
            guest.memory.writeShort(Legacy32.SECOND + 100, 1);
            Legacy32.handle(
                    guest, 1, 0, Legacy32.handler(1).pop(EDI).mov(ESI, DR6).out(Guest.EXIT_PORT, AL));
            Legacy32.run(guest, Legacy32.code32(Guest.CODE).emit(Mnemonic.JMPF, new FarPointer(0x30, 0)));
            assertThat(guest.registers().rsi() & 0x8000).as("DR6.BT").isEqualTo(0x8000);
            assertThat(guest.registers().rdi()).isEqualTo(Guest.FREE + 0x77);
        }
    }
}

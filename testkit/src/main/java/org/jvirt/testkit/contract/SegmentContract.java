package org.jvirt.testkit.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.jvirt.x86.Mem.mem;
import static org.jvirt.x86.Registers.AL;
import static org.jvirt.x86.Registers.AX;
import static org.jvirt.x86.Registers.BL;
import static org.jvirt.x86.Registers.BX;
import static org.jvirt.x86.Registers.CX;
import static org.jvirt.x86.Registers.DI;
import static org.jvirt.x86.Registers.DS;
import static org.jvirt.x86.Registers.DX;
import static org.jvirt.x86.Registers.EAX;
import static org.jvirt.x86.Registers.EBP;
import static org.jvirt.x86.Registers.EBX;
import static org.jvirt.x86.Registers.EDI;
import static org.jvirt.x86.Registers.ESI;
import static org.jvirt.x86.Registers.ESP;

import org.junit.jupiter.api.Test;
import org.jvirt.core.cpu.Segment;
import org.jvirt.x86.Assembler;
import org.jvirt.x86.CodeSize;
import org.jvirt.x86.FarPointer;
import org.jvirt.x86.Imm;
import org.jvirt.x86.Mem;
import org.jvirt.x86.Mnemonic;
import org.jvirt.x86.Reg;

/// Segments that grow downwards, segments and gates of 16 bits.
abstract class SegmentContract extends HypervisorContract {
    private static final int TEST = 0x58;
    private static final int DOWN = Segment.PRESENT | Segment.S | 0x7;
    private static final int CALL_GATE16 = Segment.PRESENT | 0x4;

    /// Reads through a segment of its own; whether that was allowed.
    private boolean reads(int attributes, int limit, Reg register, Mem at) {
        try (var guest = guest()) {
            Legacy32.tables(guest);
            Legacy32.descriptor(guest, TEST, Guest.FREE, limit, attributes);
            Legacy32.handle(
                    guest, 13, 0, Legacy32.handler(13).pop(ESI).mov(EDI, 13).out(Guest.EXIT_PORT, AL));
            Legacy32.run(
                    guest,
                    Legacy32.code32(Guest.CODE)
                            .mov(EAX, TEST)
                            .mov(DS, AX)
                            .mov(register, at)
                            .out(Guest.EXIT_PORT, AL));
            assertThat(guest.registers().rsi()).isZero();
            return guest.registers().rdi() == 0;
        }
    }

    @Test
    void segmentsThatGrowDownwardsBeginBehindTheirLimit() {
        int big = DOWN | Segment.BIG;
        assertThat(reads(big, 0xFFF, BL, mem(0xFFFL))).isFalse();
        assertThat(reads(big, 0xFFF, BL, mem(0x1000L))).isTrue();
        assertThat(reads(big, 0xFFF, EBX, mem(0xFFDL))).isFalse();
        assertThat(reads(big, 0xFFF, BL, mem(0xFFFF_FFFFL))).isTrue();
        assertThat(reads(big, 0xFFF, BX, mem(0xFFFF_FFFFL))).isFalse();
        assertThat(reads(DOWN, 0xFFF, BL, mem(0xFFFFL))).isTrue();
        assertThat(reads(DOWN, 0xFFF, BX, mem(0xFFFFL))).isFalse();
        assertThat(reads(DOWN, 0xFFF, BL, mem(0x1_0000L))).isFalse();
        assertThat(reads(big | Segment.GRANULARITY, 0, BL, mem(0xFFFL))).isFalse();
        assertThat(reads(big | Segment.GRANULARITY, 0, BL, mem(0x1000L))).isTrue();
        assertThat(reads(big | Segment.GRANULARITY, 0xF_FFFF, BL, mem(0x1000L)))
                .as("nothing behind the limit")
                .isFalse();
    }

    @Test
    void limitsInBytesEndWithTheirLastByte() {
        assertThat(reads(Legacy32.DATA16, 0x1FF, BL, mem(0x1FFL))).isTrue();
        assertThat(reads(Legacy32.DATA16, 0x1FF, BX, mem(0x1FEL))).isTrue();
        assertThat(reads(Legacy32.DATA16, 0x1FF, BX, mem(0x1FFL))).isFalse();
        assertThat(reads(Legacy32.CODE16, 0x1FF, EBX, mem(0x1FCL))).isTrue();
        assertThat(reads(Legacy32.CODE16, 0x1FF, EBX, mem(0x1FDL))).isFalse();
    }

    @Test
    void codeOf16BitsEndsAtItsLimit() {
        try (var guest = guest()) {
            Legacy32.tables(guest);
            Legacy32.descriptor(guest, TEST, Guest.FREE, 0x1F, Legacy32.CODE16);
            Legacy32.handle(guest, 13, 0, Legacy32.handler(13).pop(ESI).pop(EDI).out(Guest.EXIT_PORT, AL));
            var code = new Assembler(CodeSize.CODE16, 0x1C);
            guest.load(Guest.FREE + 0x1C, code.inc(BX).nop().mov(CX, 5));
            Legacy32.run(guest, Legacy32.code32(Guest.CODE).emit(Mnemonic.JMPF, new FarPointer(TEST, 0x1C)));
            assertThat(guest.registers().rsi()).isZero();
            assertThat(guest.registers().rdi()).isBetween(0x1DL, 0x1FL);
            assertThat(guest.registers().rbx()).isEqualTo(1);
            assertThat(guest.registers().rcx()).isZero();
        }
    }

    @Test
    void aCallGateOf16BitsCopiesWords() {
        try (var guest = guest()) {
            Legacy32.tables(guest);
            Legacy32.gate(guest, Legacy32.GDT, TEST / 8, 0x40, 0x10, CALL_GATE16 | Legacy32.USER);
            guest.memory.writeByte(Legacy32.GDT + TEST + 4, 2);
            guest.load(
                    Guest.FREE + 0x10,
                    new Assembler(CodeSize.CODE16, 0x10)
                            .mov(ESI, ESP)
                            .mov(CX, mem(ESP).disp(4))
                            .mov(DX, mem(ESP).disp(6))
                            .mov(DI, mem(ESP).disp(8))
                            .emit(Mnemonic.RETF, new Imm(4)));
            Legacy32.handle(
                    guest, 3, 3, Legacy32.handler(3).mov(EBP, mem(ESP).disp(12)).out(Guest.EXIT_PORT, AL));
            long user = 0x9000;
            guest.load(
                    user,
                    Legacy32.code32(user)
                            .mov(EAX, 0x1111)
                            .push(AX)
                            .mov(EAX, 0x2222)
                            .push(AX)
                            .emit(Mnemonic.CALLF, new FarPointer(TEST | 3, 0))
                            .int3());
            Legacy32.run(
                    guest,
                    Legacy32.code32(Guest.CODE)
                            .push(0x23)
                            .push(0x7000)
                            .push(2)
                            .push(0x1B)
                            .push(user)
                            .iretd());
            assertThat(guest.registers().rsi()).as("six words").isEqualTo(Guest.KERNEL_STACK - 12);
            assertThat(guest.registers().rcx()).isEqualTo(0x2222);
            assertThat(guest.registers().rdx()).isEqualTo(0x1111);
            assertThat(guest.registers().rdi()).as("SP of the caller").isEqualTo(0x6FFC);
            assertThat(guest.registers().rbp()).as("parameters dropped").isEqualTo(0x7000);
        }
    }
}

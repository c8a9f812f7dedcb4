package org.jvirt.x86;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.jvirt.x86.Mem.mem;
import static org.jvirt.x86.Mem.rip;
import static org.jvirt.x86.Registers.*;

import java.util.HexFormat;
import org.junit.jupiter.api.Test;

/// What the assembler chooses and how it links.
class AssemblerTest {
    private final Assembler asm = new Assembler(CodeSize.CODE64, 0x1000);

    private static String hex(byte[] code) {
        return HexFormat.ofDelimiter(" ").formatHex(code);
    }

    private String code() {
        return hex(asm.assemble());
    }

    @Test
    void theShortestEncodingIsChosen() {
        asm.add(EAX, 1)
                .add(EAX, 0x1234)
                .add(ECX, 0x1234)
                .mov(RAX, 5)
                .mov(EAX, 5)
                .mov(RAX, 0x1234_5678_9ABCL);
        assertThat(code())
                .isEqualTo("83 c0 01 05 34 12 00 00 81 c1 34 12 00 00 48 c7 c0 05 00 00 00 b8 05 00 00 00 "
                        + "48 b8 bc 9a 78 56 34 12 00 00");
    }

    @Test
    void immediatesMayBeWrittenSignedOrUnsigned() {
        asm.add(EAX, 0xFFFF_FFFFL).add(EAX, -1).mov(AL, 0xFF).mov(AL, -1).push(-1);
        assertThat(code()).isEqualTo("83 c0 ff 83 c0 ff b0 ff b0 ff 6a ff");
        assertThatThrownBy(() -> asm.add(RAX, 0xFFFF_FFFFL)).isInstanceOf(AssemblerException.class);
        assertThatThrownBy(() -> asm.mov(AL, 256)).isInstanceOf(AssemblerException.class);
    }

    @Test
    void memoryOperandsTakeTheirSizeFromTheRegisterOrAskForIt() {
        asm.mov(mem(RBX).disp(8), EAX)
                .mov(EAX, mem(RBX).index(RCX, 4).disp(0x1000))
                .mov(mem(RBX).dword(), 7);
        assertThat(code()).isEqualTo("89 43 08 8b 84 8b 00 10 00 00 c7 03 07 00 00 00");
        assertThatThrownBy(() -> asm.mov(mem(RBX), 7)).hasMessageContaining("size of the memory operand of MOV");
        assertThatThrownBy(() -> asm.movzx(EAX, mem(RBX))).hasMessageContaining("size of the memory operand");
        assertThatThrownBy(() -> asm.inc(mem(RBX))).hasMessageContaining("size of the memory operand");
    }

    @Test
    void everyBaseRegisterWorks() {
        asm.mov(EAX, mem(RSP))
                .mov(EAX, mem(RBP))
                .mov(EAX, mem(R12))
                .mov(EAX, mem(R13))
                .mov(EAX, mem(0x1000));
        asm.mov(EAX, mem(RCX).index(RSP))
                .mov(EAX, rip(0x10))
                .mov(EAX, mem(EBX))
                .mov(RAX, mem(0).segment(GS).disp(8));
        assertThat(code())
                .isEqualTo("8b 04 24 8b 45 00 41 8b 04 24 41 8b 45 00 8b 04 25 00 10 00 00 8b 04 0c "
                        + "8b 05 10 00 00 00 67 8b 03 65 48 8b 04 25 08 00 00 00");
    }

    @Test
    void backwardBranchesAreShortForwardOnesNearUnlessAsked() {
        asm.label("loop").dec(ECX).jnz("loop").jz("end").emit(Mnemonic.JE, new LabelRef("end").asShort());
        asm.jmp("loop").call("end").label("end").ret();
        assertThat(code()).isEqualTo("ff c9 75 fc 0f 84 09 00 00 00 74 07 eb f2 e8 00 00 00 00 c3");
    }

    @Test
    void farBackwardBranchesBecomeNear() {
        asm.label("start").zero(200).jmp("start").jc("start");
        assertThat(code()).endsWith("e9 33 ff ff ff 0f 82 2d ff ff ff");
    }

    @Test
    void branchesThatCannotReachAreRefused() {
        asm.jmpShort("end").zero(200).label("end");
        assertThatThrownBy(asm::assemble).hasMessageContaining("out of reach of JMP at 0x1000");
        Assembler loop = new Assembler(CodeSize.CODE64).label("l").zero(200);
        assertThatThrownBy(() -> loop.loop("l")).isInstanceOf(AssemblerException.class);
    }

    @Test
    void labelsMustBeDefinedOnce() {
        asm.jmp("nowhere");
        assertThatThrownBy(asm::assemble).hasMessageContaining("Label nowhere, used by JMP at 0x1000, is not defined");
        asm.label("a");
        assertThatThrownBy(() -> asm.label("a")).hasMessageContaining("defined twice");
    }

    @Test
    void dataLabelsAreRipRelativeIn64BitAndAbsoluteIn32BitCode() {
        asm.mov(EAX, mem("value")).hlt().align(4).label("value").dd(0x12345678).address("value", 8);
        assertThat(code()).isEqualTo("8b 05 02 00 00 00 f4 90 78 56 34 12 08 10 00 00 00 00 00 00");
        Assembler flat = new Assembler(CodeSize.CODE32, 0x2000);
        flat.mov(EAX, mem("value"))
                .emit(Mnemonic.MOV, ESI, new LabelRef("value"))
                .label("value")
                .dw(1);
        assertThat(hex(flat.assemble())).isEqualTo("8b 05 0b 20 00 00 be 0b 20 00 00 01 00");
    }

    @Test
    void aBootSectorSwitchesFrom16To32To64BitCode() {
        Assembler boot = new Assembler(CodeSize.CODE16, 0x7C00);
        boot.cli()
                .xor(AX, AX)
                .mov(DS, AX)
                .lgdt(mem("gdtr"))
                .mov(EAX, CR0)
                .or(AL, 1)
                .mov(CR0, EAX);
        boot.jmpFar(8, "protected")
                .mode(CodeSize.CODE32)
                .label("protected")
                .mov(AX, 16)
                .mov(DS, AX);
        boot.jmpFar(24, "long")
                .mode(CodeSize.CODE64)
                .label("long")
                .mov(RSP, 0x9000)
                .hlt();
        boot.label("gdtr").dw(31).dd(0x8000).org(0x7DFE).dw(0xAA55);
        byte[] code = boot.assemble();
        assertThat(code).hasSize(512);
        assertThat(hex(code))
                .startsWith("fa 31 c0 8e d8 0f 01 16 2c 7c 0f 20 c0 0c 01 0f 22 c0 ea 17 7c 08 00 "
                        + "66 b8 10 00 8e d8 ea 24 7c 00 00 18 00 48 c7 c4 00 90 00 00 f4 1f 00 00 80 00 00 00");
        assertThat(hex(code)).endsWith("00 55 aa");
    }

    @Test
    void sixteenBitAddressesAndOperandsWork() {
        Assembler real = new Assembler(CodeSize.CODE16);
        real.mov(AX, mem(BX).index(SI).disp(4)).mov(EAX, mem(EDI)).push(ES).emit(Mnemonic.LES, DI, mem(BP));
        real.mov(AX, mem(SI).index(BX)).mov(mem(0x500), AX).mov(mem(0x500).byteSize(), 1);
        assertThat(hex(real.assemble())).isEqualTo("8b 40 04 67 66 8b 07 06 c4 7e 00 8b 00 a3 00 05 c6 06 00 05 01");
    }

    @Test
    void prefixesApplyToTheNextInstructionOnly() {
        asm.lock()
                .inc(mem(RBX).dword())
                .rep()
                .movsb()
                .repne()
                .scasb()
                .stosq()
                .movsd()
                .movsd(XMM0, mem(RBX));
        assertThat(code()).isEqualTo("f0 ff 03 f3 a4 f2 ae 48 ab a5 f2 0f 10 03");
        assertThatThrownBy(() -> asm.lock().mov(mem(RBX), EAX)).isInstanceOf(AssemblerException.class);
    }

    @Test
    void sizesThatNoOperandTellsAreNamed() {
        asm.iretq()
                .iret()
                .pushf()
                .cdqe()
                .cqo()
                .cdq()
                .push(RAX)
                .pop(R9)
                .sysretq()
                .lgdt(mem(RAX))
                .swapgs();
        assertThat(code()).isEqualTo("48 cf cf 9c 48 98 48 99 99 50 41 59 48 0f 07 0f 01 10 0f 01 f8");
    }

    @Test
    void portsAndShiftsReadNaturally() {
        asm.out(0xF4, AL)
                .out(DX, EAX)
                .in(AL, 0x60)
                .in(EAX, DX)
                .shl(EAX, 1)
                .shl(EAX, 4)
                .shr(RAX, CL);
        assertThat(code()).isEqualTo("e6 f4 ef e4 60 ed d1 e0 c1 e0 04 48 d3 e8");
    }

    @Test
    void vectorInstructionsAssemble() {
        asm.movaps(XMM1, mem(RDI)).pxor(XMM9, XMM9).emit(Mnemonic.VADDPS, YMM1, YMM2, YMM3);
        asm.emit(Mnemonic.VPGATHERDD, XMM1, mem(RAX).index(XMM2, 4), XMM3)
                .cvtsi2sd(XMM0, RAX)
                .fld(mem(RAX).qword());
        assertThat(code()).isEqualTo("0f 28 0f 66 45 0f ef c9 c5 ec 58 cb c4 e2 61 90 0c 90 f2 48 0f 2a c0 dd 00");
    }

    @Test
    void whatHasNoEncodingIsRefusedByName() {
        assertThatThrownBy(() -> asm.mov(mem(RAX), mem(RBX)))
                .hasMessage("No encoding in CODE64 for MOV memory, memory");
        assertThatThrownBy(() -> asm.mov(AH, SPL)).isInstanceOf(AssemblerException.class);
        assertThatThrownBy(() -> asm.push(ES)).isInstanceOf(AssemblerException.class);
        assertThatThrownBy(() -> asm.add(EAX, RBX)).isInstanceOf(AssemblerException.class);
        assertThatThrownBy(() -> new Assembler(CodeSize.CODE32).mov(EAX, R8D)).isInstanceOf(AssemblerException.class);
    }
}

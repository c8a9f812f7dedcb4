package org.jvirt.x86;

import static org.assertj.core.api.Assertions.assertThat;
import static org.jvirt.x86.CodeSize.CODE16;
import static org.jvirt.x86.CodeSize.CODE32;
import static org.jvirt.x86.CodeSize.CODE64;

import org.junit.jupiter.api.Test;

/// How instructions read. That all rows read as in objdump is [ObjdumpComparisonTest]'s claim.
class DisassemblerTest {
    private static String text(CodeSize mode, int... bytes) {
        return Disassembler.text(Decoding.decode(mode, bytes), 0x1000);
    }

    @Test
    void memoryOperandsReadAsInIntelSyntax() {
        assertThat(text(CODE64, 0x48, 0x8B, 0x44, 0x8B, 0x10)).isEqualTo("mov rax,QWORD PTR [rbx+rcx*4+0x10]");
        assertThat(text(CODE64, 0x65, 0x8B, 0x45, 0xF8)).isEqualTo("mov eax,DWORD PTR gs:[rbp-0x8]");
        assertThat(text(CODE16, 0x8B, 0x42, 0x10)).isEqualTo("mov ax,WORD PTR [bp+si+0x10]");
        assertThat(text(CODE64, 0x8D, 0x05, 0x10, 0, 0, 0)).isEqualTo("lea eax,[rip+0x10]");
        assertThat(text(CODE32, 0xA1, 0x78, 0x56, 0x34, 0x12)).isEqualTo("mov eax,ds:0x12345678");
    }

    @Test
    void branchTargetsAreAbsolute() {
        assertThat(text(CODE64, 0xEB, 0xFE)).isEqualTo("jmp 0x1000");
        assertThat(text(CODE64, 0xE8, 0, 0, 0, 0)).isEqualTo("call 0x1005");
        assertThat(text(CODE16, 0xE9, 0xFD, 0xDF)).isEqualTo("jmp 0xf000");
        assertThat(text(CODE32, 0xEA, 0x78, 0x56, 0x34, 0x12, 0x08, 0x00)).isEqualTo("jmp 0x8:0x12345678");
    }

    @Test
    void stringInstructionsShowTheirOperands() {
        assertThat(text(CODE64, 0xF3, 0x48, 0xA5)).isEqualTo("rep movs QWORD PTR es:[rdi],QWORD PTR ds:[rsi]");
        assertThat(text(CODE32, 0xF2, 0xAE)).isEqualTo("repnz scas al,BYTE PTR es:[edi]");
        assertThat(text(CODE16, 0x6F)).isEqualTo("outs dx,WORD PTR ds:[si]");
    }

    @Test
    void immediatesAreCutToTheOperand() {
        assertThat(text(CODE64, 0x48, 0x83, 0xC0, 0xFF)).isEqualTo("add rax,0xffffffffffffffff");
        assertThat(text(CODE64, 0x83, 0xC0, 0xFF)).isEqualTo("add eax,0xffffffff");
        assertThat(text(CODE64, 0xC8, 0x10, 0, 1)).isEqualTo("enter 0x10,0x1");
    }

    @Test
    void namesFollowTheWidth() {
        assertThat(text(CODE64, 0x48, 0xCF)).isEqualTo("iretq");
        assertThat(text(CODE64, 0x48, 0x98)).isEqualTo("cdqe");
        assertThat(text(CODE64, 0x67, 0xE3, 0x00)).isEqualTo("jecxz 0x1003");
        assertThat(text(CODE64, 0x67, 0xE2, 0x00)).isEqualTo("addr32 loop 0x1003");
        assertThat(text(CODE64, 0x48, 0x0F, 0x07)).isEqualTo("sysretq");
    }
}

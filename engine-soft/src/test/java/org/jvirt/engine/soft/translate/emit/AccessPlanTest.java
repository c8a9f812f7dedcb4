package org.jvirt.engine.soft.translate.emit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.jvirt.x86.Mem.mem;
import static org.jvirt.x86.Registers.EAX;
import static org.jvirt.x86.Registers.EDX;
import static org.jvirt.x86.Registers.RAX;
import static org.jvirt.x86.Registers.RBP;
import static org.jvirt.x86.Registers.RBX;
import static org.jvirt.x86.Registers.RCX;
import static org.jvirt.x86.Registers.RDX;
import static org.jvirt.x86.Registers.RSI;
import static org.jvirt.x86.Registers.RSP;

import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.jvirt.x86.Assembler;
import org.jvirt.x86.CodeSize;
import org.jvirt.x86.DecodeResult;
import org.jvirt.x86.Decoder;
import org.jvirt.x86.FlagMask;
import org.jvirt.x86.Instruction;

/// Which accesses share a check, and where it is.
class AccessPlanTest {
    private static final long RIP = 0x40_1000;
    private static final int MOST = 16;

    private final AccessPlan plan = new AccessPlan();
    private final int[] live = new int[MOST];

    private void plan(boolean loop, Consumer<Assembler> program) {
        var asm = new Assembler(CodeSize.CODE64, RIP);
        program.accept(asm);
        byte[] code = asm.assemble();
        var decoder = new Decoder();
        var instructions = new Instruction[MOST];
        int[] offsets = new int[MOST + 1];
        int count = 0;
        for (int at = 0; at < code.length; at += instructions[count - 1].length()) {
            instructions[count] = new Instruction();
            assertThat(decoder.decode(code, at, code.length, CodeSize.CODE64, instructions[count]))
                    .isEqualTo(DecodeResult.OK);
            offsets[count++] = at;
        }
        offsets[count] = code.length;
        plan.plan(instructions, offsets, RIP, live, new boolean[MOST], count, loop);
    }

    @Test
    void accessesAtConstantsFromOneRegisterShareACheck() {
        plan(
                false,
                asm -> asm.mov(RAX, mem(RBX).disp(16).qword())
                        .mov(mem(RBX).disp(32).qword(), RDX));
        assertThat(plan.checks()).isOne();
        assertThat(plan.explicit(0)).isZero();
        assertThat(plan.explicit(1)).isZero();
        assertThat(plan.displacement(0)).isEqualTo(16);
        assertThat(plan.span(0)).isEqualTo(24);
        assertThat(plan.writes(0)).isTrue();
    }

    @Test
    void anotherValueOfTheRegisterIsAnotherAddress() {
        plan(
                false,
                asm -> asm.mov(RAX, mem(RBX).disp(16).qword())
                        .mov(RBX, RDX)
                        .mov(RCX, mem(RBX).disp(16).qword()));
        assertThat(plan.checks()).isZero();
    }

    @Test
    void additionsOfConstantsAreFollowed() {
        plan(false, asm -> asm.mov(RAX, mem(RBX).qword()).add(RBX, 8).mov(RDX, mem(RBX).qword()));
        assertThat(plan.checks()).isOne();
        assertThat(plan.span(0)).isEqualTo(16);
    }

    @Test
    void theLoadedRegisterIsNoBaseAfterwards() {
        plan(false, asm -> asm.mov(RBX, mem(RBX).qword()).mov(RDX, mem(RBX).qword()));
        assertThat(plan.checks()).isZero();
    }

    @Test
    void pushesAndPopsShareOneCheckOfTheStack() {
        plan(
                false,
                asm -> asm.push(RBP)
                        .push(RBX)
                        .mov(RAX, mem(RSP).disp(8).qword())
                        .pop(RBX)
                        .pop(RBP)
                        .ret());
        assertThat(plan.checks()).isOne();
        assertThat(plan.isStack(0)).isTrue();
        assertThat(plan.displacement(0)).isEqualTo(-16);
        assertThat(plan.span(0)).isEqualTo(24);
    }

    @Test
    void aCheckOfTheStackMovesToWhereNoFlagsAreLive() {
        live[1] = FlagMask.STATUS;
        live[2] = FlagMask.STATUS;
        plan(false, asm -> asm.cmp(EAX, EDX).push(RBP).push(RBX));
        assertThat(plan.at(0)).isZero();
    }

    @Test
    void whatMayChangeAnythingSeparates() {
        plan(
                false,
                asm -> asm.mov(EAX, mem(0x1000L).dword())
                        .cpuid()
                        .mov(EDX, mem(0x1000L).dword()));
        assertThat(plan.checks()).isZero();
        plan(
                false,
                asm -> asm.mov(EAX, mem(0x1000L).dword()).mov(EDX, mem(0x1000L).dword()));
        assertThat(plan.checks()).isOne();
    }

    @Test
    void whatIsFarApartIsCheckedApart() {
        plan(
                false,
                asm -> asm.mov(RAX, mem(RBX).qword())
                        .mov(RDX, mem(RBX).disp(0x800).qword()));
        assertThat(plan.checks()).isZero();
    }

    @Test
    void inALoopSingleAccessesHaveChecksOfTheirOwn() {
        plan(true, asm -> asm.mov(RAX, mem(RBX).qword()).mov(RDX, mem(RSI).qword()));
        assertThat(plan.checks()).isEqualTo(2);
    }

    @Test
    void aLoopThatMovesByConstantsHasSteadyChecks() {
        plan(
                true,
                asm -> asm.label("here")
                        .mov(RAX, mem(RSI).index(RBX, 8).qword())
                        .mov(mem(RDX).disp(8).qword(), RAX)
                        .add(RBX, 2)
                        .dec(RBP)
                        .jnz("here"));
        assertThat(plan.checks()).isEqualTo(2);
        assertThat(plan.allSteady()).isTrue();
        assertThat(plan.stride(0)).isEqualTo(16);
        assertThat(plan.stride(1)).isZero();
        assertThat(Math.abs(plan.step())).isIn(1, 2);
    }

    @Test
    void whatMovesByTheUnknownIsNotSteady() {
        plan(
                true,
                asm -> asm.label("here")
                        .mov(RAX, mem(RSI).qword())
                        .mov(RDX, mem(RBX).qword())
                        .add(RSI, RBP)
                        .add(RBX, 8)
                        .dec(RCX)
                        .jnz("here"));
        assertThat(plan.isSteady(0)).isFalse();
        assertThat(plan.isSteady(1)).isTrue();
        assertThat(plan.allSteady()).isFalse();
    }

    @Test
    void nothingIsSteadyInALoopThatBranchesOverAPartOfItself() {
        plan(
                true,
                asm -> asm.label("here")
                        .cmp(mem(RSI).qword(), RBX)
                        .jb("less")
                        .add(RDX, RSI)
                        .label("less")
                        .add(RSI, 8)
                        .dec(RCX)
                        .jnz("here"));
        assertThat(plan.checks()).isOne();
        assertThat(plan.anySteady()).isFalse();
    }

    @Test
    void nothingIsSteadyWhereFlagsAreLiveAtTheBeginning() {
        live[0] = FlagMask.CF;
        plan(
                true,
                asm -> asm.label("here")
                        .adc(RAX, mem(RSI).qword())
                        .lea(RSI, mem(RSI).disp(8))
                        .dec(RCX)
                        .jnz("here"));
        assertThat(plan.anySteady()).isFalse();
    }
}

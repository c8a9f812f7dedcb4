package org.jvirt.engine.soft.translate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.jvirt.x86.Mem.mem;
import static org.jvirt.x86.Registers.*;

import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.jvirt.engine.soft.translate.store.StoredBlock;
import org.jvirt.x86.Assembler;
import org.jvirt.x86.CodeSize;
import org.jvirt.x86.Mem;

class GuestFieldsTest {
    private static final long KERNEL = 0xFFFF_FFFF_8123_4000L;
    private static final long PROGRAM = 0x5555_1234_5000L;
    private static final int START = 0x123;
    private static final int STEP = 0x1A0_0000;

    /// A page with code at [#START].
    private static byte[] page(long address, UnaryOperator<Assembler> code) {
        byte[] bytes =
                code.apply(new Assembler(CodeSize.CODE64, address + START)).assemble();
        byte[] page = new byte[4096];
        System.arraycopy(bytes, 0, page, START, bytes.length);
        return page;
    }

    private static int[] fields(long address, UnaryOperator<Assembler> code) {
        return GuestFields.find(page(address, code), START, START, START + 6, address + START);
    }

    private static Assembler near(Assembler code, long from, long target) {
        // 7 bytes: REX, opcode, operand, distance
        return code.mov(RAX, Mem.rip((int) (target - from - START - 7)).qword());
    }

    @Test
    void addressesInTheKernelMoveWithIt() {
        assertThat(fields(
                        KERNEL,
                        code -> code.mov(
                                RAX,
                                mem(RBX).disp(0x8100_0000 | 0xFFFF_FFFF_0000_0000L)
                                        .qword())))
                .containsExactly(StoredBlock.with(START + 3));
    }

    @Test
    void distancesToDataOfAProcessorMoveAgainstIt() {
        byte[] here = page(KERNEL, code -> near(code, KERNEL, 0x2_5678));
        byte[] there = page(KERNEL + STEP, code -> near(code, KERNEL + STEP, 0x2_5678));
        assertThat(there).isNotEqualTo(here);
        int[] fields = GuestFields.find(here, START, START, START + 6, KERNEL + START);
        assertThat(fields).containsExactly(StoredBlock.against(START + 3));
        GuestFields.move(here, fields, STEP);
        assertThat(here).isEqualTo(there);
    }

    @Test
    void distancesInsideTheKernelStay() {
        assertThat(fields(KERNEL, code -> near(code, KERNEL, KERNEL + 0x1000))).isEmpty();
    }

    @Test
    void programsHaveNone() {
        assertThat(fields(PROGRAM, code -> near(code, PROGRAM, PROGRAM + 0x1000)))
                .isEmpty();
    }
}

package org.jvirt.engine.soft.translate.store;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.BitSet;
import java.util.Optional;
import org.junit.jupiter.api.Test;

final class RelocationTest {
    private static final int TABLE = 0x80000;

    /// Code as a translator might make it: a constant, a call, its own place, an address in 4 and one in 8 bytes, a
    /// negative, and an entry of the jump table.
    private static byte[] code(int origin, long rip) {
        ByteBuffer code = ByteBuffer.allocate(46).order(ByteOrder.LITTLE_ENDIAN);
        code.putInt(0x1234_5678).put((byte) 0xE8).putInt(0x40 - origin - 9);
        code.putInt(origin + 77)
                .put((byte) 0x90)
                .putInt((int) rip + 5)
                .put((byte) 0x48)
                .put((byte) 0xB9);
        code.putLong(rip + 0x1234).put((byte) 0x90).putInt((int) -rip);
        code.putInt(TABLE + (int) (rip + 0x77 & 0xFFFF) * 8).put((byte) 0xC3);
        return code.array();
    }

    private static BitSet wide() {
        var wide = new BitSet();
        wide.set(20);
        return wide;
    }

    private static Optional<int[]> find(int origin, long rip) {
        byte[] one = code(origin, rip);
        return Relocation.find(
                one, code(origin + Relocation.ORIGIN_STEP, rip + Relocation.RIP_STEP), one.length, wide());
    }

    private static boolean apply(byte[] code, int[] relocation, int originStep, long ripStep) {
        return Relocation.apply(MemorySegment.ofArray(code), 0, relocation, originStep, ripStep, TABLE);
    }

    private static void movesTo(int origin, long rip, int newOrigin, long newRip) {
        byte[] code = code(origin, rip);
        assertThat(apply(code, find(origin, rip).orElseThrow(), newOrigin - origin, newRip - rip))
                .isTrue();
        assertThat(code).isEqualTo(code(newOrigin, newRip));
    }

    @Test
    void codeOfAKernelMovesWithItsAddress() {
        movesTo(0x3000, 0xFFFF_FFFF_8110_0123L, 0x7_0040, 0xFFFF_FFFF_9550_0123L);
        movesTo(0x3000, 0xFFFF_FFFF_8110_0123L, 0x40, 0xFFFF_FFFF_8110_0123L);
        movesTo(0x3000, 0xFFFF_FFFF_BEE0_0123L, 0x9_0000, 0xFFFF_FFFF_8130_0123L);
    }

    @Test
    void codeThatStaysMovesByItsAddressAlone() {
        byte[] code = code(0x3000, 0xFFFF_FFFF_8110_0123L);
        int[] relocation =
                Relocation.ofAddress(find(0x3000, 0xFFFF_FFFF_8110_0123L).orElseThrow());
        assertThat(apply(code, relocation, 0x1234, 0x40_0000)).isTrue();
        assertThat(code).isEqualTo(code(0x3000, 0xFFFF_FFFF_8150_0123L));
    }

    @Test
    void aFieldOfFourBytesThatWouldNeedMoreIsRefused() {
        byte[] code = code(0x3000, 0xFFFF_FFFF_8110_0123L);
        int[] relocation = find(0x3000, 0xFFFF_FFFF_8110_0123L).orElseThrow();
        assertThat(apply(code, relocation, 0, 0x7F00_0000_0000L)).isFalse();
        assertThat(apply(code.clone(), relocation, 0, -0x1000_0000L)).isFalse();
    }

    @Test
    void aDifferenceOfAnotherKindIsRefused() {
        byte[] one = code(0x3000, 0xFFFF_FFFF_8110_0123L);
        for (int at = 0; at < one.length; at++) {
            byte[] other = code(0x3000 + Relocation.ORIGIN_STEP, 0xFFFF_FFFF_8110_0123L + Relocation.RIP_STEP);
            other[at] ^= 4;
            assertThat(Relocation.find(one, other, one.length, wide()))
                    .as("byte " + at)
                    .isEmpty();
        }
    }
}

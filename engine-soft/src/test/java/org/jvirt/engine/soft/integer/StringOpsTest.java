package org.jvirt.engine.soft.integer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.jvirt.engine.soft.cpu.Cpu;
import org.jvirt.engine.soft.cpu.Flags;
import org.jvirt.engine.soft.cpu.GuestFault;
import org.jvirt.engine.soft.cpu.Segments;
import org.jvirt.engine.soft.cpu.TestProcessor;
import org.jvirt.x86.CodeSize;

class StringOpsTest {
    private static final long AREA = 0x2_0000;
    private static final int AREA_BYTES = 0x6000;
    private static final int REP = 0xF3;
    private static final int REPNE = 0xF2;
    private static final int OPERAND_SIZE = 0x66;
    private static final int ADDRESS_SIZE = 0x67;

    private final TestProcessor machine = TestProcessor.long64();
    private final Cpu cpu = machine.cpu;
    private final Program program = new Program(machine);

    @AfterEach
    void close() {
        machine.close();
    }

    private static byte[] bytes(int... values) {
        byte[] result = new byte[values.length];
        for (int i = 0; i < values.length; i++) {
            result[i] = (byte) values[i];
        }
        return result;
    }

    private byte[] fillArea(SplittableRandom random) {
        byte[] content = new byte[AREA_BYTES];
        random.nextBytes(content);
        machine.memory.write(AREA, content);
        return content;
    }

    private byte[] area() {
        byte[] content = new byte[AREA_BYTES];
        machine.memory.read(AREA, content);
        return content;
    }

    /// The opcode of MOVS (A4), STOS (AA), … for an element size.
    private static byte[] repeated(int opcode, int size) {
        return switch (size) {
            case 1 -> bytes(REP, opcode);
            case 2 -> bytes(OPERAND_SIZE, REP, opcode + 1);
            case 4 -> bytes(REP, opcode + 1);
            default -> bytes(REP, 0x48, opcode + 1);
        };
    }

    @Test
    void repeatedMovesEqualByteByByteCopiesForAllDistancesAndDirections() {
        var random = new SplittableRandom(1);
        int[] distances = {0, 1, 2, 3, 7, 8, 9, 16, 63, 64, 65, 100, 4095, 4096, 4097};
        for (int size : new int[] {1, 2, 4, 8}) {
            for (int distance : distances) {
                for (int sign : new int[] {-1, 1}) {
                    for (boolean down : new boolean[] {false, true}) {
                        byte[] expected = fillArea(random);
                        int count = random.nextInt(1, 6000 / size);
                        // either end reaches over two page borders
                        int from = (down ? 0x3800 : 0x1800) + random.nextInt(-20, 20);
                        int to = from + sign * distance;
                        int step = down ? -size : size;
                        for (int i = 0; i < count; i++) {
                            byte[] element = new byte[size];
                            System.arraycopy(expected, from + i * step, element, 0, size);
                            System.arraycopy(element, 0, expected, to + i * step, size);
                        }
                        cpu.setDf(down);
                        cpu.r[Cpu.RSI] = AREA + from;
                        cpu.r[Cpu.RDI] = AREA + to;
                        cpu.r[Cpu.RCX] = count;
                        program.run(repeated(0xA4, size));
                        assertThat(area()).isEqualTo(expected);
                        assertThat(cpu.r[Cpu.RCX]).isZero();
                        assertThat(cpu.r[Cpu.RSI]).isEqualTo(AREA + from + (long) count * step);
                        assertThat(cpu.r[Cpu.RDI]).isEqualTo(AREA + to + (long) count * step);
                    }
                }
            }
        }
    }

    @Test
    void repeatedStoresFillExactlyTheirElements() {
        var random = new SplittableRandom(2);
        for (int size : new int[] {1, 2, 4, 8}) {
            for (long value : new long[] {0, -1, 0x0101_0101_0101_0101L, 0x0123_4567_89AB_CDEFL}) {
                for (boolean down : new boolean[] {false, true}) {
                    byte[] expected = fillArea(random);
                    int at = 0x1800 + random.nextInt(64);
                    int count = random.nextInt(1, 0x1700 / size);
                    for (int i = 0; i < count; i++) {
                        int element = at + (down ? -i : i) * size;
                        for (int k = 0; k < size; k++) {
                            expected[element + k] = (byte) (value >>> 8 * k);
                        }
                    }
                    cpu.setDf(down);
                    cpu.r[Cpu.RAX] = value;
                    cpu.r[Cpu.RDI] = AREA + at;
                    cpu.r[Cpu.RCX] = count;
                    program.run(repeated(0xAA, size));
                    assertThat(area()).isEqualTo(expected);
                    assertThat(cpu.r[Cpu.RDI]).isEqualTo(AREA + at + (long) (down ? -count : count) * size);
                }
            }
        }
    }

    @Test
    void aFaultInMidMoveLeavesExactRegistersAndTheCompletedPart() {
        byte[] expected = new byte[AREA_BYTES];
        new SplittableRandom(3).nextBytes(expected);
        machine.memory.write(AREA, expected);
        long destination = TestProcessor.ABSENT - 0x1805;
        cpu.r[Cpu.RSI] = AREA;
        cpu.r[Cpu.RDI] = destination;
        cpu.r[Cpu.RCX] = 0x2000;
        assertThatThrownBy(() -> program.run(repeated(0xA4, 1))).isInstanceOfSatisfying(GuestFault.class, fault -> {
            assertThat(fault.vector()).isEqualTo(14);
            assertThat(fault.errorCode()).isEqualTo(2);
        });
        assertThat(cpu.r[Cpu.RCX]).isEqualTo(0x2000 - 0x1805);
        assertThat(cpu.r[Cpu.RSI]).isEqualTo(AREA + 0x1805);
        assertThat(cpu.r[Cpu.RDI]).isEqualTo(TestProcessor.ABSENT);
        assertThat(cpu.rip).isEqualTo(TestProcessor.CODE);
        byte[] moved = new byte[0x1805];
        machine.memory.read(destination, moved);
        assertThat(moved).isEqualTo(Arrays.copyOf(expected, 0x1805));
    }

    @Test
    void anElementThatReachesIntoAnAbsentPageIsNotStoredInPart() {
        long destination = TestProcessor.ABSENT - 20;
        cpu.r[Cpu.RAX] = -1;
        cpu.r[Cpu.RDI] = destination;
        cpu.r[Cpu.RCX] = 5;
        assertThatThrownBy(() -> program.run(repeated(0xAA, 8))).isInstanceOf(GuestFault.class);
        assertThat(cpu.r[Cpu.RCX]).isEqualTo(3);
        assertThat(cpu.r[Cpu.RDI]).isEqualTo(destination + 16);
        assertThat(machine.memory.readInt(destination + 16)).isZero();
    }

    @Test
    void aSingleStepEndsEachIteration() {
        cpu.setSystemFlags(Cpu.TF);
        cpu.r[Cpu.RAX] = 0x55;
        cpu.r[Cpu.RDI] = AREA;
        cpu.r[Cpu.RCX] = 3;
        byte[] code = repeated(0xAA, 1);
        program.step(code, 0);
        assertThat(cpu.r[Cpu.RCX]).isEqualTo(2);
        assertThat(cpu.rip).isEqualTo(TestProcessor.CODE);
        program.step(code, 0);
        program.step(code, 0);
        assertThat(cpu.r[Cpu.RCX]).isZero();
        assertThat(cpu.rip).isEqualTo(TestProcessor.CODE + code.length);
        assertThat(machine.memory.readInt(AREA)).isEqualTo(0x55_5555);
    }

    @Test
    void aWishFromOutsideStopsALongRepetitionAtTheInstruction() {
        cpu.signals.kick();
        cpu.r[Cpu.RAX] = 0x55;
        cpu.r[Cpu.RDI] = AREA;
        cpu.r[Cpu.RCX] = 0x5000;
        byte[] code = repeated(0xAA, 1);
        int steps = 0;
        do {
            program.step(code, 0);
            steps++;
            assertThat(cpu.r[Cpu.RDI] + cpu.r[Cpu.RCX]).isEqualTo(AREA + 0x5000);
        } while (cpu.rip == TestProcessor.CODE);
        assertThat(steps).isGreaterThan(1);
        assertThat(cpu.r[Cpu.RCX]).isZero();
    }

    @Test
    void comparisonStopsAtTheFirstDifference() {
        machine.memory.write(AREA, "the same until Here".getBytes(StandardCharsets.US_ASCII));
        machine.memory.write(AREA + 0x1000, "the same until here".getBytes(StandardCharsets.US_ASCII));
        cpu.r[Cpu.RSI] = AREA;
        cpu.r[Cpu.RDI] = AREA + 0x1000;
        cpu.r[Cpu.RCX] = 100;
        program.run(bytes(REP, 0xA6));
        assertThat(cpu.r[Cpu.RCX]).isEqualTo(100 - 16);
        assertThat(cpu.r[Cpu.RSI]).isEqualTo(AREA + 16);
        assertThat(cpu.flags.zf()).isFalse();
        assertThat(cpu.flags.cf()).as("'H' is below 'h'").isTrue();
    }

    @Test
    void scanFindsTheEndOfAString() {
        machine.memory.write(AREA, "seventeen letters".getBytes(StandardCharsets.US_ASCII));
        cpu.r[Cpu.RAX] = 0xFFFF_FF00L;
        cpu.r[Cpu.RDI] = AREA;
        cpu.r[Cpu.RCX] = -1;
        program.run(bytes(REPNE, 0xAE));
        assertThat(~cpu.r[Cpu.RCX] - 1).isEqualTo(17);
        assertThat(cpu.flags.zf()).isTrue();
    }

    @Test
    void repeatedComparisonsAndScansEndWhereSingleOnesWould() {
        var random = new SplittableRandom(4);
        for (int size : new int[] {1, 2, 4, 8}) {
            for (int prefix : new int[] {REP, REPNE}) {
                for (int opcode : new int[] {0xA6, 0xAE}) {
                    for (int i = 0; i < 60; i++) {
                        byte[] single = repeated(opcode, size);
                        for (int k = 0; k < single.length - 1; k++) {
                            if ((single[k] & 0xFF) == REP) {
                                single[k] = (byte) prefix;
                            }
                        }
                        // few different bytes: long runs that are equal, or unequal
                        byte[] content = new byte[AREA_BYTES];
                        int rare = random.nextInt(1, 3000);
                        for (int k = 0; k < AREA_BYTES; k++) {
                            content[k] = (byte) (random.nextInt(rare) == 0 ? 1 : 0);
                        }
                        machine.memory.write(AREA, content);
                        long[] before = cpu.r.clone();
                        before[Cpu.RSI] = AREA + random.nextInt(0x1000);
                        before[Cpu.RDI] = AREA + random.nextInt(0x1000);
                        before[Cpu.RCX] = random.nextInt(0x4000 / size);
                        before[Cpu.RAX] = prefix == REP ? 0 : 0x0101_0101_0101_0101L >>> 64 - 8 * size & 1;
                        System.arraycopy(before, 0, cpu.r, 0, 16);
                        cpu.flags.unpack(0);
                        cpu.setSystemFlags(Cpu.TF);
                        int steps = 0;
                        do {
                            program.step(single, 0);
                            steps++;
                        } while (cpu.rip == TestProcessor.CODE && steps < 0x5000);
                        long[] expected = cpu.r.clone();
                        int expectedFlags = cpu.flags.pack();
                        System.arraycopy(before, 0, cpu.r, 0, 16);
                        cpu.flags.unpack(0);
                        cpu.setSystemFlags(0);
                        program.run(single);
                        assertThat(cpu.r).isEqualTo(expected);
                        assertThat(cpu.flags.pack()).isEqualTo(expectedFlags);
                    }
                }
            }
        }
    }

    @Test
    void aCountOfZeroTouchesNothing() {
        cpu.r[Cpu.RSI] = TestProcessor.ABSENT;
        cpu.r[Cpu.RDI] = TestProcessor.ABSENT;
        cpu.r[Cpu.RCX] = 0;
        cpu.flags.unpack(Flags.MASK);
        program.run(bytes(REP, 0xA4, REP, 0xAA, REP, 0xA6, REPNE, 0xAE, REP, 0xAC));
        assertThat(cpu.flags.pack()).isEqualTo(Flags.MASK);
        assertThat(cpu.r[Cpu.RDI]).isEqualTo(TestProcessor.ABSENT);
    }

    @Test
    void thirtyTwoBitAddressesWrapAndClearTheUpperHalves() {
        machine.memory.writeByte(AREA, 0x7A);
        cpu.r[Cpu.RSI] = 0xFFFF_0000_0000_0000L | AREA;
        cpu.r[Cpu.RDI] = 0xFFFF_0000_0000_0000L | AREA + 0x100;
        cpu.r[Cpu.RCX] = 0xFFFF_0000_0000_0001L;
        program.run(bytes(ADDRESS_SIZE, REP, 0xA4));
        assertThat(machine.memory.readByte(AREA + 0x100)).isEqualTo(0x7A);
        assertThat(cpu.r[Cpu.RSI]).isEqualTo(AREA + 1);
        assertThat(cpu.r[Cpu.RCX]).isZero();
    }

    @Test
    void loadsExtendAsTheirRegisterDoes() {
        machine.memory.writeLong(AREA, 0x8182_8384_8586_8788L);
        cpu.r[Cpu.RAX] = -1;
        cpu.r[Cpu.RSI] = AREA;
        program.run(bytes(0xAC));
        assertThat(cpu.r[Cpu.RAX]).isEqualTo(0xFFFF_FFFF_FFFF_FF88L);
        program.run(bytes(0xAD));
        assertThat(cpu.r[Cpu.RAX]).isEqualTo(0x8485_8687L);
        assertThat(cpu.r[Cpu.RSI]).isEqualTo(AREA + 5);
    }

    @Test
    void sixteenBitPointersWrapWithinTheirSegmentAndLeaveUpperBits() {
        try (TestProcessor real = TestProcessor.real16()) {
            Cpu c = real.cpu;
            assertThat(c.codeSize()).isEqualTo(CodeSize.CODE16);
            c.segments.base[Segments.ES] = 0x1_0000;
            c.r[Cpu.RAX] = 0x11;
            c.r[Cpu.RDI] = 0xABCD_FFF0L;
            c.r[Cpu.RCX] = 0x1234_0020L;
            new Program(real).run(bytes(REP, 0xAA));
            assertThat(c.r[Cpu.RDI]).isEqualTo(0xABCD_0010L);
            assertThat(c.r[Cpu.RCX]).isEqualTo(0x1234_0000L);
            assertThat(real.memory.readByte(0x1_FFFF)).isEqualTo(0x11);
            assertThat(real.memory.readByte(0x1_000F)).isEqualTo(0x11);
            assertThat(real.memory.readByte(0x1_0010)).isZero();
            assertThat(real.memory.readByte(0x2_0000)).isZero();
        }
    }

    @Test
    void aSegmentLimitStopsARepetitionExactlyThere() {
        try (TestProcessor flat = TestProcessor.protected32()) {
            flat.data(Segments.ES, AREA, 0x17F);
            Cpu c = flat.cpu;
            c.r[Cpu.RAX] = 0x22;
            c.r[Cpu.RDI] = 0x100;
            c.r[Cpu.RCX] = 0x100;
            var run = new Program(flat);
            assertThatThrownBy(() -> run.run(bytes(REP, 0xAA)))
                    .isInstanceOfSatisfying(
                            GuestFault.class,
                            fault -> assertThat(fault.vector()).isEqualTo(13));
            assertThat(c.r[Cpu.RDI]).isEqualTo(0x180);
            assertThat(c.r[Cpu.RCX]).isEqualTo(0x80);
            assertThat(flat.memory.readByte(AREA + 0x17F)).isEqualTo(0x22);
            assertThat(flat.memory.readByte(AREA + 0x180)).isZero();
        }
    }
}

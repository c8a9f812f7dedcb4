package org.jvirt.engine.soft.integer;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.SplittableRandom;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Test;

/// The functions of single bits that need no machine: checksum and bit fields.
class BitFunctionsTest {
    private final SplittableRandom random = new SplittableRandom(11);

    /// Java's checksum inverts before and after; the instruction does neither.
    @Test
    void checksumIsCrc32cForAllOperandSizes() {
        for (int bytes : new int[] {1, 2, 4, 8}) {
            for (int i = 0; i < 100; i++) {
                int crc = -1;
                var expected = new CRC32C();
                for (int k = 0; k < 5; k++) {
                    long data = random.nextLong();
                    crc = Crc32c.update(crc, data, bytes);
                    expected.update(
                            ByteBuffer.allocate(8)
                                    .order(ByteOrder.LITTLE_ENDIAN)
                                    .putLong(data)
                                    .array(),
                            0,
                            bytes);
                }
                assertThat(~crc & 0xFFFF_FFFFL).isEqualTo(expected.getValue());
            }
        }
    }

    @Test
    void extractedFieldsAreTheBitsThatTheControlNames() {
        for (int width : new int[] {32, 64}) {
            for (int i = 0; i < 20_000; i++) {
                long value = width == 64 ? random.nextLong() : random.nextLong() & 0xFFFF_FFFFL;
                int start = random.nextInt(random.nextBoolean() ? 256 : width);
                int length = random.nextInt(random.nextBoolean() ? 256 : width);
                long expected = 0;
                for (int k = 0; k < length && start + k < width; k++) {
                    expected |= (value >>> start + k & 1) << k;
                }
                long control = random.nextLong() << 16 | length << 8 | start;
                assertThat(BmiOps.extract(value, control, width)).isEqualTo(expected);
            }
        }
    }

    @Test
    void highBitsAreZeroFromTheIndexOn() {
        for (int width : new int[] {32, 64}) {
            for (int index = 0; index < 256; index++) {
                long value = width == 64 ? -1L : 0xFFFF_FFFFL;
                long expected = index < width ? value & ~(-1L << index) : value;
                assertThat(BmiOps.zeroHigh(value, 0xFF00L | index, width)).isEqualTo(expected);
            }
        }
    }
}

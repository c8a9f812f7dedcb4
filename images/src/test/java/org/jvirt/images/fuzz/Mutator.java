package org.jvirt.images.fuzz;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import java.util.random.RandomGenerator;

/// Changes inputs, mostly numbers near their start, where headers are.
final class Mutator {
    private static final int MAX_BYTES = 1 << 20;
    private final RandomGenerator random;

    Mutator(RandomGenerator random) {
        this.random = random;
    }

    /// @param others to take pieces from
    byte[] mutate(byte[] input, List<byte[]> others) {
        byte[] changed = input.clone();
        int count = 1 << random.nextInt(4);
        for (int i = 0; i < count; i++) {
            changed = once(changed, others);
        }
        return changed;
    }

    private byte[] once(byte[] input, List<byte[]> others) {
        if (input.length < 16) {
            return Arrays.copyOf(input, 16 + random.nextInt(64));
        }
        byte[] changed = input;
        switch (random.nextInt(10)) {
            case 0 -> changed[place(input.length)] ^= (byte) (1 << random.nextInt(8));
            case 1 -> changed[place(input.length)] = (byte) random.nextInt();
            case 2, 3, 4, 5 -> number(changed);
            case 6 -> {
                int length = 1 + random.nextInt(Math.min(64, input.length / 2));
                int from = place(input.length - length);
                int to = place(input.length - length);
                System.arraycopy(input, from, changed, to, length);
            }
            case 7 -> {
                byte[] other = others.get(random.nextInt(others.size()));
                if (other.length > 8) {
                    int length = 1 + random.nextInt(Math.min(other.length, input.length) / 2);
                    System.arraycopy(
                            other, place(other.length - length), changed, place(input.length - length), length);
                }
            }
            case 8 -> changed = Arrays.copyOf(input, 1 + random.nextInt(input.length));
            default -> changed = inserted(input);
        }
        return changed;
    }

    private byte[] inserted(byte[] input) {
        int length = 1 + random.nextInt(64);
        if (input.length + length > MAX_BYTES) {
            return input;
        }
        int at = place(input.length);
        byte[] longer = Arrays.copyOf(input, input.length + length);
        System.arraycopy(input, at, longer, at + length, input.length - at);
        return longer;
    }

    private void number(byte[] input) {
        int width = 1 << 1 + random.nextInt(3);
        int at = place(input.length - 8);
        // Fields mostly lie at multiples of their width.
        at = random.nextInt(4) > 0 ? at / width * width : at;
        ByteBuffer bytes =
                ByteBuffer.wrap(input).order(random.nextBoolean() ? ByteOrder.LITTLE_ENDIAN : ByteOrder.BIG_ENDIAN);
        long old = width == 2 ? bytes.getShort(at) : width == 4 ? bytes.getInt(at) : bytes.getLong(at);
        long value = switch (random.nextInt(7)) {
            case 0 -> 0;
            case 1 -> -1;
            case 2 -> 1L << random.nextInt(64);
            case 3 -> (1L << random.nextInt(64)) - 1;
            case 4 -> old + random.nextInt(33) - 16;
            case 5 -> old << random.nextInt(16);
            default -> random.nextInt(4096);
        };
        switch (width) {
            case 2 -> bytes.putShort(at, (short) value);
            case 4 -> bytes.putInt(at, (int) value);
            default -> bytes.putLong(at, value);
        }
    }

    private int place(int length) {
        int span = switch (random.nextInt(4)) {
            case 0 -> 128;
            case 1 -> 1024;
            case 2 -> 8192;
            default -> length;
        };
        return random.nextInt(Math.max(1, Math.min(span, length)));
    }
}

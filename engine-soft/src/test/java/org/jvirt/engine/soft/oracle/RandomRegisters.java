package org.jvirt.engine.soft.oracle;

import java.nio.ByteBuffer;
import java.util.SplittableRandom;

/// Contents for registers and memory in which instructions find something to do.
public final class RandomRegisters {
    private static final int ALL_MASKED = 0x37F;
    private static final int MXCSR_RESET = 0x1F80;
    private static final int MXCSR = 24;
    private static final int ST = 32;
    private static final int XMM = 160;
    private static final int YMM_HIGH = 576;
    private static final int BIAS = 16383;
    private static final int[] PRECISIONS = {0, 2, 3};

    private final SplittableRandom random;

    public RandomRegisters(SplittableRandom random) {
        this.random = random;
    }

    /// An integer, often a special one.
    public long value() {
        return switch (random.nextInt(8)) {
            case 0 -> random.nextInt(-2, 3);
            case 1 -> 1L << random.nextInt(64);
            case 2 -> (1L << random.nextInt(64)) - 1;
            case 3 -> random.nextInt(0, 256);
            case 4 -> random.nextInt();
            case 5 -> -1L << random.nextInt(64);
            default -> random.nextLong();
        };
    }

    /// Random bytes, half of which are made of numbers that floating-point instructions like.
    public void data(ByteBuffer data) {
        for (int i = 0; i + 8 <= data.limit(); i += 8) {
            data.putLong(i, random.nextLong());
        }
        for (int i = 0; i + 16 <= data.limit(); i += 32) {
            vector(data, i);
        }
    }

    /// The registers of the floating-point units, as XSAVE stores them, without header.
    ///
    /// @param unmasked whether exceptions may be unmasked
    public void extended(ByteBuffer area, boolean unmasked) {
        int control = ALL_MASKED & ~(unmasked ? random.nextInt(64) : 0);
        if (random.nextInt(3) == 0) {
            control = control & 0xFF | random.nextInt(4) << 10 | PRECISIONS[random.nextInt(3)] << 8 | 0x40;
        }
        area.putShort(0, (short) control);
        area.putShort(2, (short) (random.nextInt(8) << 11 | random.nextInt(8) << 8 | random.nextInt(2) << 14));
        int full = random.nextInt(4);
        area.put(4, (byte) (full == 0 ? random.nextInt(256) : full == 1 ? 0 : 0xFF));
        area.put(5, (byte) 0);
        area.putShort(6, (short) 0).putLong(8, 0).putLong(16, 0);
        int mxcsr = MXCSR_RESET;
        if (random.nextInt(3) == 0) {
            mxcsr = mxcsr
                    | random.nextInt(4) << 13
                    | random.nextInt(2) << 15
                    | random.nextInt(2) << 6
                    | random.nextInt(64);
        }
        if (unmasked) {
            mxcsr &= ~(random.nextInt(64) << 7);
        }
        area.putInt(MXCSR, mxcsr);
        for (int i = 0; i < 8; i++) {
            x87(area, ST + 16 * i);
        }
        for (int i = 0; i < 16; i++) {
            vector(area, XMM + 16 * i);
            vector(area, YMM_HIGH + 16 * i);
        }
    }

    private void x87(ByteBuffer area, int at) {
        long significand = random.nextLong() | 1L << 63;
        int exponent = BIAS + random.nextInt(-70, 70) | random.nextInt(2) << 15;
        switch (random.nextInt(10)) {
            case 0 -> {
                significand = random.nextLong();
                exponent = random.nextInt(0x10000);
            }
            case 1 -> {
                significand = 0;
                exponent = random.nextInt(2) << 15;
            }
            case 2 -> {
                significand = 1L << 63 | (random.nextInt(3) == 0 ? random.nextLong() : 0);
                exponent = 0x7FFF | random.nextInt(2) << 15;
            }
            case 3 -> {
                significand = 1L << 63 | (long) random.nextInt(1 << 20) << 40;
                exponent = BIAS + random.nextInt(20) | random.nextInt(2) << 15;
            }
            default -> {
                // a usual number
            }
        }
        area.putLong(at, significand)
                .putShort(at + 8, (short) exponent)
                .putShort(at + 10, (short) 0)
                .putInt(at + 12, 0);
    }

    /// 16 bytes: integers, doubles or floats.
    private void vector(ByteBuffer area, int at) {
        switch (random.nextInt(4)) {
            case 0 -> area.putLong(at, random.nextLong()).putLong(at + 8, random.nextLong());
            case 1 -> area.putDouble(at, RandomNumbers.next(random)).putDouble(at + 8, RandomNumbers.next(random));
            case 2 -> {
                for (int i = 0; i < 4; i++) {
                    area.putFloat(at + 4 * i, (float) RandomNumbers.next(random));
                }
            }
            default -> area.putLong(at, value()).putLong(at + 8, value());
        }
    }
}

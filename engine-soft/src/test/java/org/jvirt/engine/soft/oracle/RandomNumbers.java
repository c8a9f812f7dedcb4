package org.jvirt.engine.soft.oracle;

import java.util.SplittableRandom;

/// Floating-point numbers as tests want them: usual ones, and often those at which arithmetic changes its ways.
public final class RandomNumbers {
    private RandomNumbers() {}

    public static double next(SplittableRandom random) {
        return switch (random.nextInt(12)) {
            case 0 -> 0.0;
            case 1 -> -0.0;
            case 2 -> Double.POSITIVE_INFINITY;
            case 3 -> Double.NaN;
            case 4 -> Double.MIN_VALUE * random.nextInt(1000);
            case 5 -> random.nextInt(-1000, 1000);
            case 6 -> Float.MIN_NORMAL * random.nextDouble();
            case 7 -> Integer.MAX_VALUE + random.nextInt(-2, 3) + 0.5;
            default -> (random.nextDouble() - 0.5) * Math.scalb(1.0, random.nextInt(-80, 80));
        };
    }
}

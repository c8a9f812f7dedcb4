package org.jvirt.engine.soft.fp;

/// What the SSE and AVX comparisons make of a relation: -1 less, 0 equal, 1 greater, 2 unordered.
final class FpCompare {
    private static final int LT = 1;
    private static final int EQ = 2;
    private static final int GT = 4;
    private static final int UN = 8;

    /// The relations for which predicates 0 to 15 hold; 16 to 31 repeat them.
    private static final int[] HOLDS = {
        EQ,
        LT,
        LT | EQ,
        UN,
        LT | GT | UN,
        EQ | GT | UN,
        GT | UN,
        LT | EQ | GT,
        EQ | UN,
        LT | UN,
        LT | EQ | UN,
        0,
        LT | GT,
        EQ | GT,
        GT,
        LT | EQ | GT | UN
    };

    /// Which of predicates 0 to 15 raise IE for quiet NaNs, a bit each; for 16 to 31 it is the others.
    private static final int SIGNALING = 0b0110_0110_0110_0110;

    private FpCompare() {}

    static boolean isQuiet(int predicate) {
        return (SIGNALING >>> (predicate & 15) & 1) == (predicate >>> 4 & 1);
    }

    static boolean holds(int predicate, int relation) {
        return (HOLDS[predicate & 15] >>> relation + 1 & 1) != 0;
    }

    static int flags(int relation) {
        return switch (relation) {
            case -1 -> 0x01;
            case 0 -> 0x40;
            case 1 -> 0;
            default -> 0x45;
        };
    }
}

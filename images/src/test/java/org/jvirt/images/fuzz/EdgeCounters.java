package org.jvirt.images.fuzz;

import java.util.Arrays;

/// How often each step from one block of code to another was taken. Threads may lose counts to each other, which
/// does no harm.
public final class EdgeCounters {
    static final int SIZE = 1 << 16;
    private static final byte[] COUNTS = new byte[SIZE];
    private static int previous;

    private EdgeCounters() {}

    /// Called by instrumented code at the start of a block.
    public static void hit(int block) {
        COUNTS[(previous ^ block) & (SIZE - 1)]++;
        previous = block >> 1;
    }

    static void reset() {
        Arrays.fill(COUNTS, (byte) 0);
        previous = 0;
    }

    /// Marks what was counted in `seen`.
    ///
    /// @return whether anything was new: a step, or how often it was taken (1, 2, 3, 4, 8, 16, 32, 128 times)
    static boolean merge(byte[] seen) {
        boolean fresh = false;
        for (int i = 0; i < SIZE; i++) {
            if (COUNTS[i] != 0) {
                int often = Byte.toUnsignedInt(COUNTS[i]);
                int bucket =
                        often < 4 ? often - 1 : often < 8 ? 3 : often < 16 ? 4 : often < 32 ? 5 : often < 128 ? 6 : 7;
                byte bit = (byte) (1 << bucket);
                if ((seen[i] & bit) == 0) {
                    seen[i] |= bit;
                    fresh = true;
                }
            }
        }
        return fresh;
    }
}

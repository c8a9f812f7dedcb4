package org.jvirt.engine.soft.system;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.security.SecureRandom;
import java.util.Arrays;

/// Cryptographically strong numbers for RDRAND and RDSEED, fetched from the host in batches. Thread-safe.
final class RandomNumbers {
    private static final VarHandle LONG = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.nativeOrder());
    private static final int BATCH = 1024;
    private static final SecureRandom SOURCE = new SecureRandom();
    private static final byte[] BUFFER = new byte[BATCH];
    private static int used = BATCH;

    private RandomNumbers() {}

    static synchronized long next() {
        if (used == BATCH) {
            SOURCE.nextBytes(BUFFER);
            used = 0;
        }
        long value = (long) LONG.get(BUFFER, used);
        // nobody shall find it in memory later
        Arrays.fill(BUFFER, used, used + Long.BYTES, (byte) 0);
        used += Long.BYTES;
        return value;
    }
}

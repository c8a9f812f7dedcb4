package org.jvirt.x86;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.lang.management.ManagementFactory;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/// Decoding and encoding allocate nothing.
class DecoderAllocationTest {
    private static final int CALLS = 200_000;

    private final byte[] bytes = new byte[4096];
    private final byte[] out = new byte[32];
    private final Decoder decoder = new Decoder();
    private final Encoder encoder = new Encoder();
    private final Instruction instruction = new Instruction();
    private int decoded;

    private void run() {
        for (int i = 0; i < CALLS; i++) {
            CodeSize mode = i % 3 == 0 ? CodeSize.CODE32 : CodeSize.CODE64;
            if (decoder.decode(bytes, i & 2047, bytes.length, mode, instruction) == DecodeResult.OK) {
                decoded += encoder.encode(instruction, out, 0);
            }
        }
    }

    @Test
    void aCallAllocatesNothing() {
        assumeTrue(
                ManagementFactory.getThreadMXBean() instanceof com.sun.management.ThreadMXBean bean
                        && bean.isThreadAllocatedMemorySupported(),
                "this JVM does not count allocated bytes per thread");
        com.sun.management.ThreadMXBean threads = (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
        new SplittableRandom(8).nextBytes(bytes);
        run();
        long before = threads.getCurrentThreadAllocatedBytes();
        run();
        long allocated = threads.getCurrentThreadAllocatedBytes() - before;
        assertThat(decoded).isPositive();
        // the counter itself, not the 400,000 calls
        assertThat(allocated).isLessThan(10_000);
    }
}

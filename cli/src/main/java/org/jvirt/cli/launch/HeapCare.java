package org.jvirt.cli.launch;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/// Keeps the heap of a program that is one virtual machine near what is in use.
///
/// The collector takes memory from the host as long as there is any, before it looks for what is of no use in the
/// part of the heap where translations are: these come and go by the hundred thousand while a guest starts its
/// programs. So whenever the heap has grown by half since the last time, it is collected as a whole, which also
/// gives back what is free. A heap that does not grow is left alone.
final class HeapCare implements Runnable, AutoCloseable {
    /// Not during a short guest's life, nor often.
    private static final long PERIOD_SECONDS = 5;

    private static final long LEAST_GROWTH_BYTES = 16L << 20;

    private final Runtime runtime = Runtime.getRuntime();
    private final CountDownLatch over = new CountDownLatch(1);

    private HeapCare() {}

    static HeapCare start() {
        var care = new HeapCare();
        Thread.ofPlatform().daemon().name("jvirt-heap").start(care);
        return care;
    }

    @Override
    public void run() {
        long limit = runtime.totalMemory() + LEAST_GROWTH_BYTES;
        try {
            while (!over.await(PERIOD_SECONDS, TimeUnit.SECONDS)) {
                if (runtime.totalMemory() > limit) {
                    System.gc();
                    long used = runtime.totalMemory() - runtime.freeMemory();
                    limit = runtime.totalMemory() + Math.max(LEAST_GROWTH_BYTES, used / 2);
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void close() {
        over.countDown();
    }
}

package org.jvirt.images.tool;

import java.io.IOException;
import java.util.ArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.jvirt.core.HostFailureException;

/// Threads that do the same work until there is none.
final class Workers {
    private Workers() {}

    /// What each of them does; the work itself knows what is left.
    @FunctionalInterface
    interface Work {
        void run() throws IOException;
    }

    /// Returns when all have ended.
    ///
    /// @throws IOException what one of them has thrown; the work sees to it that the others end then
    static void run(String name, int threads, Work work) throws IOException {
        try (ExecutorService pool = Executors.newFixedThreadPool(
                threads, Thread.ofPlatform().name(name + "-", 0).daemon().factory())) {
            var running = new ArrayList<Future<?>>();
            for (int i = 0; i < threads; i++) {
                running.add(pool.submit(() -> {
                    work.run();
                    return null;
                }));
            }
            for (Future<?> each : running) {
                await(each);
            }
        }
    }

    private static void await(Future<?> running) throws IOException {
        try {
            running.get();
        } catch (ExecutionException e) {
            switch (e.getCause()) {
                case IOException failure -> throw failure;
                case RuntimeException failure -> throw failure;
                case Error failure -> throw failure;
                case null, default -> throw new IllegalStateException("A working thread failed", e);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new HostFailureException("The work on the images was interrupted", e);
        }
    }
}

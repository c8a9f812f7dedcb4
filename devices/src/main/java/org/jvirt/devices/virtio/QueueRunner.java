package org.jvirt.devices.virtio;

import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/// Runs the work of one queue thread.
public interface QueueRunner extends AutoCloseable {
    /// Runs it soon; tasks run one after another. Any thread.
    void execute(Runnable task);

    /// No more tasks will come. Running ones are let finish, not interrupted: an interrupt would close the image
    /// files they work on.
    @Override
    void close();

    /// Makes runners.
    @FunctionalInterface
    interface Factory {
        /// @param name of the queue, such as `blk0-q0`
        QueueRunner runner(String name);
    }

    /// A platform thread for each, named for the machine and the queue: `vm7-blk0-q0`. Threads start at the first
    /// task.
    static Factory threads(String machineName) {
        return name -> {
            ExecutorService executor = Executors.newSingleThreadExecutor(
                    Thread.ofPlatform().name(machineName + "-" + name).daemon().factory());
            return new QueueRunner() {
                @Override
                public void execute(Runnable task) {
                    executor.execute(task);
                }

                @Override
                public void close() {
                    executor.shutdown();
                }
            };
        };
    }

    /// The caller's own thread does the work: for tests.
    static Factory inline() {
        return _ -> new QueueRunner() {
            @Override
            public void execute(Runnable task) {
                task.run();
            }

            @Override
            public void close() {}
        };
    }
}

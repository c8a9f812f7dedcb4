package org.jvirt.devices.work;

import java.util.function.Function;
import org.jvirt.core.Doorbell;

/// Does the work of some queues whenever woken: a thread that sleeps at a [Doorbell], or the caller's own.
/// Thread-safe.
public interface QueueRunner extends AutoCloseable {
    /// Has the work done once more, from its beginning, soon. Never lost; several may become one. Does not block.
    void wake();

    /// Asks the engine to do that at every store to `gpa`, in place of the address given before. Where the engine
    /// cannot, stores arrive as ever and the device calls [#wake].
    void listen(long gpa);

    /// Ends what [#listen] began; nothing if it did not.
    void deafen();

    /// Ends. Work under way is let finish, not interrupted: an interrupt would close the image files it is on.
    @Override
    void close();

    /// Makes runners.
    @FunctionalInterface
    interface Factory {
        /// @param name of the worker, such as `blk0-q0`
        /// @param work never called twice at once, if the runner is a thread
        QueueRunner runner(String name, Runnable work);
    }

    /// A platform thread for each, named for the machine and the worker: `vm7-blk0-q0`. Threads start when first
    /// needed.
    ///
    /// @param doorbells makes what a thread sleeps on, by the worker's name
    /// @param onStart   what each thread does first
    static Factory threads(String machineName, Function<String, Doorbell> doorbells, Runnable onStart) {
        return (name, work) -> new QueueThread(machineName + "-" + name, doorbells.apply(name), onStart, work);
    }

    /// Threads that no engine wakes.
    static Factory threads(String machineName) {
        return threads(machineName, _ -> Doorbell.parking(), () -> {});
    }

    /// The caller's own thread does the work: for tests.
    static Factory inline() {
        return (_, work) -> new QueueRunner() {
            @Override
            public void wake() {
                work.run();
            }

            @Override
            public void listen(long gpa) {}

            @Override
            public void deafen() {}

            @Override
            public void close() {}
        };
    }
}

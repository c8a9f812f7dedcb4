package org.jvirt.machine;

import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.function.Consumer;
import java.util.function.Supplier;

/// The one thread that changes a machine's state, `NAME-control`: requests from users and devices come one after
/// the other. Thread-safe.
final class ControlThread {
    private final BlockingQueue<Runnable> requests = new LinkedBlockingQueue<>();
    private final Thread thread;
    private final Consumer<Throwable> onFailure;
    /// Guarded by [#requests]: nothing is added after the last request.
    private boolean closed;

    /// Of the thread itself, set by the last request.
    private boolean ended;

    /// @param onFailure told when a request that nobody waits for fails; runs on this thread
    ControlThread(String name, Consumer<Throwable> onFailure) {
        this.onFailure = onFailure;
        thread = Thread.ofPlatform().name(name + "-control").daemon(true).start(this::serve);
    }

    /// Asks for something and returns at once; after the end nothing happens.
    void post(Runnable request) {
        add(() -> {
            try {
                request.run();
            } catch (RuntimeException | Error e) {
                onFailure.accept(e);
            }
        });
    }

    /// Asks for something and waits for it; its exceptions come out here. On the control thread itself it runs at
    /// once.
    <T> T call(Supplier<T> request) {
        if (Thread.currentThread().equals(thread)) {
            return request.get();
        }
        var result = new CompletableFuture<T>();
        boolean added = add(() -> {
            try {
                result.complete(request.get());
            } catch (RuntimeException | Error e) {
                result.completeExceptionally(e);
            }
        });
        if (!added) {
            throw new IllegalStateException("The machine is closed");
        }
        try {
            return result.join();
        } catch (CompletionException e) {
            throw unwrapped(e);
        }
    }

    private static RuntimeException unwrapped(CompletionException e) {
        if (e.getCause() instanceof RuntimeException cause) {
            return cause;
        }
        if (e.getCause() instanceof Error cause) {
            throw cause;
        }
        return e;
    }

    /// Ends the thread after the requests made so far.
    void close() {
        synchronized (requests) {
            if (!closed) {
                closed = true;
                requests.add(() -> ended = true);
            }
        }
    }

    private boolean add(Runnable request) {
        synchronized (requests) {
            return !closed && requests.add(request);
        }
    }

    private void serve() {
        try {
            while (!ended) {
                requests.take().run();
            }
        } catch (InterruptedException e) {
            onFailure.accept(e);
        }
    }
}

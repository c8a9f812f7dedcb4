package org.jvirt.devices.work;

import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;

/// All the workers of one device. Thread-safe.
public final class WorkerGroup {
    private final List<QueueWorker> workers;

    public WorkerGroup(List<QueueWorker> workers) {
        this.workers = List.copyOf(workers);
    }

    public int size() {
        return workers.size();
    }

    public QueueWorker worker(int index) {
        return workers.get(index);
    }

    /// Runs `action` once every worker has been seen idle, on the thread that saw the last; whoever has told the
    /// work to find nothing to do may then rely on it.
    public void whenIdle(Runnable action) {
        var busy = new AtomicInteger(workers.size());
        for (QueueWorker worker : workers) {
            worker.whenIdle(() -> {
                if (busy.decrementAndGet() == 0) {
                    action.run();
                }
            });
        }
    }

    /// As [#whenIdle], and waits for it. Not for vCPU or queue threads.
    public void awaitIdle(Runnable action) {
        var done = new CountDownLatch(1);
        whenIdle(() -> {
            action.run();
            done.countDown();
        });
        boolean interrupted = false;
        while (true) {
            try {
                done.await();
                break;
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    public void wakeAll() {
        workers.forEach(QueueWorker::wake);
    }

    /// Ends the threads, after the work under way.
    public void close() {
        workers.forEach(QueueWorker::close);
    }
}

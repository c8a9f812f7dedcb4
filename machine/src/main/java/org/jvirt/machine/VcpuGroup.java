package org.jvirt.machine;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.IntConsumer;
import java.util.function.Predicate;
import org.jvirt.core.RunResult;
import org.jvirt.core.Vcpu;

/// The threads that run a machine's vCPUs, one each, called `NAME-vcpuI`; they start parked.
///
/// [#pause], [#resume] and [#stop] belong to one thread, the machine's control thread. A vCPU that triple-faults,
/// gets stuck or whose thread fails stays parked until [#release]; the listener is told once, on that vCPU's
/// thread.
final class VcpuGroup {
    private static final long KICK_AGAIN_MILLIS = 20;

    /// Told what only the machine can decide. Called without locks; returns at once.
    interface Listener {
        void stopped(int index, RunResult result);

        void failed(int index, Throwable failure);
    }

    private final IntConsumer onStart;
    private final Listener listener;
    private final List<Runner> runners = new ArrayList<>();
    /// Guards everything below and the runners' flags.
    private final Object lock = new Object();

    private boolean paused = true;
    private boolean ending;

    /// @param onStart what each thread does first, with the vCPU's index
    VcpuGroup(String name, List<? extends Vcpu> vcpus, IntConsumer onStart, Listener listener) {
        this.onStart = onStart;
        this.listener = listener;
        for (Vcpu vcpu : vcpus) {
            runners.add(new Runner(name + "-vcpu" + vcpu.index(), vcpu));
        }
    }

    /// Starts all threads.
    ///
    /// @throws RuntimeException that one of them got when it started; [#stop] then ends the others
    void start() {
        runners.forEach(runner -> runner.thread.start());
        for (Runner runner : runners) {
            try {
                runner.started.join();
            } catch (CompletionException e) {
                throw e.getCause() instanceof RuntimeException cause ? cause : e;
            }
        }
    }

    /// Stops all vCPUs between two instructions.
    ///
    /// @return whether all stand; a vCPU that does not within the time is the engine's fault
    boolean pause(Duration patience) {
        long deadline = System.nanoTime() + patience.toNanos();
        synchronized (lock) {
            paused = true;
        }
        return awaitAll(deadline, runner -> runner.parked || runner.dead);
    }

    void resume() {
        synchronized (lock) {
            paused = false;
            lock.notifyAll();
        }
    }

    /// Lets held vCPUs run again, after their state was replaced.
    void release() {
        synchronized (lock) {
            runners.forEach(runner -> runner.held = false);
            lock.notifyAll();
        }
    }

    /// Ends all threads.
    ///
    /// @return whether they have ended
    boolean stop(Duration patience) {
        long deadline = System.nanoTime() + patience.toNanos();
        synchronized (lock) {
            ending = true;
            lock.notifyAll();
        }
        return awaitAll(deadline, runner -> runner.dead || runner.thread.getState() == Thread.State.NEW);
    }

    private boolean awaitAll(long deadline, Predicate<Runner> done) {
        boolean interrupted = false;
        try {
            while (true) {
                List<Runner> waiting;
                synchronized (lock) {
                    waiting = runners.stream()
                            .filter(runner -> !done.test(runner))
                            .toList();
                    if (waiting.isEmpty()) {
                        return true;
                    }
                }
                if (System.nanoTime() > deadline) {
                    return false;
                }
                waiting.forEach(runner -> runner.vcpu.kick());
                try {
                    synchronized (lock) {
                        if (runners.stream().anyMatch(runner -> !done.test(runner))) {
                            lock.wait(KICK_AGAIN_MILLIS);
                        }
                    }
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private final class Runner implements Runnable {
        private final Vcpu vcpu;
        private final Thread thread;
        private final CompletableFuture<Void> started = new CompletableFuture<>();
        private boolean parked;
        private boolean held;
        private boolean dead;

        Runner(String name, Vcpu vcpu) {
            this.vcpu = vcpu;
            thread = Thread.ofPlatform().name(name).daemon(true).unstarted(this);
        }

        @Override
        public void run() {
            try {
                onStart.accept(vcpu.index());
                started.complete(null);
            } catch (Throwable failure) {
                markDead();
                started.completeExceptionally(failure);
                return;
            }
            try {
                while (mayRun()) {
                    RunResult result = vcpu.run();
                    switch (result) {
                        case RunResult.Kicked _ -> {}
                        case RunResult.TripleFault _, RunResult.Stuck _, RunResult.Debug _ -> {
                            synchronized (lock) {
                                held = true;
                            }
                            listener.stopped(vcpu.index(), result);
                        }
                    }
                }
            } catch (Throwable failure) {
                listener.failed(vcpu.index(), failure);
            } finally {
                markDead();
            }
        }

        private void markDead() {
            synchronized (lock) {
                dead = true;
                lock.notifyAll();
            }
        }

        private boolean mayRun() throws InterruptedException {
            synchronized (lock) {
                while ((paused || held) && !ending) {
                    if (!parked) {
                        parked = true;
                        lock.notifyAll();
                    }
                    lock.wait();
                }
                parked = false;
                return !ending;
            }
        }
    }
}

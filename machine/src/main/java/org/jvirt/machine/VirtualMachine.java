package org.jvirt.machine;

import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jvirt.core.Hypervisor;
import org.jvirt.core.PowerControl;
import org.jvirt.core.RunResult;
import org.jvirt.core.UserErrorException;
import org.jvirt.core.Vcpu;
import org.jvirt.core.cpu.CpuState;
import org.jvirt.devices.storage.Tray;
import org.jvirt.images.job.BlockJobs;
import org.jvirt.images.live.LiveDisk;

/// A virtual PC.
///
/// ```java
/// try (var vm = VirtualMachine.builder()
///         .kernel(Path.of("vmlinuz"))
///         .initrd(Path.of("initrd.img"))
///         .append("console=ttyS0")
///         .memory(512)
///         .cpus(2)
///         .serial(console)
///         .build()) {
///     vm.start();
///     ExitReason reason = vm.await();
/// }
/// ```
///
/// Thread-safe. What changes the state runs on the machine's control thread, one request after the other; the
/// methods here wait for it. Guest code runs on one platform thread per processor. [#close] frees everything, the
/// backends included.
public final class VirtualMachine implements AutoCloseable {
    private static final Logger LOG = System.getLogger(VirtualMachine.class.getName());
    private static final Duration PATIENCE = Duration.ofSeconds(10);

    private final VmConfig config;
    private final Hypervisor hypervisor;
    private final ControlThread control;
    private final PcMachine pc;
    private final BlockJobs blockJobs = new BlockJobs();
    private final VcpuGroup group;
    private final CompletableFuture<ExitReason> exit = new CompletableFuture<>();
    private volatile VmState state = VmState.CREATED;
    private volatile PauseReason pauseReason = PauseReason.USER;
    private volatile boolean wedged;
    private boolean closed;

    VirtualMachine(VmConfig config, Hypervisor hypervisor) {
        this.config = config;
        this.hypervisor = hypervisor;
        control = new ControlThread(config.name(), failure -> end(failed("The control thread failed", failure)));
        PcMachine built = null;
        try {
            built = new PcMachine(config, hypervisor, new Power(), this::diskFailed);
        } finally {
            if (built == null) {
                control.close();
            }
        }
        pc = built;
        group = new VcpuGroup(config.name(), pc.vcpus(), pc.placement()::enterVcpu, new Listener());
    }

    public static VirtualMachineBuilder builder() {
        return new VirtualMachineBuilder();
    }

    public VmConfig config() {
        return config;
    }

    /// The name of the engine that runs it.
    public String engine() {
        return hypervisor.name();
    }

    /// For a person: what the engine does itself in this machine, which otherwise the machine would.
    public List<String> engineTasks() {
        return EngineTasks.of(config, hypervisor);
    }

    public VmState state() {
        return state;
    }

    /// Why it is paused, or was last.
    public PauseReason pauseReason() {
        return pauseReason;
    }

    /// The machine's disks, in the order in which they were given.
    public List<LiveDisk> disks() {
        return pc.disks().all();
    }

    /// @throws UserErrorException if no disk is called so
    public LiveDisk disk(String id) {
        return pc.disks()
                .find(id)
                .orElseThrow(() -> new UserErrorException("There is no disk '%s'; these are: %s"
                        .formatted(id, disks().stream().map(LiveDisk::id).collect(Collectors.joining(", ")))));
    }

    /// Copies of its disks that are made while it runs.
    public BlockJobs blockJobs() {
        return blockJobs;
    }

    /// For a person: what is booted.
    public String bootDescription() {
        return pc.bootDescription();
    }

    /// Switches the power on.
    public void start() {
        control.call(() -> {
            require(VmState.CREATED, "start");
            pc.boot();
            try {
                group.start();
            } catch (RuntimeException e) {
                end(new ExitReason.EngineFailed("A processor's thread could not be set up: " + e.getMessage()));
                throw e;
            }
            if (config.startPaused()) {
                paused(PauseReason.USER);
            } else {
                go();
            }
            return state;
        });
    }

    /// Stops time, all processors between two instructions, and the devices after the requests under way: the
    /// guest's memory stays as it is until [#resume]. Nothing happens if they stand already.
    public void pause() {
        control.call(() -> {
            if (state == VmState.RUNNING && stand()) {
                pc.stand();
                paused(PauseReason.USER);
            }
            return state;
        });
    }

    /// Lets a paused machine go on.
    public void resume() {
        control.call(() -> {
            if (state == VmState.PAUSED) {
                go();
            }
            return state;
        });
    }

    /// Presses the reset button: restarts the machine even where the guest itself may not reboot.
    public void reset() {
        control.call(() -> {
            if (state == VmState.RUNNING || state == VmState.PAUSED) {
                restart();
            }
            return state;
        });
    }

    /// Presses the power button, which asks the guest to shut down.
    ///
    /// @return whether the guest listens for it
    public boolean powerButton() {
        return pc.pressPowerButton();
    }

    /// Raises a non-maskable interrupt on all processors.
    public void nmi() {
        control.call(() -> {
            if (state == VmState.RUNNING || state == VmState.PAUSED) {
                pc.nmi();
            }
            return state;
        });
    }

    /// Ends the machine at once, as pulling the plug does.
    public void kill() {
        control.call(() -> {
            end(new ExitReason.Killed());
            return state;
        });
    }

    /// Waits for the machine's end.
    public ExitReason await() throws InterruptedException {
        try {
            return exit.get();
        } catch (ExecutionException e) {
            throw new IllegalStateException("An end is a value, never a failure", e);
        }
    }

    /// Waits for the machine's end, at most so long.
    ///
    /// @throws TimeoutException if the machine is still there
    public ExitReason await(Duration timeout) throws InterruptedException, TimeoutException {
        try {
            return exit.get(timeout.toNanos(), TimeUnit.NANOSECONDS);
        } catch (ExecutionException e) {
            throw new IllegalStateException("An end is a value, never a failure", e);
        }
    }

    /// What can be seen of the machine from outside, while all its processors stand; they go on afterwards.
    public <T> T inspect(Function<Inspection, T> question) {
        return control.call(() -> {
            boolean running = state == VmState.RUNNING;
            if (running && !stand()) {
                throw new IllegalStateException("The machine has ended");
            }
            try {
                return question.apply(new Inspection(pc));
            } finally {
                if (running) {
                    group.resume();
                }
            }
        });
    }

    /// The CD-ROM drives by name, in order, with what can be put in and taken out.
    public Map<String, Tray> cdroms() {
        return pc.devices().trays();
    }

    /// The CD-ROM drives, in order, with the limits and the error policy of the discs in them.
    public List<DiscDrive> discDrives() {
        return pc.disks().drives();
    }

    /// Guest instructions executed so far by each processor, or -1 where the engine cannot tell.
    public List<Long> instructions() {
        return pc.vcpus().stream().map(Vcpu::instructions).toList();
    }

    /// What the engine has counted about its own work, a line for each processor; empty where it counts nothing.
    public List<String> statistics() {
        return pc.vcpus().stream().map(Vcpu::statistics).toList();
    }

    /// Ends the machine if it runs and frees all it holds.
    @Override
    public void close() {
        synchronized (this) {
            if (closed) {
                return;
            }
            closed = true;
        }
        control.call(() -> {
            end(new ExitReason.Killed());
            return state;
        });
        control.close();
        blockJobs.close();
        if (wedged) {
            LOG.log(Level.WARNING, "{0}: a processor does not stop; its memory stays allocated", config.name());
        } else {
            pc.close();
        }
    }

    // ---- on the control thread

    private void require(VmState wanted, String verb) {
        if (state != wanted) {
            throw new IllegalStateException("Cannot %s the machine: it is %s".formatted(verb, state));
        }
    }

    private void go() {
        pc.go();
        group.resume();
        state = VmState.RUNNING;
    }

    private void paused(PauseReason reason) {
        pauseReason = reason;
        state = VmState.PAUSED;
    }

    /// Halts all processors; where one does not stop, the machine ends.
    private boolean stand() {
        if (group.pause(PATIENCE)) {
            return true;
        }
        end(new ExitReason.EngineFailed(
                "A processor did not stop within %d s of being asked to".formatted(PATIENCE.toSeconds())));
        return false;
    }

    private void restart() {
        if (!stand()) {
            return;
        }
        pc.reset();
        pc.boot();
        group.release();
        if (state == VmState.RUNNING) {
            group.resume();
        }
    }

    private void end(ExitReason reason) {
        if (state == VmState.ENDED) {
            return;
        }
        state = VmState.ENDED;
        wedged = !group.stop(PATIENCE);
        pc.clock().stop();
        pc.quiesce();
        exit.complete(reason);
    }

    /// A disk holds a request until the machine goes on. Queue threads.
    private void diskFailed(LiveDisk disk, IOException failure) {
        control.post(() -> {
            boolean alive = state == VmState.RUNNING || state == VmState.PAUSED;
            if (!alive || disk.failure().isEmpty()) {
                return;
            }
            LOG.log(
                    Level.WARNING,
                    "{0}: paused, as disk {1} failed: {2}; mend the cause, then let the machine go on (cont)",
                    config.name(),
                    disk.id(),
                    failure.getMessage());
            if (state == VmState.PAUSED) {
                pauseReason = PauseReason.IO_ERROR;
            } else if (stand()) {
                pc.stand();
                paused(PauseReason.IO_ERROR);
            }
        });
    }

    private ExitReason failed(String what, Throwable failure) {
        LOG.log(Level.ERROR, config.name() + ": " + what, failure);
        return new ExitReason.EngineFailed("%s: %s".formatted(what, failure));
    }

    private String registers(int index) {
        try {
            CpuState cpu = pc.vcpus().get(index).state();
            return RegisterText.of(index, cpu);
        } catch (RuntimeException e) {
            return "CPU#%d: its registers cannot be read: %s%n".formatted(index, e.getMessage());
        }
    }

    /// What devices ask for: done soon, by the control thread.
    private final class Power implements PowerControl {
        @Override
        public void powerOff() {
            control.post(() -> end(new ExitReason.PoweredOff()));
        }

        @Override
        public void reset() {
            control.post(() -> {
                if (state == VmState.ENDED) {
                    return;
                }
                if (config.reboot()) {
                    restart();
                } else {
                    end(new ExitReason.ResetRequested());
                }
            });
        }

        @Override
        public void exit(int exitCode) {
            control.post(() -> end(new ExitReason.DebugExit(exitCode)));
        }
    }

    private final class Listener implements VcpuGroup.Listener {
        @Override
        public void stopped(int index, RunResult result) {
            control.post(() -> {
                if (state == VmState.ENDED) {
                    return;
                }
                stand();
                switch (result) {
                    case RunResult.TripleFault fault ->
                        end(new ExitReason.TripleFault("CPU %d shut down (triple fault) at 0x%x%n%s"
                                .formatted(index, fault.gva(), registers(index))));
                    case RunResult.Stuck stuck ->
                        end(new ExitReason.EngineFailed(
                                "CPU %d cannot go on: %s%n%s".formatted(index, stuck.report(), registers(index))));
                    case RunResult.Debug debug -> {
                        LOG.log(
                                Level.INFO,
                                "{0}: CPU {1} stopped for the debugger at {2}",
                                config.name(),
                                index,
                                Long.toHexString(debug.gva()));
                        group.release();
                        pc.stand();
                        paused(PauseReason.DEBUGGER);
                    }
                    case RunResult.Kicked _ -> group.resume();
                }
            });
        }

        @Override
        public void failed(int index, Throwable failure) {
            control.post(
                    () -> end(VirtualMachine.this.failed("The thread of CPU %d failed".formatted(index), failure)));
        }
    }
}

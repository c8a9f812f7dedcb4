package org.jvirt.cli.launch;

import java.io.PrintWriter;
import java.time.Instant;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.jvirt.cli.console.TerminalConsole;
import org.jvirt.core.BlockBackend;
import org.jvirt.core.CharBackend;
import org.jvirt.core.HostFailureException;
import org.jvirt.core.Hypervisor;
import org.jvirt.core.UserErrorException;
import org.jvirt.images.DiskImages;
import org.jvirt.images.format.DiskImage;
import org.jvirt.images.live.LiveSettings;
import org.jvirt.images.overlay.SnapshotOverlay;
import org.jvirt.machine.Engines;
import org.jvirt.machine.ExitReason;
import org.jvirt.machine.VirtualMachine;
import org.jvirt.machine.VirtualMachineBuilder;
import org.jvirt.machine.chardev.FileBackend;
import org.jvirt.machine.chardev.NullBackend;
import org.jvirt.machine.chardev.PtyBackend;
import org.jvirt.machine.chardev.UnixSocketBackend;
import org.jvirt.machine.cpu.CpuChoice;
import org.jvirt.machine.monitor.Monitor;

/// Makes a virtual machine from what the user asked for, runs it to its end, and says how it ended.
///
/// What it opens on the host it closes again, whatever fails. Not thread-safe.
public final class Launcher {
    private final LaunchOptions options;
    private final PrintWriter out;
    private final List<AutoCloseable> opened = new ArrayList<>();
    private final AtomicReference<@Nullable VirtualMachine> machine = new AtomicReference<>();
    private final CountDownLatch quitRequested = new CountDownLatch(1);
    private boolean stdioTaken;
    private @Nullable Monitor monitor;

    private Launcher(LaunchOptions options, PrintWriter out) {
        this.options = options;
        this.out = out;
    }

    /// Runs a machine.
    ///
    /// @return the exit code, see [org.jvirt.machine.ExitCodes]
    public static int run(LaunchOptions options, PrintWriter out) {
        var launcher = new Launcher(options, out);
        ExitReason reason;
        try {
            reason = launcher.runToEnd();
        } finally {
            launcher.closeAll();
        }
        String report = report(reason);
        if (!report.isEmpty()) {
            System.err.println("jvirt: " + report);
        }
        return reason.exitCode();
    }

    private ExitReason runToEnd() {
        options.log().ifPresent(LogFile::open);
        try (var _ = HeapCare.start();
                VirtualMachine vm = builder().build()) {
            machine.set(vm);
            vm.start();
            ExitReason reason = vm.await();
            if (reason instanceof ExitReason.PoweredOff && !options.endOnPowerOff()) {
                out.println("jvirt: the guest powered off; Ctrl-A x or the monitor's quit ends the program");
                out.flush();
                quitRequested.await();
            }
            return reason;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return new ExitReason.Killed();
        }
    }

    private VirtualMachineBuilder builder() {
        VirtualMachineBuilder builder = VirtualMachine.builder()
                .name(options.name())
                .engine(engine())
                .cpu(CpuChoice.parse(options.cpu()))
                .cpus(options.cpus())
                .memoryBytes(options.memoryBytes())
                .append(options.append())
                .reboot(options.reboot())
                .host(options.host())
                .interrupts(options.interrupts())
                .rtcOffsetNanos(rtcOffsetNanos());
        if (options.startPaused()) {
            builder.startPaused();
        }
        options.kernel().ifPresent(builder::kernel);
        options.initrd().ifPresent(builder::initrd);
        options.bios().ifPresent(builder::firmware);
        if (options.monitorOnStdio()) {
            // A console without a device behind it: every key is the monitor's.
            terminal(false, true);
        }
        options.serials().forEach(target -> builder.serial(open(target)));
        options.virtioConsoles().forEach(target -> builder.console(open(target)));
        options.drives().forEach(drive -> plug(builder, drive));
        if (options.rngs() > 0) {
            builder.rng();
        }
        options.testDevices().forEach(builder::testDevice);
        return builder;
    }

    private void plug(VirtualMachineBuilder builder, DriveOption drive) {
        if (drive.cdrom()) {
            LiveSettings live = drive.medium().map(DiskOption::live).orElse(LiveSettings.DEFAULT);
            builder.cdrom(
                    drive.id(),
                    drive.medium().map(this::openDisc),
                    live.withAccess(options.objects().access()),
                    drive.shape());
        } else {
            DiskOption disk = drive.medium().orElseThrow();
            builder.disk(
                    open(disk),
                    disk.serial().orElse(""),
                    disk.live().withAccess(options.objects().access().withCache(disk.cache())),
                    drive.shape());
        }
    }

    /// A medium that is only read. The machine closes it when it is taken out.
    private BlockBackend openDisc(DiskOption disc) {
        return DiskImages.openDisk(
                options.objects().access().withCache(disc.cache()), disc.image(), disc.format(), true);
    }

    private Hypervisor engine() {
        Engines.Choice choice = Engines.choose(options.engine(), options.translator());
        choice.warning().ifPresent(warning -> System.err.println("jvirt: " + warning));
        return choice.engine();
    }

    private CharBackend open(SerialTarget target) {
        return switch (target) {
            case SerialTarget.Stdio stdio -> terminal(stdio.escapes(), false);
            case SerialTarget.File file -> remember(FileBackend.open(file.path()));
            case SerialTarget.Unix unix -> remember(UnixSocketBackend.listen(unix.path()));
            case SerialTarget.Pty() -> {
                PtyBackend pty = remember(PtyBackend.open());
                out.println("jvirt: serial line on " + pty.device());
                out.flush();
                yield pty;
            }
            case SerialTarget.None() -> new NullBackend();
        };
    }

    private TerminalConsole terminal(boolean escapes, boolean onlyMonitor) {
        if (stdioTaken) {
            throw new UserErrorException("Standard input and output can serve one serial line or monitor only.");
        }
        stdioTaken = true;
        return remember(
                TerminalConsole.open(new TerminalConsole.Actions(this::quit, this::monitor), escapes, onlyMonitor));
    }

    private BlockBackend open(DiskOption disk) {
        boolean overlay = disk.snapshot() || options.snapshot();
        DiskImage image = DiskImages.openDisk(
                options.objects().access().withCache(disk.cache()),
                disk.image(),
                disk.format(),
                disk.readOnly() || overlay);
        return remember(overlay ? new SnapshotOverlay(image, overlayLimitBytes()) : image);
    }

    /// What a disk's unsaved changes may take: as much again as the guest's RAM, and at least 1 GiB.
    private long overlayLimitBytes() {
        return Math.max(options.memoryBytes(), 1L << 30);
    }

    private <T extends AutoCloseable> T remember(T resource) {
        opened.add(resource);
        return resource;
    }

    private void quit() {
        VirtualMachine vm = machine.get();
        quitRequested.countDown();
        if (vm != null) {
            vm.kill();
        }
    }

    private String monitor(String line) {
        VirtualMachine vm = machine.get();
        return vm == null ? "The machine is not ready yet.\n" : monitorOf(vm).execute(line);
    }

    /// One monitor for the machine's life: it remembers the chosen processor.
    private synchronized Monitor monitorOf(VirtualMachine vm) {
        if (monitor == null) {
            monitor = new Monitor(vm, "jvirt " + ProgramVersion.number());
        }
        return monitor;
    }

    /// How far the guest's clock is to be ahead of UTC.
    private long rtcOffsetNanos() {
        return switch (options.rtc()) {
            case UTC -> 0;
            case LOCALTIME ->
                TimeUnit.SECONDS.toNanos(ZoneId.systemDefault()
                        .getRules()
                        .getOffset(Instant.now())
                        .getTotalSeconds());
        };
    }

    private static String report(ExitReason reason) {
        return switch (reason) {
            case ExitReason.PoweredOff(), ExitReason.ResetRequested(), ExitReason.Killed() -> "";
            case ExitReason.DebugExit exit -> "";
            case ExitReason.TripleFault fault -> fault.report();
            case ExitReason.EngineFailed failure -> failure.report();
        };
    }

    private void closeAll() {
        for (AutoCloseable resource : opened.reversed()) {
            try {
                resource.close();
            } catch (Exception e) {
                throw new HostFailureException("Closing %s failed: %s".formatted(resource, e), e);
            }
        }
    }
}

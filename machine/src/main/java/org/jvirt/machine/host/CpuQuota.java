package org.jvirt.machine.host;

import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Pattern;
import org.jvirt.core.HostFailureException;
import org.jvirt.linux.HostThread;

/// A limit on the host CPU time of some threads: a control group of their own below that of the process.
///
/// It is a *threaded* group, because only the processors are limited and the rest of the process stays where it is.
/// For that the process must own its group, as systemd's `Delegate=yes` and rootless containers arrange it. Source:
/// Linux, `admin-guide/cgroup-v2.rst`, "Threads" and "CPU".
public final class CpuQuota implements AutoCloseable {
    private static final Logger LOG = System.getLogger(CpuQuota.class.getName());
    private static final long PATIENCE_NANOS = 1_000_000_000;
    private static final long RETRY_NANOS = 1_000_000;
    private static final long PERIOD_MICROS = 100_000;
    private static final Pattern UNSAFE = Pattern.compile("[^A-Za-z0-9._-]");

    private final Path group;

    private CpuQuota(Path group) {
        this.group = group;
    }

    /// Makes the group; nobody is in it yet.
    ///
    /// @param name    of the machine
    /// @param percent of one host CPU
    /// @throws HostFailureException if control groups are not the user's to make
    public static CpuQuota create(String name, int percent) {
        return create(ownGroup(), name, percent);
    }

    static CpuQuota create(Path parent, String name, int percent) {
        Path group = parent.resolve("jvirt-%s-%d"
                .formatted(
                        UNSAFE.matcher(name).replaceAll("_"),
                        ProcessHandle.current().pid()));
        try {
            Files.createDirectory(group);
        } catch (IOException e) {
            throw refused(parent, e);
        }
        var quota = new CpuQuota(group);
        try {
            write(group.resolve("cgroup.type"), "threaded");
            write(parent.resolve("cgroup.subtree_control"), "+cpu");
            write(group.resolve("cpu.max"), "%d %d".formatted(percent * PERIOD_MICROS / 100, PERIOD_MICROS));
        } catch (IOException e) {
            quota.close();
            throw refused(parent, e);
        }
        return quota;
    }

    private static void write(Path file, String text) throws IOException {
        // Control files take one write each, and cannot be created or cut.
        Files.writeString(file, text, StandardOpenOption.WRITE);
    }

    private static HostFailureException refused(Path parent, IOException e) {
        return new HostFailureException(
                ("Cannot limit CPU time with a control group below %s (%s: %s): start jvirt where that is delegated, such"
                                + " as systemd-run --user --scope -p Delegate=yes")
                        .formatted(parent, e.getClass().getSimpleName(), e.getMessage()),
                e);
    }

    private static Path ownGroup() {
        try {
            Path root = Files.readAllLines(Path.of("/proc/self/mounts")).stream()
                    .map(line -> line.split(" "))
                    .filter(fields -> fields.length > 2 && fields[2].equals("cgroup2"))
                    .map(fields -> Path.of(fields[1]))
                    .findFirst()
                    .orElseThrow(() -> new HostFailureException(
                            "Cannot limit CPU time: this host has no control groups of version 2 (cgroup2)"));
            String own = Files.readAllLines(Path.of("/proc/self/cgroup")).stream()
                    .filter(line -> line.startsWith("0::/"))
                    .map(line -> line.substring("0::/".length()))
                    .findFirst()
                    .orElse("");
            return root.resolve(own);
        } catch (IOException e) {
            throw new HostFailureException("Cannot limit CPU time: " + e.getMessage(), e);
        }
    }

    /// Puts the calling thread under the limit.
    ///
    /// @throws HostFailureException if the kernel refuses
    public void enter() {
        try {
            write(group.resolve("cgroup.threads"), Integer.toString(HostThread.id()));
        } catch (IOException e) {
            throw new HostFailureException("Cannot limit a thread's CPU time: %s".formatted(e.getMessage()), e);
        }
    }

    /// Where the group is.
    Path group() {
        return group;
    }

    /// Removes the group. Its threads have ended, for Java at least: the kernel may take a moment longer.
    @Override
    public void close() {
        long deadline = System.nanoTime() + PATIENCE_NANOS;
        while (true) {
            try {
                Files.deleteIfExists(group);
                return;
            } catch (IOException e) {
                if (System.nanoTime() - deadline > 0) {
                    LOG.log(Level.WARNING, "The control group {0} stays: {1}", group, e.getMessage());
                    return;
                }
                LockSupport.parkNanos(RETRY_NANOS);
            }
        }
    }
}

package org.jvirt.machine.host;

import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.jvirt.core.HostFailureException;
import org.jvirt.core.UserErrorException;
import org.jvirt.linux.HostThread;

/// Puts a machine's threads where [HostSettings] wants them; each thread asks for itself. Thread-safe.
public final class HostPlacement implements AutoCloseable {
    private static final Logger LOG = System.getLogger(HostPlacement.class.getName());

    private static final Path ONLINE = Path.of("/sys/devices/system/cpu/online");

    private final HostSettings settings;
    private final Optional<CpuQuota> quota;

    /// @param name of the machine
    /// @throws HostFailureException if CPU time is to be limited and the host does not let the user
    /// @throws UserErrorException if the host has not the processors that are named
    public HostPlacement(String name, HostSettings settings) {
        this.settings = settings;
        settings.vcpuAffinity().values().forEach(HostPlacement::requireOnline);
        settings.ioAffinity().ifPresent(HostPlacement::requireOnline);
        quota = settings.cpuQuotaPercent().isPresent()
                ? Optional.of(CpuQuota.create(name, settings.cpuQuotaPercent().getAsInt()))
                : Optional.empty();
    }

    private static void requireOnline(NumberSet cpus) {
        try {
            NumberSet online =
                    NumberSet.parse("online CPUs", Files.readString(ONLINE).strip());
            if (!online.numbers().containsAll(cpus.numbers())) {
                throw new UserErrorException("This host has no CPUs %s: it has %s".formatted(cpus, online));
            }
        } catch (IOException e) {
            LOG.log(Level.DEBUG, "The host does not say which CPUs it has", e);
        }
    }

    /// The calling thread is that of a processor.
    ///
    /// @throws HostFailureException if the host refuses
    public void enterVcpu(int index) {
        NumberSet cpus = settings.vcpuAffinity().get(index);
        if (cpus != null) {
            HostThread.pin(cpus.bits());
        }
        settings.vcpuPriority().ifPresent(Priority::apply);
        quota.ifPresent(CpuQuota::enter);
    }

    /// The calling thread is a device's. It works wherever it runs, so a refusal is only a warning.
    public void enterIo() {
        settings.ioAffinity().ifPresent(cpus -> {
            try {
                HostThread.pin(cpus.bits());
            } catch (HostFailureException e) {
                LOG.log(Level.WARNING, e.getMessage());
            }
        });
    }

    /// The processors' threads have ended.
    @Override
    public void close() {
        quota.ifPresent(CpuQuota::close);
    }
}

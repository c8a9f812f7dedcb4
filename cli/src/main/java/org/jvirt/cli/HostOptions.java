package org.jvirt.cli;

import java.nio.file.Path;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import org.jvirt.core.UserErrorException;
import org.jvirt.machine.host.HostSettings;
import org.jvirt.machine.host.NumberSet;
import org.jvirt.machine.host.Priority;
import org.jvirt.machine.host.RamSettings;
import org.jvirt.machine.host.RamSettings.Nodes;
import org.jvirt.machine.host.RamSettings.Pages;
import org.jvirt.machine.host.RamSettings.Spread;
import picocli.CommandLine.Option;

/// What the host is to give a machine: the options of `jvirt run` about processors and memory.
final class HostOptions {
    @Option(
            names = "--cpu-affinity",
            paramLabel = "CPU=HOSTCPUS[,...]",
            description = "Host CPUs for the guest's processors: 0=0-1,1=2.")
    private @Nullable String cpuAffinity;

    @Option(names = "--io-affinity", paramLabel = "HOSTCPUS", description = "Host CPUs for the devices' threads: 0-1.")
    private @Nullable String ioAffinity;

    @Option(
            names = "--cpu-priority",
            paramLabel = "HOW",
            description = "How the host runs the guest's processors: nice=N, fifo=N, rr=N, batch or idle.")
    private @Nullable String cpuPriority;

    @Option(
            names = "--cpu-quota",
            paramLabel = "PERCENT",
            description = "Host CPU time for all the guest's processors together; 100 is one host CPU.")
    private @Nullable Integer cpuQuota;

    @Option(names = "--memory-pages", paramLabel = "2M|1G", description = "Put RAM on reserved huge pages.")
    private @Nullable String memoryPages;

    @Option(
            names = "--memory-dir",
            paramLabel = "DIR",
            description = "Take RAM from this file system in memory (tmpfs, hugetlbfs).")
    private @Nullable Path memoryDirectory;

    @Option(
            names = "--memory-nodes",
            paramLabel = "[HOW:]NODES",
            description = "Host NUMA nodes for RAM: bind:0, interleave:0-1 or preferred:1 (bind).")
    private @Nullable String memoryNodes;

    @Option(
            names = "--memory-reserve",
            description = "Have all RAM there before the guest starts, or refuse; otherwise the host overcommits.")
    private boolean memoryReserve;

    @Option(names = "--memory-lock", description = "Reserve RAM and never swap it out.")
    private boolean memoryLock;

    @Option(names = "--memory-merge", description = "Let the host share pages that guests have in common (KSM).")
    private boolean memoryMerge;

    /// @throws UserErrorException for what makes no sense
    HostSettings settings() {
        HostSettings settings = HostSettings.DEFAULT.withRam(ram());
        if (cpuAffinity != null) {
            settings = settings.withVcpuAffinity(HostSettings.parseAffinity("--cpu-affinity", cpuAffinity));
        }
        if (ioAffinity != null) {
            settings = settings.withIoAffinity(NumberSet.parse("--io-affinity", ioAffinity));
        }
        if (cpuPriority != null) {
            settings = settings.withVcpuPriority(Priority.parse("--cpu-priority", cpuPriority));
        }
        if (cpuQuota != null) {
            settings = settings.withCpuQuotaPercent(cpuQuota);
        }
        return settings;
    }

    private RamSettings ram() {
        RamSettings ram = RamSettings.DEFAULT
                .withReserved(memoryReserve)
                .withLocked(memoryLock)
                .withMergeable(memoryMerge);
        if (memoryPages != null) {
            ram = ram.withPages(
                    switch (memoryPages.toUpperCase(Locale.ROOT)) {
                        case "2M" -> Pages.HUGE_2_MIB;
                        case "1G" -> Pages.HUGE_1_GIB;
                        default ->
                            throw new UserErrorException(
                                    "--memory-pages: there are pages of 2M and 1G, not '%s'.".formatted(memoryPages));
                    });
        }
        if (memoryDirectory != null) {
            ram = ram.withDirectory(memoryDirectory);
        }
        return memoryNodes == null ? ram : ram.withNodes(nodes(memoryNodes));
    }

    private static Nodes nodes(String text) {
        int colon = text.indexOf(':');
        Spread spread = switch (colon < 0 ? "bind" : text.substring(0, colon)) {
            case "bind" -> Spread.BIND;
            case "interleave" -> Spread.INTERLEAVE;
            case "preferred" -> Spread.PREFERRED;
            default ->
                throw new UserErrorException(
                        "--memory-nodes: '%s' is none of bind:, interleave: and preferred:.".formatted(text));
        };
        return new Nodes(spread, NumberSet.parse("--memory-nodes", text.substring(colon + 1)));
    }
}

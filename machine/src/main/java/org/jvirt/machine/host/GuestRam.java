package org.jvirt.machine.host;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.jvirt.core.HostFailureException;
import org.jvirt.linux.HostMemory;
import org.jvirt.linux.MemoryPlacement;

/// Gets a guest's RAM from the host as [RamSettings] says.
public final class GuestRam {
    private static final Path MEMORY_INFO = Path.of("/proc/meminfo");
    private static final Path GROUP_LIMIT = Path.of("/sys/fs/cgroup/memory.max");
    private static final Path GROUP_USE = Path.of("/sys/fs/cgroup/memory.current");

    private GuestRam() {}

    /// @param name      shown in `/proc/PID/maps`
    /// @param sizeBytes a multiple of the page size
    /// @throws HostFailureException if the host cannot give what is asked for
    public static HostMemory allocate(String name, long sizeBytes, RamSettings settings) {
        if (settings.reserved() || settings.locked()) {
            requireAvailable(sizeBytes, settings);
        }
        HostMemory memory = map(name, sizeBytes, settings);
        try {
            place(memory, settings);
        } catch (RuntimeException e) {
            memory.close();
            throw e;
        }
        return memory;
    }

    private static HostMemory map(String name, long sizeBytes, RamSettings settings) {
        if (settings.mergeable()) {
            return HostMemory.allocatePrivate(sizeBytes);
        }
        if (settings.directory().isPresent()) {
            return HostMemory.allocateIn(settings.directory().get(), sizeBytes);
        }
        return switch (settings.pages()) {
            case ORDINARY -> HostMemory.allocate(name, sizeBytes);
            case HUGE_2_MIB -> HostMemory.allocate(name, sizeBytes, HostMemory.Pages.HUGE_2_MIB);
            case HUGE_1_GIB -> HostMemory.allocate(name, sizeBytes, HostMemory.Pages.HUGE_1_GIB);
        };
    }

    /// Before the first page is touched: policies do not move pages that exist.
    private static void place(HostMemory memory, RamSettings settings) {
        MemorySegment segment = memory.segment();
        settings.nodes()
                .ifPresent(nodes -> MemoryPlacement.bind(
                        segment, policy(nodes.spread()), nodes.nodes().bits()));
        if (settings.mergeable()) {
            MemoryPlacement.merge(segment);
        }
        if (settings.locked()) {
            memory.lock();
        } else if (settings.reserved()) {
            MemoryPlacement.populate(segment);
        }
    }

    private static MemoryPlacement.Policy policy(RamSettings.Spread spread) {
        return switch (spread) {
            case BIND -> MemoryPlacement.Policy.BIND;
            case INTERLEAVE -> MemoryPlacement.Policy.INTERLEAVE;
            case PREFERRED -> MemoryPlacement.Policy.PREFERRED;
        };
    }

    /// Refuses what would only bring the host's out-of-memory killer. Huge pages are counted apart.
    private static void requireAvailable(long sizeBytes, RamSettings settings) {
        if (settings.pages() != RamSettings.Pages.ORDINARY
                || settings.directory().isPresent()) {
            return;
        }
        long available = available(MEMORY_INFO, GROUP_LIMIT, GROUP_USE);
        if (sizeBytes > available) {
            throw new HostFailureException(("Cannot reserve %d MiB of guest memory: the host has %d MiB available;"
                            + " give the guest less, or let the host overcommit")
                    .formatted(sizeBytes >> 20, available >> 20));
        }
    }

    static long available(Path memoryInfo, Path groupLimit, Path groupUse) {
        long host = lines(memoryInfo).stream()
                .filter(line -> line.startsWith("MemAvailable:"))
                .mapToLong(line -> number(line.replaceAll("[^0-9]", "")) << 10)
                .findFirst()
                .orElse(Long.MAX_VALUE);
        long limit = lines(groupLimit).stream()
                .mapToLong(GuestRam::number)
                .findFirst()
                .orElse(Long.MAX_VALUE);
        long use =
                lines(groupUse).stream().mapToLong(GuestRam::number).findFirst().orElse(0);
        return Math.min(host, limit == Long.MAX_VALUE ? limit : Math.max(limit - use, 0));
    }

    /// `max` and what else is no number stand for no limit.
    private static long number(String text) {
        try {
            return Long.parseLong(text.strip());
        } catch (NumberFormatException e) {
            return Long.MAX_VALUE;
        }
    }

    private static List<String> lines(Path file) {
        try {
            return Files.readAllLines(file);
        } catch (IOException e) {
            return List.of();
        }
    }
}

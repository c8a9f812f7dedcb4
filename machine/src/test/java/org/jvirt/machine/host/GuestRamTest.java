package org.jvirt.machine.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.jvirt.core.HostFailureException;
import org.jvirt.linux.HostMemory;

/// What was asked for RAM is what the kernel shows of it in `/proc/self/smaps`.
class GuestRamTest {
    private static final long SIZE = 4 << 20;

    @TempDir
    private Path directory;

    @Test
    void usuallyTheHostOvercommits() throws IOException {
        try (HostMemory ram = GuestRam.allocate("overcommitted", SIZE, RamSettings.DEFAULT)) {
            assertThat(resident(ram)).isZero();
        }
    }

    @Test
    void reservedMemoryIsAllThere() throws IOException {
        try (HostMemory ram = GuestRam.allocate("reserved", SIZE, RamSettings.DEFAULT.withReserved(true))) {
            assertThat(resident(ram)).isEqualTo(SIZE >> 10);
        }
    }

    @Test
    void lockedMemoryIsAllThereAndMarked() throws IOException {
        try (HostMemory ram = GuestRam.allocate("locked", SIZE, RamSettings.DEFAULT.withLocked(true))) {
            assertThat(flags(ram)).contains("lo");
            assertThat(resident(ram)).isEqualTo(SIZE >> 10);
        }
    }

    @Test
    void moreThanTheHostHasCannotBeReserved() {
        assertThatThrownBy(() -> GuestRam.allocate("huge", 1L << 46, RamSettings.DEFAULT.withReserved(true)))
                .isInstanceOf(HostFailureException.class)
                .hasMessageMatching("Cannot reserve 67108864 MiB of guest memory: the host has [0-9]+ MiB available;"
                        + " give the guest less, or let the host overcommit");
    }

    @Test
    void aControlGroupsLimitCountsAsTheHosts() throws IOException {
        Path info = Files.writeString(directory.resolve("meminfo"), "MemTotal: 8 kB\nMemAvailable:    4096 kB\n");
        Path limit = directory.resolve("limit");
        Path use = Files.writeString(directory.resolve("use"), "1000000\n");
        assertThat(GuestRam.available(info, limit, use)).isEqualTo(4 << 20);
        Files.writeString(limit, "max\n");
        assertThat(GuestRam.available(info, limit, use)).isEqualTo(4 << 20);
        Files.writeString(limit, "3000000\n");
        assertThat(GuestRam.available(info, limit, use)).isEqualTo(2_000_000);
        Files.writeString(limit, "500000\n");
        assertThat(GuestRam.available(info, limit, use)).isZero();
    }

    @Test
    void mergeableMemoryIsMarked() throws IOException {
        Assumptions.assumeTrue(Files.exists(Path.of("/sys/kernel/mm/ksm/run")), "This host's kernel has no KSM");
        try (HostMemory ram = GuestRam.allocate("merged", SIZE, RamSettings.DEFAULT.withMergeable(true))) {
            assertThat(flags(ram)).contains("mg");
        }
    }

    @Test
    void hugePagesThatNobodySetApartAreRefusedWithTheRemedy() throws IOException {
        Path free = Path.of("/sys/kernel/mm/hugepages/hugepages-1048576kB/free_hugepages");
        Assumptions.assumeTrue(
                Files.exists(free) && Files.readString(free).strip().equals("0"), "This host has huge pages of 1 GiB");
        assertThatThrownBy(() -> GuestRam.allocate(
                        "huge", 1L << 30, RamSettings.DEFAULT.withPages(RamSettings.Pages.HUGE_1_GIB)))
                .isInstanceOf(HostFailureException.class)
                .hasMessageContaining("reserve huge pages")
                .hasMessageContaining("hugepages-1048576kB/nr_hugepages");
    }

    private static long resident(HostMemory ram) throws IOException {
        return Long.parseLong(field(ram.segment(), "Rss:").replace("kB", "").strip());
    }

    private static String flags(HostMemory ram) throws IOException {
        return field(ram.segment(), "VmFlags:");
    }

    private static String field(MemorySegment memory, String key) throws IOException {
        String start = "%x-".formatted(memory.address());
        List<String> lines = Files.readAllLines(Path.of("/proc/self/smaps"));
        return lines.stream()
                .dropWhile(line -> !line.startsWith(start))
                .filter(line -> line.startsWith(key))
                .map(line -> line.substring(key.length()).strip())
                .findFirst()
                .orElseThrow();
    }
}

package org.jvirt.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.BitSet;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;

/// What is asked for a mapping is what the kernel shows of it under `/proc/self`.
class MemoryPlacementTest {
    private static final long SIZE = 8 << 20;
    private static final Path SHARED_MEMORY = Path.of("/dev/shm");

    @Test
    void memoryIsBoundToNodes() throws Exception {
        Path maps = Path.of("/proc/self/numa_maps");
        Assumptions.assumeTrue(Files.exists(maps), "This host's kernel has no NUMA policies");
        try (HostMemory memory = HostMemory.allocate("bound", SIZE)) {
            MemoryPlacement.bind(memory.segment(), MemoryPlacement.Policy.BIND, nodes(0));
            String start = "%x ".formatted(memory.segment().address());
            assertThat(Files.readAllLines(maps)).anyMatch(line -> line.startsWith(start) && line.contains(" bind:0"));
        }
    }

    @Test
    void nodesThatTheHostHasNotAreRefused() {
        try (HostMemory memory = HostMemory.allocate("unbound", SIZE)) {
            assertThatThrownBy(() -> MemoryPlacement.bind(memory.segment(), MemoryPlacement.Policy.BIND, nodes(63)))
                    .isInstanceOf(SystemCallException.class)
                    .hasMessageStartingWith("Cannot place 8 MiB of guest memory on NUMA nodes {63}: ");
        }
    }

    @Test
    void privateMemoryCanBeMerged() throws Exception {
        Assumptions.assumeTrue(Files.exists(Path.of("/sys/kernel/mm/ksm/run")), "This host's kernel has no KSM");
        try (HostMemory memory = HostMemory.allocatePrivate(SIZE)) {
            MemoryPlacement.merge(memory.segment());
            assertThat(flags(memory.segment())).contains("mg");
            memory.segment().set(ValueLayout.JAVA_BYTE, SIZE - 1, (byte) 1);
        }
    }

    @Test
    void populatedMemoryIsThereBeforeItIsTouched() throws Exception {
        try (HostMemory memory = HostMemory.allocate("populated", SIZE)) {
            assertThat(residentKibibytes(memory.segment())).isZero();
            MemoryPlacement.populate(memory.segment());
            assertThat(residentKibibytes(memory.segment())).isEqualTo(SIZE >> 10);
        }
    }

    @Test
    void memoryCanComeFromADirectorysFileSystemWithoutLeavingAFileThere() throws Exception {
        Assumptions.assumeTrue(Files.isWritable(SHARED_MEMORY), SHARED_MEMORY + " cannot be written");
        List<Path> before;
        try (var files = Files.list(SHARED_MEMORY)) {
            before = files.toList();
        }
        try (HostMemory memory = HostMemory.allocateIn(SHARED_MEMORY, SIZE)) {
            memory.segment().set(ValueLayout.JAVA_BYTE, SIZE - 1, (byte) 1);
            assertThat(region(memory.segment()).getFirst()).contains("/dev/shm/");
            try (var files = Files.list(SHARED_MEMORY)) {
                assertThat(files).containsAll(before).noneMatch(file -> isNew(file, before));
            }
        }
        assertThatThrownBy(() -> HostMemory.allocateIn(Path.of("/nowhere"), SIZE))
                .isInstanceOf(SystemCallException.class)
                .hasMessageContaining("in /nowhere: no such file or directory (ENOENT); name a directory");
    }

    private static boolean isNew(Path file, List<Path> before) {
        return !before.contains(file) && file.getFileName().toString().contains("#");
    }

    private static BitSet nodes(int node) {
        var set = new BitSet();
        set.set(node);
        return set;
    }

    private static String flags(MemorySegment memory) throws IOException {
        return field(memory, "VmFlags:");
    }

    private static long residentKibibytes(MemorySegment memory) throws IOException {
        return Long.parseLong(field(memory, "Rss:").replace("kB", "").strip());
    }

    private static String field(MemorySegment memory, String key) throws IOException {
        return region(memory).stream()
                .filter(line -> line.startsWith(key))
                .map(line -> line.substring(key.length()).strip())
                .findFirst()
                .orElseThrow();
    }

    /// The lines about one mapping in `smaps`.
    private static List<String> region(MemorySegment memory) throws IOException {
        String start = String.format(Locale.ROOT, "%x-", memory.address());
        return Files.readAllLines(Path.of("/proc/self/smaps")).stream()
                .dropWhile(line -> !line.startsWith(start))
                .limit(30)
                .toList();
    }
}

package org.jvirt.acceptance;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.jvirt.machine.VmState;

/// Machines that come and go in one process leave nothing behind.
@Tag("acceptance")
final class RepeatedBootTest {
    private static final int WARM_UP = 2;
    private static final int SHORT_RUN = 5;
    private static final int LONG_RUN = 100;
    private static final int PAUSES = 20;
    private static final String PROMPT = "/root # ";
    private static final int TURNS = 20;
    private static final long TURN_MILLIS = 200;
    /// What the Java machine may do for itself meanwhile: compilers' threads, malloc's arenas, its own heap's
    /// parts.
    private static final int MAPPINGS_OF_JAVA = 40;

    private static final int THREADS_OF_JAVA = 2;
    private static final long HEAP_OF_JAVA_BYTES = 4 << 20;
    /// Decoded code of a running machine comes and goes, up to a bound.
    private static final long RESET_HEAP_BYTES = 64 << 20;

    /// What a process has.
    private record Holdings(long files, long memfds, long mappings, long guestMappings, long threads, long heapBytes) {
        /// When the threads of the last machine have ended and its memory has been collected: no more than that
        /// much heap, if that comes to pass within some seconds.
        static Holdings settled(long heapBytes) throws IOException, InterruptedException {
            Holdings now = now();
            for (int i = 0; i < TURNS && now.heapBytes > heapBytes; i++) {
                new CountDownLatch(1).await(TURN_MILLIS, TimeUnit.MILLISECONDS);
                now = now();
            }
            return now;
        }

        static Holdings now() throws IOException {
            System.gc();
            long files;
            long memfds;
            try (Stream<Path> open = Files.list(Path.of("/proc/self/fd"))) {
                files = open.count();
            }
            try (Stream<String> maps = Files.lines(Path.of("/proc/self/maps"))) {
                memfds = maps.filter(line -> line.contains("memfd:")).count();
            }
            long mappings;
            try (Stream<String> maps = Files.lines(Path.of("/proc/self/maps"))) {
                mappings = maps.count();
            }
            long guest;
            try (Stream<String> maps = Files.lines(Path.of("/proc/self/maps"))) {
                guest = maps.filter(line -> line.contains("jvirt")).count();
            }
            long heap = ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
            return new Holdings(
                    files, memfds, mappings, guest, Thread.getAllStackTraces().size(), heap);
        }
    }

    private static void boot() throws InterruptedException {
        try (Guest guest = Guest.start(builder -> builder.rng())) {
            Shell shell = guest.shell();
            assertThat(shell.run("echo $((6 * 7))")).isEqualTo("42");
            guest.powerOff();
        }
    }

    private static void boots(int count) throws InterruptedException, IOException {
        for (int i = 0; i < WARM_UP; i++) {
            boot();
        }
        Holdings before = Holdings.settled(0);
        for (int i = 0; i < count; i++) {
            boot();
        }
        Holdings after = Holdings.settled(before.heapBytes + HEAP_OF_JAVA_BYTES);
        System.out.printf("%d boots: before %s, after %s%n", count, before, after);
        assertThat(after.files).as("open files").isLessThanOrEqualTo(before.files + 1);
        assertThat(after.memfds).as("mappings of memfds").isEqualTo(before.memfds);
        assertThat(after.guestMappings).as("mappings of jvirt's own").isEqualTo(before.guestMappings);
        assertThat(after.mappings).as("mappings").isLessThanOrEqualTo(before.mappings + MAPPINGS_OF_JAVA);
        assertThat(after.threads).as("threads").isLessThanOrEqualTo(before.threads + THREADS_OF_JAVA);
        assertThat(after.heapBytes).as("heap").isLessThanOrEqualTo(before.heapBytes + HEAP_OF_JAVA_BYTES);
    }

    @Test
    void bootsInOneProcessLeaveNothing() throws InterruptedException, IOException {
        boots(SHORT_RUN);
    }

    @Test
    @Tag("soak")
    void aHundredBootsInOneProcessLeaveNothing() throws InterruptedException, IOException {
        boots(LONG_RUN);
    }

    private static void resets(Guest guest) throws InterruptedException {
        guest.expect(PROMPT, Guest.BOOT);
        for (int i = 0; i < WARM_UP; i++) {
            guest.vm().reset();
            guest.expect(PROMPT, Guest.BOOT);
        }
        // what follows is awaited from here on
        guest.type("echo\n");
    }

    @Test
    void pausesAndResetsLeaveNothing() throws InterruptedException, IOException {
        try (Guest guest = Guest.start(builder -> builder.rng())) {
            resets(guest);
            Holdings before = Holdings.settled(0);
            for (int i = 0; i < PAUSES; i++) {
                guest.vm().pause();
                assertThat(guest.vm().state()).isEqualTo(VmState.PAUSED);
                guest.vm().resume();
                guest.type("echo turn-$((%d + 1))-\n".formatted(i));
                guest.expect("turn-%d-".formatted(i + 1), Shell.PATIENCE);
            }
            resets(guest);
            Holdings after = Holdings.settled(before.heapBytes + RESET_HEAP_BYTES);
            System.out.printf("pauses and resets: before %s, after %s%n", before, after);
            assertThat(after.files).as("open files").isEqualTo(before.files);
            assertThat(after.memfds).as("mappings of memfds").isEqualTo(before.memfds);
            assertThat(after.threads).as("threads").isLessThanOrEqualTo(before.threads + THREADS_OF_JAVA);
            assertThat(after.heapBytes).as("heap").isLessThanOrEqualTo(before.heapBytes + RESET_HEAP_BYTES);
            guest.powerOff();
        }
    }
}

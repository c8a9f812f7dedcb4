package org.jvirt.images.file;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.EOFException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.jvirt.core.UserErrorException;
import org.jvirt.images.testing.Peer;

class HostFileTest {
    private static final int MIB = 1 << 20;

    @TempDir
    Path folder;

    private HostFile created(CacheMode cache) {
        try {
            return HostFile.create(folder.resolve("file-" + cache.modeName()), cache);
        } catch (UserErrorException e) {
            Assumptions.assumeFalse(
                    cache.direct(), () -> "SKIPPED: this file system has no direct I/O: " + e.getMessage());
            throw e;
        }
    }

    /// A model of plain bytes, with unaligned requests in heap and native memory, for every cache mode.
    @ParameterizedTest
    @EnumSource
    void everyCacheModeKeepsWhatIsWritten(CacheMode cache) throws IOException {
        long seed = 20 + cache.ordinal();
        RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(seed);
        byte[] model = new byte[MIB];
        int end = 0;
        try (HostFile file = created(cache);
                Arena arena = Arena.ofConfined()) {
            MemorySegment memory = arena.allocate(MIB, 4096);
            for (int step = 0; step < 300; step++) {
                int at = random.nextInt(model.length);
                int length = random.nextInt(1, Math.min(model.length - at, 100_000) + 1);
                if (random.nextInt(4) == 0) {
                    at &= -4096;
                    length = Math.max(4096, length & -4096);
                    length = Math.min(length, model.length - at);
                }
                byte[] content = new byte[length];
                switch (random.nextInt(4)) {
                    case 0 -> {
                        random.nextBytes(content);
                        file.write(at, MemorySegment.ofArray(content));
                    }
                    case 1 -> {
                        random.nextBytes(content);
                        MemorySegment.copy(content, 0, memory, ValueLayout.JAVA_BYTE, 0, length);
                        file.write(
                                at,
                                List.of(
                                        memory.asSlice(0, length / 2),
                                        memory.asSlice(length / 2, length - length / 2)));
                    }
                    case 2 -> file.writeZeroes(at, length, random.nextBoolean());
                    default -> {
                        file.allocate(at, length);
                        content = at < end ? Arrays.copyOfRange(model, at, at + length) : content;
                    }
                }
                System.arraycopy(content, 0, model, at, length);
                end = Math.max(end, at + length);
                assertThat(file.sizeBytes()).as("seed %d, step %d", seed, step).isEqualTo(end);
                byte[] read = new byte[length + 100];
                file.readPadded(at, MemorySegment.ofArray(read));
                byte[] expected =
                        Arrays.copyOf(Arrays.copyOfRange(model, at, Math.min(at + read.length, end)), read.length);
                assertThat(read).as("seed %d, step %d", seed, step).isEqualTo(expected);
            }
            file.flush();
        }
        assertThat(Files.readAllBytes(folder.resolve("file-" + cache.modeName())))
                .isEqualTo(Arrays.copyOf(model, end));
    }

    @Test
    void holesAreFoundAndPunched() throws IOException {
        try (HostFile file = created(CacheMode.WRITEBACK)) {
            byte[] content = new byte[4 * MIB];
            Arrays.fill(content, (byte) 7);
            file.write(0, MemorySegment.ofArray(content));
            file.truncate(8 * MIB);
            assertThat(file.nextData(0)).isZero();
            assertThat(file.nextHole(0)).isEqualTo(4 * MIB);
            assertThat(file.nextData(4 * MIB)).isEqualTo(8 * MIB);
            long before = file.allocatedBytes();
            file.discard(MIB, MIB);
            assertThat(file.nextHole(0)).isEqualTo(MIB);
            assertThat(file.nextData(MIB)).isEqualTo(2 * MIB);
            assertThat(file.allocatedBytes()).isLessThanOrEqualTo(before - MIB);
            assertThat(file.sizeBytes()).isEqualTo(8 * MIB);
            file.writeZeroes(2 * MIB, MIB, true);
            assertThat(file.nextData(MIB)).isEqualTo(3 * MIB);
            file.writeZeroes(9 * MIB, MIB, true);
            assertThat(file.sizeBytes()).isEqualTo(10 * MIB);
        }
    }

    @Test
    void readingBehindTheEndFailsUnlessItIsPadded() throws IOException {
        try (HostFile file = created(CacheMode.WRITEBACK)) {
            file.write(0, MemorySegment.ofArray(new byte[] {1, 2, 3}));
            byte[] read = {9, 9, 9, 9, 9};
            assertThatThrownBy(() -> file.read(1, MemorySegment.ofArray(new byte[3])))
                    .isInstanceOf(EOFException.class)
                    .hasMessageContaining("it ends at 3");
            file.readPadded(1, MemorySegment.ofArray(read));
            assertThat(read).containsExactly(2, 3, 0, 0, 0);
        }
    }

    @Test
    void anInterruptedThreadGoesOnReadingAndSoDoOthers() throws IOException {
        try (HostFile file = created(CacheMode.WRITEBACK)) {
            file.write(0, MemorySegment.ofArray(new byte[] {1, 2, 3}));
            Thread.currentThread().interrupt();
            byte[] read = new byte[3];
            file.read(0, MemorySegment.ofArray(read));
            assertThat(Thread.interrupted()).isTrue();
            file.read(0, MemorySegment.ofArray(read));
            assertThat(read).containsExactly(1, 2, 3);
        }
    }

    @Test
    void aWriteThatTheHostCannotTakeIsAnErrorWithTheReasonAndTheFileStays() throws IOException {
        try (HostFile file = created(CacheMode.WRITEBACK)) {
            file.write(0, MemorySegment.ofArray(new byte[4096]));
            assertThatThrownBy(() -> file.write(Long.MAX_VALUE - 8192, MemorySegment.ofArray(new byte[4096])))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("Cannot write")
                    .hasMessageContaining("too large");
            assertThat(file.sizeBytes()).isEqualTo(4096);
        }
    }

    @Test
    void ofTwoWritersOneIsRefusedAlsoInOneProcess() throws IOException {
        Path path = folder.resolve("disk");
        try (HostFile first = HostFile.create(path, CacheMode.WRITEBACK)) {
            first.write(0, MemorySegment.ofArray(new byte[512]));
            assertThatThrownBy(() -> HostFile.open(path, FileAccess.writing()))
                    .isInstanceOf(UserErrorException.class)
                    .hasMessageContaining("uses it");
            assertThatThrownBy(() -> HostFile.create(path, CacheMode.WRITEBACK)).isInstanceOf(UserErrorException.class);
            assertThatThrownBy(() -> HostFile.open(path, FileAccess.reading()))
                    .isInstanceOf(UserErrorException.class)
                    .hasMessageContaining("writes to it");
            assertThat(first.sizeBytes()).isEqualTo(512);
            HostFile.open(path, new FileAccess(true, CacheMode.WRITEBACK, true)).close();
        }
        HostFile.open(path, FileAccess.writing()).close();
    }

    @Test
    void qemuIsRefusedAnImageThatIsInUseHere() throws IOException {
        Peer.need("qemu-io", "qemu-utils");
        Path path = folder.resolve("disk");
        List<String> write = List.of("qemu-io", "-f", "raw", "-c", "write 0 512", path.toString());
        List<String> read = List.of("qemu-io", "-r", "-f", "raw", "-c", "read 0 512", path.toString());
        try (HostFile file = HostFile.create(path, CacheMode.WRITEBACK)) {
            file.truncate(MIB);
            assertThat(Peer.run(folder, "", write).output()).contains("lock");
            Peer.expect(folder, "qemu-img", "info", "-U", "-f", "raw", path.toString());
        }
        try (HostFile file = HostFile.open(path, FileAccess.reading())) {
            assertThat(file.sizeBytes()).isEqualTo(MIB);
            assertThat(Peer.run(folder, "", write).output()).contains("lock");
            assertThat(Peer.run(folder, "", read).output()).contains("read 512/512");
        }
        assertThat(Peer.run(folder, "", write).output()).contains("wrote 512/512");
    }

    @Test
    void whatQemuUsesIsRefusedHere() throws Exception {
        Peer.need("qemu-io", "qemu-utils");
        Path path = folder.resolve("disk");
        try (HostFile file = HostFile.create(path, CacheMode.WRITEBACK)) {
            file.truncate(MIB);
        }
        Process writer = new ProcessBuilder("qemu-io", "-f", "raw", path.toString())
                .redirectErrorStream(true)
                .start();
        try (var commands = writer.outputWriter();
                var answers = writer.inputReader()) {
            commands.write("write 0 512\n");
            commands.flush();
            String line = answers.readLine();
            while (line != null && !line.contains("wrote 512/512")) {
                line = answers.readLine();
            }
            assertThat(line).isNotNull();
            assertThatThrownBy(() -> HostFile.open(path, FileAccess.writing()))
                    .isInstanceOf(UserErrorException.class)
                    .hasMessageContaining("uses it");
            assertThatThrownBy(() -> HostFile.open(path, FileAccess.reading()))
                    .isInstanceOf(UserErrorException.class)
                    .hasMessageContaining("writes to it");
            HostFile.open(path, new FileAccess(true, CacheMode.WRITEBACK, true)).close();
        } finally {
            writer.destroy();
            assertThat(writer.waitFor(10, TimeUnit.SECONDS)).isTrue();
        }
        HostFile.open(path, FileAccess.writing()).close();
    }
}

package org.jvirt.engine.soft.translate.store;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class CodeStoreTest {
    private static final long RIP = 0xFFFF_FFFF_8100_0000L;
    private static final int START = 0x120;
    private static final long MOST_BYTES = 64 << 20;
    private static final int PAGE = 4096;
    private static final int HEADER = 32;

    @TempDir
    private Path directory;

    private static byte[] page(int seed) {
        byte[] page = new byte[PAGE];
        for (int i = 0; i < page.length; i++) {
            page[i] = (byte) (i * 31 + seed);
        }
        return page;
    }

    /// A block of 20 bytes in a page; an address of the guest's kernel is at offset 6 of them.
    private static StoredBlock block(int seed) {
        return block(seed, StoredBlock.with(6));
    }

    private static StoredBlock block(int seed, int field) {
        byte[] guest = new byte[20];
        System.arraycopy(page(seed), START, guest, 0, guest.length);
        return new StoredBlock(
                1,
                START,
                START,
                false,
                guest,
                new int[] {field},
                RIP | START,
                64,
                new int[] {1, 2},
                new byte[] {(byte) seed, 0x0F, 0x0B},
                new int[] {});
    }

    private CodeStore open() throws InterruptedException {
        return open(MOST_BYTES);
    }

    private CodeStore open(long mostBytes) throws InterruptedException {
        CodeStore store = CodeStore.open(Optional.of(directory), "v1", mostBytes);
        store.await();
        return store;
    }

    private static Optional<StoredBlock> find(CodeStore store, int seed) {
        return find(store, 1, RIP | START, page(seed)).map(CodeStore.Kept::block);
    }

    private static Optional<CodeStore.Kept> find(CodeStore store, int context, long rip, byte[] page) {
        try (var reader = new StoreReader(store, MemorySegment.ofArray(page))) {
            return Optional.ofNullable(reader.find(context, rip, START, -1));
        }
    }

    private static Optional<StoredBlock> read(CodeStore store, int position) {
        try (var reader = new StoreReader(store, MemorySegment.ofArray(page(0)))) {
            return Optional.ofNullable(reader.read(position));
        }
    }

    private Path file() throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return files.filter(path -> path.toString().endsWith(".blocks"))
                    .findFirst()
                    .orElseThrow();
        }
    }

    @Test
    void whatOneProcessKeepsTheNextFinds() throws Exception {
        CodeStore first = open();
        first.add(List.of(block(1), block(2)));
        assertThat(find(first, 1)).isPresent();
        CodeStore second = open();
        assertThat(find(second, 2).orElseThrow().code()).startsWith(2);
        assertThat(find(second, 2).orElseThrow().layout()).containsExactly(1, 2);
        assertThat(find(second, 3)).isEmpty();
        assertThat(find(second, 2, RIP | START, page(2))).as("other rights").isEmpty();
        byte[] two = Arrays.copyOf(page(2), 2 * PAGE);
        try (var reader = new StoreReader(second, MemorySegment.ofArray(two))) {
            assertThat(reader.find(1, RIP | START, START, 1)).as("two pages").isNull();
            assertThat(reader.find(1, RIP | START, START, -1)).isNotNull();
        }
    }

    @Test
    void codeWithOneOtherByteIsNotFound() throws Exception {
        open().add(List.of(block(1)));
        CodeStore store = open();
        for (int i = 0; i < 20; i++) {
            byte[] page = page(1);
            page[START + i] ^= 1;
            assertThat(find(store, 1, RIP | START, page)).as("byte " + i).isEmpty();
        }
        byte[] behind = page(1);
        behind[START + 20] ^= 1;
        assertThat(find(store, 1, RIP | START, behind)).isPresent();
    }

    @Test
    void aKernelElsewhereIsFoundWhoseAddressesHaveMovedAsFar() throws Exception {
        open().add(List.of(block(1)));
        CodeStore store = open();
        byte[] page = page(1);
        page[START + 6 + 3] += 2;
        long moved = RIP + 0x200_0000 | START;
        assertThat(find(store, 1, moved, page)).isPresent();
        assertThat(find(store, 1, moved, page(1))).isEmpty();
        assertThat(find(store, 1, RIP | START, page)).isEmpty();
    }

    @Test
    void aKernelElsewhereIsFoundWhoseDistancesHaveMovedBack() throws Exception {
        open().add(List.of(block(1, StoredBlock.against(6))));
        CodeStore store = open();
        byte[] page = page(1);
        page[START + 6 + 3] -= 2;
        long moved = RIP + 0x200_0000 | START;
        assertThat(find(store, 1, moved, page)).isPresent();
        assertThat(find(store, 1, RIP | START, page(1))).isPresent();
        assertThat(find(store, 1, moved, page(1))).isEmpty();
        assertThat(find(store, 1, RIP | START, page)).isEmpty();
    }

    @Test
    void aDamagedRecordIsIgnored() throws Exception {
        open().add(List.of(block(1), block(2)));
        long length = Files.size(file());
        for (long at = HEADER; at < length; at++) {
            damage(at);
            CodeStore store = open();
            for (int seed = 1; seed <= 2; seed++) {
                Optional<StoredBlock> found = find(store, seed);
                if (found.isPresent()) {
                    assertThat(found.get().code()).as("byte %d", at).containsExactly(seed, 0x0F, 0x0B);
                    assertThat(found.get().layout()).containsExactly(1, 2);
                }
            }
            store.close();
            damage(at);
        }
        assertThat(find(open(), 1)).isPresent();
    }

    private void damage(long at) throws IOException {
        try (var file = new RandomAccessFile(file().toFile(), "rw")) {
            file.seek(at);
            int old = file.read();
            file.seek(at);
            file.write(old ^ 0x55);
        }
    }

    @Test
    void aWriterThatDiedHarmsNobody() throws Exception {
        open().add(List.of(block(1)));
        try (var file = new RandomAccessFile(file().toFile(), "rw")) {
            file.seek(file.length());
            file.write(new byte[] {0, 0, 4, 0, 1, 2, 3});
        }
        CodeStore next = open();
        assertThat(find(next, 1)).isPresent();
        next.add(List.of(block(2)));
        CodeStore last = open();
        assertThat(find(last, 1)).isPresent();
        assertThat(find(last, 2)).isPresent();
    }

    @Test
    void aFileThatIsNoneOfOursIsReplaced() throws Exception {
        open().add(List.of(block(1)));
        Files.writeString(file(), "not translations at all, but something of forty bytes or more");
        CodeStore store = open();
        assertThat(find(store, 1)).isEmpty();
        store.add(List.of(block(2)));
        assertThat(find(open(), 2)).isPresent();
    }

    @Test
    void whatHasBeenKeptIsFoundAgainByItsPosition() throws Exception {
        CodeStore first = open();
        int[] positions = first.add(List.of(block(1), block(2)));
        assertThat(read(first, positions[0]).orElseThrow().code()).startsWith(1);
        assertThat(read(first, positions[1]).orElseThrow().code()).startsWith(2);
        CodeStore second = open();
        CodeStore.Kept kept = find(second, 1, RIP | START, page(2)).orElseThrow();
        assertThat(kept.position()).isEqualTo(positions[1]);
        assertThat(read(second, kept.position()).orElseThrow().code()).startsWith(2);
    }

    @Test
    void recordsOfAllLengthsAreFound() throws Exception {
        List<StoredBlock> blocks = new ArrayList<>();
        for (int seed = 0; seed < 60; seed++) {
            StoredBlock one = block(seed);
            byte[] code = new byte[1 + seed * 700];
            code[0] = (byte) seed;
            blocks.add(new StoredBlock(
                    1, START, START, false, one.guest(), one.fields(), one.rip(), 64, one.layout(), code, new int[0]));
        }
        open().add(blocks);
        CodeStore store = open();
        for (int seed = 0; seed < 60; seed++) {
            assertThat(find(store, seed).orElseThrow().code())
                    .hasSize(1 + seed * 700)
                    .startsWith(seed);
        }
    }

    @Test
    void whoHasAFileThatWasReplacedStillFindsItsOwn() throws Exception {
        long most = 4000;
        CodeStore old = open(most);
        old.add(List.of(block(100)));
        for (int i = 0; i < 40; i++) {
            CodeStore other = open(most);
            other.add(List.of(block(i)));
            other.close();
        }
        old.add(List.of(block(101)));
        for (int seed = 100; seed <= 101; seed++) {
            assertThat(find(old, seed).orElseThrow().code()).startsWith(seed);
        }
    }

    @Test
    void severalProcessorsKeepAtOnce() throws Exception {
        CodeStore store = open();
        List<Thread> processors = new ArrayList<>();
        var failures = new AtomicInteger();
        for (int processor = 0; processor < 4; processor++) {
            int first = 25 * processor;
            processors.add(Thread.ofPlatform()
                    .uncaughtExceptionHandler((_, _) -> failures.incrementAndGet())
                    .start(() -> {
                        for (int seed = first; seed < first + 25; seed++) {
                            store.add(List.of(block(seed)));
                        }
                    }));
        }
        for (Thread processor : processors) {
            processor.join();
        }
        assertThat(failures).hasValue(0);
        CodeStore next = open();
        for (int seed = 0; seed < 100; seed++) {
            assertThat(find(next, seed)).as("block %d", seed).isPresent();
        }
    }

    @Test
    void twoProcessesKeepBoth() throws Exception {
        CodeStore one = open();
        CodeStore other = open();
        one.add(List.of(block(1)));
        other.add(List.of(block(2)));
        one.add(List.of(block(3)));
        CodeStore next = open();
        assertThat(List.of(find(next, 1), find(next, 2), find(next, 3))).allMatch(Optional::isPresent);
    }

    @Test
    void aFullFileLosesItsOldestHalf() throws Exception {
        long most = 4000;
        for (int i = 0; i < 100; i++) {
            CodeStore store = open(most);
            store.add(List.of(block(i)));
            store.close();
            assertThat(Files.size(file())).isLessThanOrEqualTo(most);
        }
        CodeStore store = open(most);
        assertThat(find(store, 0)).isEmpty();
        List<Integer> there = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            if (find(store, i).isPresent()) {
                there.add(i);
            }
        }
        assertThat(there).hasSizeGreaterThan(8).allMatch(i -> i > 60);
    }

    @Test
    void filesOfOtherVersionsGoTheOldestFirst() throws Exception {
        for (int i = 0; i < 5; i++) {
            Path other = directory.resolve("old%d.blocks".formatted(i));
            Files.write(other, new byte[3000]);
            Files.setLastModifiedTime(other, FileTime.fromMillis(1000L * i));
        }
        // the limit of all is at least twice that of one
        try (var file = new RandomAccessFile(directory.resolve("old4.blocks").toFile(), "rw")) {
            file.setLength(150L << 20);
        }
        Files.setLastModifiedTime(directory.resolve("old4.blocks"), FileTime.fromMillis(500));
        open();
        assertThat(directory.resolve("old4.blocks")).exists();
        open(StoreFile.MOST_BYTES);
        assertThat(directory.resolve("old4.blocks")).doesNotExist();
        assertThat(directory.resolve("old3.blocks")).exists();
    }

    @Test
    void filesAreTheUsersAlone() throws Exception {
        Path inside = directory.resolve("a/b");
        CodeStore store = CodeStore.open(Optional.of(inside), "v1", MOST_BYTES);
        store.await();
        store.add(List.of(block(1)));
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(inside)))
                .isEqualTo("rwx------");
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(inside.resolve("v1.blocks"))))
                .isEqualTo("rw-------");
    }

    @Test
    void aDirectoryThatCannotBeMadeCostsNothingButTheKeeping() throws Exception {
        Path plain = Files.writeString(directory.resolve("file"), "");
        CodeStore store = CodeStore.open(Optional.of(plain.resolve("below")), "v1", MOST_BYTES);
        store.await();
        store.add(List.of(block(1)));
        assertThat(find(store, 1)).isPresent();
    }

    @Test
    void recordsThatBeginAlikeAreNotRead() throws Exception {
        List<StoredBlock> blocks = new ArrayList<>();
        StoredBlock one = block(1);
        for (int i = 0; i < 30; i++) {
            byte[] guest = one.guest().clone();
            // behind what is the key: in the word that moves, or further on
            guest[6 + i % 10] ^= (byte) (i + 1);
            blocks.add(new StoredBlock(
                    1, START, START, false, guest, one.fields(), one.rip(), 64, one.layout(), one.code(), new int[0]));
        }
        open().add(blocks);
        CodeStore store = open();
        try (var reader = new StoreReader(store, MemorySegment.ofArray(page(1)))) {
            assertThat(reader.find(1, RIP | START, START, -1)).isNull();
            assertThat(reader.looked()).as("records read in vain").isZero();
        }
        byte[] page = page(1);
        System.arraycopy(blocks.get(17).guest(), 0, page, START, one.guest().length);
        try (var reader = new StoreReader(store, MemorySegment.ofArray(page))) {
            assertThat(reader.find(1, RIP | START, START, -1).block().guest())
                    .isEqualTo(blocks.get(17).guest());
            assertThat(reader.looked()).isEqualTo(1);
        }
    }

    @Test
    void blocksOfFewerBytesThanAKeyAreFound() throws Exception {
        StoredBlock one = block(1);
        open().add(List.of(new StoredBlock(
                1,
                START,
                START,
                false,
                Arrays.copyOf(one.guest(), 1),
                new int[0],
                one.rip(),
                64,
                one.layout(),
                one.code(),
                new int[0])));
        byte[] page = new byte[PAGE];
        page[START] = page(1)[START];
        assertThat(find(open(), 1, RIP | START, page)).isPresent();
    }
}

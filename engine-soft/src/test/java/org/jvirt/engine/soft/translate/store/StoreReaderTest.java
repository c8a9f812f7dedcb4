package org.jvirt.engine.soft.translate.store;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.RandomAccessFile;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.IntPredicate;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What stands around a record that was found.
final class StoreReaderTest {
    private static final int PAGE = 4096;
    private static final long RIP = 0xFFFF_FFFF_8100_0000L;
    private static final long ELSEWHERE = 0xFFFF_FFFF_9560_0000L;
    private static final int RIGHTS = 2;
    private static final int BLOCKS = 12;
    private static final int DISTANCE = 0x100;
    private static final int BYTES = 24;
    private static final int HEADER = 32;

    @TempDir
    private Path directory;

    private CodeStore open() throws InterruptedException {
        CodeStore store = CodeStore.open(Optional.of(directory), "v1", 64 << 20);
        store.await();
        return store;
    }

    private static byte[] page() {
        byte[] page = new byte[PAGE];
        for (int i = 0; i < PAGE; i++) {
            page[i] = (byte) (i * 7 + (i >> 8) * 13);
        }
        return page;
    }

    private static int start(int number) {
        return DISTANCE * (number + 1);
    }

    /// The block of a number: its code begins with the number, and is as long as asked for.
    private static StoredBlock block(int number, int rights, long page, boolean crosses, int codeBytes) {
        int start = start(number);
        byte[] code = new byte[codeBytes];
        code[0] = (byte) number;
        byte[] guest = Arrays.copyOfRange(page(), start, start + BYTES);
        int[] layout = {number, 1};
        return new StoredBlock(
                rights, start, start, crosses, guest, new int[0], page | start, 64, layout, code, new int[] {8});
    }

    private static StoredBlock block(int number) {
        return block(number, RIGHTS, RIP, false, 50);
    }

    private static List<StoredBlock> blocks() {
        List<StoredBlock> blocks = new ArrayList<>();
        for (int i = 0; i < BLOCKS; i++) {
            blocks.add(block(i));
        }
        return blocks;
    }

    /// The neighbours of the block of a number, by number, on a page that is at `rip`; null if that is not found.
    private static @Nullable TreeMap<Integer, StoredBlock> around(
            CodeStore store, int number, byte[] page, long rip, IntPredicate wanted) {
        var found = new TreeMap<Integer, StoredBlock>();
        try (var reader = new StoreReader(store, MemorySegment.ofArray(page))) {
            CodeStore.Kept kept = reader.find(RIGHTS, rip | start(number), start(number), -1);
            if (kept == null) {
                return null;
            }
            assertThat(kept.block().code()).startsWith(number);
            reader.around(kept.position(), RIGHTS, rip | start(number), start(number), new StoreReader.Neighbours() {
                @Override
                public boolean want(int start) {
                    return wanted.test(start / DISTANCE - 1);
                }

                @Override
                public void take(CodeStore.Kept each) {
                    assertThat(reader.read(each.position()).start())
                            .isEqualTo(each.block().start());
                    found.put((int) each.block().code()[0], each.block());
                }
            });
        }
        return found;
    }

    private static List<Integer> numbersBut(int... left) {
        List<Integer> numbers = new ArrayList<>();
        for (int i = 0; i < BLOCKS; i++) {
            int number = i;
            if (Arrays.stream(left).noneMatch(each -> each == number)) {
                numbers.add(i);
            }
        }
        return numbers;
    }

    @Test
    void aRecordsNeighboursAreThoseOfItsPage() throws Exception {
        open().add(blocks());
        CodeStore store = open();
        for (int number : new int[] {0, 5, BLOCKS - 1}) {
            assertThat(around(store, number, page(), RIP, _ -> true).keySet())
                    .as("around %d", number)
                    .containsExactlyElementsOf(numbersBut(number));
        }
        assertThat(around(store, 5, page(), ELSEWHERE, _ -> true).keySet())
                .as("at another address")
                .containsExactlyElementsOf(numbersBut(5));
        assertThat(around(store, 5, page(), RIP, number -> number != 3).keySet())
                .as("but one")
                .containsExactlyElementsOf(numbersBut(3, 5));
    }

    @Test
    void neighboursWhoseBytesDifferAreLeft() throws Exception {
        open().add(blocks());
        CodeStore store = open();
        for (int i = 0; i < BYTES; i++) {
            byte[] page = page();
            page[start(4) + i] ^= 1;
            assertThat(around(store, 5, page, RIP, _ -> true).keySet())
                    .as("byte %d", i)
                    .containsExactlyElementsOf(numbersBut(4, 5));
        }
    }

    @Test
    void blocksOfOtherPagesOrRightsOrOnTwoPagesAreNoNeighbours() throws Exception {
        List<StoredBlock> blocks = blocks();
        blocks.set(2, block(2, RIGHTS + 1, RIP, false, 50));
        blocks.set(3, block(3, RIGHTS, RIP + PAGE, false, 50));
        blocks.set(7, block(7, RIGHTS, RIP, true, 50));
        open().add(blocks);
        assertThat(around(open(), 5, page(), RIP, _ -> true).keySet())
                .doesNotContain(2, 3, 7)
                .contains(4, 6);
    }

    @Test
    void neighboursAreNotReadFor() throws Exception {
        List<StoredBlock> blocks = blocks();
        blocks.set(6, block(6, RIGHTS, RIP, false, 40_000));
        open().add(blocks);
        assertThat(around(open(), 5, page(), RIP, _ -> true).keySet()).containsExactly(0, 1, 2, 3, 4);
        assertThat(around(open(), 6, page(), RIP, _ -> true))
                .as("one by itself")
                .isEmpty();
    }

    @Test
    void aDamagedNeighbourDoesNoHarm() throws Exception {
        open().add(blocks());
        Path file = directory.resolve("v1.blocks");
        byte[] whole = Files.readAllBytes(file);
        for (int at = HEADER; at < whole.length; at++) {
            damage(file, at);
            CodeStore store = open();
            TreeMap<Integer, StoredBlock> found = around(store, 5, page(), RIP, _ -> true);
            if (found != null) {
                for (var each : found.entrySet()) {
                    StoredBlock made = block(each.getKey());
                    assertThat(each.getValue().code()).as("byte %d", at).isEqualTo(made.code());
                    assertThat(each.getValue().layout()).isEqualTo(made.layout());
                    assertThat(each.getValue().start()).isEqualTo(made.start());
                }
            }
            store.close();
            damage(file, at);
        }
        assertThat(around(open(), 5, page(), RIP, _ -> true)).hasSize(BLOCKS - 1);
    }

    private static void damage(Path path, long at) throws Exception {
        try (var file = new RandomAccessFile(path.toFile(), "rw")) {
            file.seek(at);
            int old = file.read();
            file.seek(at);
            file.write(old ^ 0x81);
        }
    }

    @Test
    void whatTwoProcessesAppendIsFoundWithItsNeighbours() throws Exception {
        CodeStore one = open();
        CodeStore other = open();
        one.add(blocks().subList(0, 4));
        other.add(blocks().subList(4, 8));
        one.add(blocks().subList(8, BLOCKS));
        for (CodeStore store : List.of(one, open())) {
            assertThat(around(store, 9, page(), RIP, _ -> true).keySet()).containsExactly(8, 10, 11);
            assertThat(around(store, 1, page(), RIP, _ -> true).keySet()).containsExactly(0, 2, 3);
        }
        assertThat(around(other, 6, page(), RIP, _ -> true).keySet()).containsExactly(4, 5, 7);
        assertThat(around(open(), 6, page(), RIP, _ -> true).keySet()).containsExactly(4, 5, 7);
    }
}

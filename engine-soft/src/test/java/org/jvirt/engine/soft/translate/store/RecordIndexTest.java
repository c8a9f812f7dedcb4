package org.jvirt.engine.soft.translate.store;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

final class RecordIndexTest {
    private static final int RECORDS = 300_000;

    private static List<Integer> positions(RecordIndex index, long key) {
        var found = new ArrayList<Integer>();
        RecordIndex.Table table = index.table();
        for (int slot = table.first(key); slot >= 0; slot = table.next(key, slot)) {
            found.add(table.position(slot));
        }
        return found;
    }

    @Test
    void ofHundredsOfThousandsOfRecordsNoneIsLost() {
        var random = new SplittableRandom(1);
        long[] keys = random.longs(RECORDS).toArray();
        var index = new RecordIndex();
        for (int i = 0; i < RECORDS; i++) {
            index.add(keys[i], i & 0xFFF, i, 8 * (i + 1));
        }
        int lost = 0;
        int invented = 0;
        for (int i = 0; i < RECORDS; i++) {
            lost += positions(index, keys[i]).contains(8 * (i + 1)) ? 0 : 1;
            // in a full table each of these would look at every slot
            invented += positions(index, random.nextLong()).size();
        }
        assertThat(lost).isZero();
        assertThat(invented).as("a part of a key is enough for nearly all").isLessThan(RECORDS / 20);
    }

    @Test
    void recordsWithTheSameKeyAreAllFound() {
        var index = new RecordIndex();
        for (int i = 1; i <= 100; i++) {
            index.add((long) (i % 3) << 40, 0, 0, 8 * i);
        }
        assertThat(positions(index, 1L << 40)).hasSize(34).contains(8, 800);
        assertThat(positions(index, 4L << 40)).isEmpty();
    }

    @Test
    void aRecordAtTheEndOfTheLargestFileIsFoundThere() {
        var index = new RecordIndex();
        index.add(-1, 0xFFF, -1, Integer.MAX_VALUE - 7);
        assertThat(positions(index, -1)).containsExactly(Integer.MAX_VALUE - 7);
    }

    @Test
    void ofABlockThatIsElsewhereInItsPageNothingIsCompared() {
        var index = new RecordIndex();
        // 63 bytes, none of which moves
        index.add(1L << 40, 63 << 6 | 63, 0, 8);
        RecordIndex.Table table = index.table();
        int slot = table.first(1L << 40);
        byte[] page = new byte[4096];
        for (int start = 4000; start < page.length; start++) {
            assertThat(table.opens(slot, page, start, 0xFFFF_FFFF_8100_0000L + start))
                    .isFalse();
        }
    }
}

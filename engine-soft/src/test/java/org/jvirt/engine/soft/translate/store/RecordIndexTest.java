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
        long[] table = index.table();
        for (int slot = RecordIndex.first(table, key); slot >= 0; slot = RecordIndex.next(table, key, slot)) {
            found.add(RecordIndex.position(table[slot]));
        }
        return found;
    }

    @Test
    void ofHundredsOfThousandsOfRecordsNoneIsLost() {
        var random = new SplittableRandom(1);
        long[] keys = random.longs(RECORDS).toArray();
        var index = new RecordIndex();
        for (int i = 0; i < RECORDS; i++) {
            index.add(keys[i], 8 * (i + 1));
        }
        int lost = 0;
        int invented = 0;
        for (int i = 0; i < RECORDS; i++) {
            lost += positions(index, keys[i]).contains(8 * (i + 1)) ? 0 : 1;
            // in a full table each of these would look at every slot
            invented += positions(index, random.nextLong()).size();
        }
        assertThat(lost).isZero();
        assertThat(invented).as("half a key is enough for nearly all").isLessThan(RECORDS / 1000);
    }

    @Test
    void recordsWithTheSameKeyAreAllFound() {
        var index = new RecordIndex();
        for (int i = 1; i <= 100; i++) {
            index.add((long) (i % 3) << 32, 8 * i);
        }
        assertThat(positions(index, 1L << 32)).hasSize(34).contains(8, 800);
        assertThat(positions(index, 4L << 32)).isEmpty();
    }
}

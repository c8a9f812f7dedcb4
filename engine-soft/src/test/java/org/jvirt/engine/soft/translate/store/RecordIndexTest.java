package org.jvirt.engine.soft.translate.store;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

final class RecordIndexTest {
    private static final int RECORDS = 300_000;

    private static List<Long> positions(RecordIndex index, long key) {
        var found = new ArrayList<Long>();
        for (int slot = index.first(key); slot >= 0; slot = index.next(key, slot)) {
            found.add(index.position(slot));
        }
        return found;
    }

    @Test
    void ofHundredsOfThousandsOfRecordsNoneIsLost() {
        var random = new SplittableRandom(1);
        long[] keys = random.longs(RECORDS).toArray();
        var index = new RecordIndex();
        for (int i = 0; i < RECORDS; i++) {
            index.add(keys[i], i + 1);
        }
        int lost = 0;
        int invented = 0;
        for (int i = 0; i < RECORDS; i++) {
            lost += positions(index, keys[i]).equals(List.of(i + 1L)) ? 0 : 1;
            // in a full table each of these would look at every slot
            invented += positions(index, random.nextLong()).size();
        }
        assertThat(lost).isZero();
        assertThat(invented).isZero();
    }

    @Test
    void recordsWithTheSameKeyAreAllFound() {
        var index = new RecordIndex();
        for (int i = 1; i <= 100; i++) {
            index.add(i % 3, i);
        }
        assertThat(positions(index, 1)).hasSize(34).contains(1L, 100L);
        assertThat(positions(index, 4)).isEmpty();
    }
}

package org.jvirt.images.qcow2;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/// How much of an image's map is in memory.
class L2CacheTest {
    private static final int CLUSTER_BYTES = 64 << 10;
    private static final int BOUND_BYTES = 1 << 20;
    private static final int SLICES = BOUND_BYTES / L2Cache.SLICE_BYTES;

    private final L2Cache cache = new L2Cache(CLUSTER_BYTES, BOUND_BYTES);

    private L2Slice inserted(long index) {
        return cache.insert(new L2Slice(index * L2Cache.SLICE_BYTES, new byte[L2Cache.SLICE_BYTES]));
    }

    private long held(long count) {
        long held = 0;
        for (long i = 0; i < count; i++) {
            held += cache.find(i * L2Cache.SLICE_BYTES) == null ? 0 : 1;
        }
        return held;
    }

    @Test
    void ofAMapOfAnySizeNoMoreIsHeldThanTheBound() {
        for (long i = 0; i < 100L * SLICES; i++) {
            inserted(i);
        }
        assertThat(held(100L * SLICES)).isEqualTo(SLICES);
    }

    @Test
    void whatTheFileDoesNotHaveStaysAndACommitIsAskedForInTime() {
        int changed = 0;
        while (!cache.crowded()) {
            L2Slice slice = inserted(changed++);
            cache.willChange(slice);
            slice.set(0, 1);
        }
        assertThat(changed).isEqualTo(SLICES / 4 + 1);
        for (long i = changed; i < 100L * SLICES; i++) {
            inserted(i);
        }
        assertThat(held(changed)).isEqualTo(changed);
        assertThat(held(100L * SLICES)).isEqualTo(SLICES);
    }
}

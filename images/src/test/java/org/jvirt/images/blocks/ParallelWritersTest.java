package org.jvirt.images.blocks;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.jvirt.core.UserErrorException;
import org.jvirt.images.format.DiskImage;
import org.jvirt.images.format.Repair;
import org.jvirt.images.testing.MemoryFile;

/// Many requests at once, several of them to the same new blocks.
class ParallelWritersTest {
    private static final int WRITERS = 6;
    private static final int STRIPE_BYTES = 1536;
    private static final int STRIPES = 3000;

    @ParameterizedTest
    @MethodSource("org.jvirt.images.blocks.Variant#allotting")
    void everybodysBytesArrive(Variant variant) throws IOException, InterruptedException, ExecutionException {
        var space = new Variant.MemorySpace();
        MemoryFile file = space.file("disk.img");
        variant.create(file, (long) STRIPES * STRIPE_BYTES, space);
        byte[] model = new byte[STRIPES * STRIPE_BYTES];
        try (DiskImage image = variant.open(file, false, space);
                var executor = Executors.newFixedThreadPool(WRITERS + 1)) {
            List<Future<?>> running = new ArrayList<>();
            for (int writer = 0; writer < WRITERS; writer++) {
                int own = writer;
                running.add(executor.submit(() -> writeOwnStripes(image, own, model)));
            }
            running.add(executor.submit(() -> {
                for (int i = 0; i < 20; i++) {
                    image.flush();
                }
                return null;
            }));
            for (Future<?> each : running) {
                each.get();
            }
        }
        try (DiskImage image = variant.open(file, true, space)) {
            byte[] all = new byte[model.length];
            image.read(0, List.of(MemorySegment.ofArray(all)));
            assertThat(Arrays.mismatch(all, model)).isEqualTo(-1);
            try {
                assertThat(image.check(Repair.NONE).corruptions()).isZero();
            } catch (UserErrorException e) {
                assertThat(variant.qemuName).isEqualTo("vpc");
            }
        }
    }

    /// Every stripe has one writer, who reads it back at once; neighbours are others'.
    private static Void writeOwnStripes(DiskImage image, int own, byte[] model) throws IOException {
        var random = new SplittableRandom(own);
        byte[] read = new byte[STRIPE_BYTES];
        for (int stripe = own; stripe < STRIPES; stripe += WRITERS) {
            if (random.nextInt(3) == 0) {
                continue;
            }
            int at = stripe * STRIPE_BYTES;
            byte[] bytes = new byte[STRIPE_BYTES];
            random.nextBytes(bytes);
            image.write(at, List.of(MemorySegment.ofArray(bytes)));
            System.arraycopy(bytes, 0, model, at, bytes.length);
            image.read(at, List.of(MemorySegment.ofArray(read)));
            if (!Arrays.equals(read, bytes)) {
                throw new AssertionError("Stripe %d of writer %d".formatted(stripe, own));
            }
        }
        return null;
    }
}

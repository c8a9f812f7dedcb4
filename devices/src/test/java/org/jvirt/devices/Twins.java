package org.jvirt.devices;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jvirt.core.IoDevice;
import org.jvirt.testkit.ManualClock;
import org.jvirt.testkit.RecordingLine;

/// Torments a device with random accesses of every size at every offset, saves it in mid-operation, builds a twin
/// from the record, and demands that both answer alike ever after.
public final class Twins {
    private static final int STEPS_BEFORE = 400;
    private static final int STEPS_AFTER = 400;

    private final ManualClock clock = new ManualClock();

    /// One of the two devices with all it touches.
    ///
    /// @param ports every register block, with its length
    /// @param lines outputs to compare
    /// @param state reads the device's record
    public record Twin<S>(List<Ports> ports, List<RecordingLine> lines, Supplier<S> state) {}

    /// A register block.
    public record Ports(IoDevice device, int bytes, boolean wide) {
        public static Ports of(IoDevice device, int bytes) {
            return new Ports(device, bytes, false);
        }

        /// With 8-byte accesses, as on the memory bus.
        public static Ports mmio(IoDevice device, int bytes) {
            return new Ports(device, bytes, true);
        }
    }

    public ManualClock clock() {
        return clock;
    }

    /// @param values the written values are drawn from here half of the time
    public <S> void check(long seed, Twin<S> original, Function<S, Twin<S>> restore, long... values) {
        var random = new Random(seed);
        for (int i = 0; i < STEPS_BEFORE; i++) {
            step(random, List.of(original), values);
        }
        S saved = original.state.get();
        Twin<S> twin = restore.apply(saved);
        assertThat(twin.state.get()).as("seed %d: state after restore", seed).isEqualTo(saved);
        for (int i = 0; i < STEPS_AFTER; i++) {
            List<Object> outcomes = step(random, List.of(original, twin), values);
            assertThat(outcomes.get(1)).as("seed %d, step %d", seed, i).isEqualTo(outcomes.get(0));
        }
        assertThat(twin.state.get()).as("seed %d: state at the end", seed).isEqualTo(original.state.get());
        for (int i = 0; i < original.lines.size(); i++) {
            assertThat(twin.lines.get(i).high())
                    .as("seed %d: line %d", seed, i)
                    .isEqualTo(original.lines.get(i).high());
        }
    }

    private <S> List<Object> step(Random random, List<Twin<S>> twins, long[] values) {
        int block = random.nextInt(twins.getFirst().ports.size());
        Ports shape = twins.getFirst().ports.get(block);
        int size = 1 << random.nextInt(shape.wide ? 4 : 3);
        while (size > shape.bytes) {
            size >>= 1;
        }
        int offset = random.nextInt(shape.bytes - size + 1);
        if (random.nextInt(4) != 0) {
            offset &= -size;
        }
        int action = random.nextInt(10);
        long value = values.length > 0 && random.nextBoolean()
                ? values[random.nextInt(values.length)]
                : random.nextLong() >>> random.nextInt(64);
        if (action == 0) {
            clock.advance(random.nextLong(1 + (1L << random.nextInt(28))));
        }
        List<Object> outcomes = new ArrayList<>();
        for (Twin<S> twin : twins) {
            IoDevice device = twin.ports.get(block).device;
            if (action < 5) {
                long mask = size == 8 ? -1L : (1L << 8 * size) - 1;
                long got = device.read(offset, size) & mask;
                outcomes.add("read of %d bytes at 0x%x: 0x%x".formatted(size, offset, got));
            } else {
                device.write(offset, size, value);
                outcomes.add("write");
            }
        }
        return outcomes;
    }
}

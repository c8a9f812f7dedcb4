package org.jvirt.images.fuzz;

import com.sun.management.ThreadMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.jvirt.core.UserErrorException;

/// Runs a target on ever more inputs. Each must end soon, take little memory, and be served or refused.
final class Fuzzer {
    private static final Duration MOST_TIME = Duration.ofSeconds(10);
    private static final long MOST_BYTES = 1L << 30;
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    private final FuzzTarget target;
    private final Random random;
    private final byte[] seen = new byte[EdgeCounters.SIZE];
    private final List<byte[]> corpus = new ArrayList<>();
    private long runs;
    private long served;
    private Duration longest = Duration.ZERO;
    private long largestBytes;

    Fuzzer(FuzzTarget target, long seed) {
        this.target = target;
        random = new Random(seed);
    }

    /// What came of it.
    ///
    /// @param served how many inputs were not refused
    /// @param kept   how many inputs reached something new
    /// @param steps  how many different steps of the code were taken
    record Result(long runs, long served, int seeds, int kept, int steps, Duration longest, long largestBytes) {}

    Result run(Duration time) throws IOException {
        for (byte[] seed : target.seeds()) {
            run(seed);
            corpus.add(seed);
        }
        int seeds = corpus.size();
        var mutator = new Mutator(random);
        long end = System.nanoTime() + time.toNanos();
        while (System.nanoTime() < end) {
            // Those found last lead furthest.
            int back = (int) (corpus.size() * random.nextDouble() * random.nextDouble());
            byte[] input = mutator.mutate(corpus.get(corpus.size() - 1 - back), corpus);
            if (run(input)) {
                corpus.add(input);
            }
        }
        int steps = 0;
        for (byte each : seen) {
            steps += each == 0 ? 0 : 1;
        }
        return new Result(runs, served, seeds, corpus.size() - seeds, steps, longest, largestBytes);
    }

    /// @return whether it reached anything new
    private boolean run(byte[] input) throws IOException {
        EdgeCounters.reset();
        runs++;
        long before = THREADS.getCurrentThreadAllocatedBytes();
        long start = System.nanoTime();
        try {
            target.run(input.clone());
            served++;
        } catch (UserErrorException | IOException e) {
            // Refused.
            if (String.valueOf(e.getMessage()).contains("null")) {
                throw found(input, e);
            }
        } catch (RuntimeException | Error e) {
            throw found(input, e);
        }
        Duration took = Duration.ofNanos(System.nanoTime() - start);
        long bytes = THREADS.getCurrentThreadAllocatedBytes() - before;
        longest = took.compareTo(longest) > 0 ? took : longest;
        largestBytes = Math.max(bytes, largestBytes);
        if (took.compareTo(MOST_TIME) > 0 || bytes > MOST_BYTES) {
            throw found(input, new AssertionError("It took %s and %d bytes".formatted(took, bytes)));
        }
        return EdgeCounters.merge(seen);
    }

    private AssertionError found(byte[] input, Throwable reason) throws IOException {
        Path file = Files.createTempFile("jvirt-fuzz-", ".bin");
        Files.write(file, input);
        return new AssertionError("Run %d of %s, input in %s".formatted(runs, target, file), reason);
    }
}

package org.jvirt.core;

import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Consumer;

/// How an engine that translates guest code works.
///
/// @param threshold    how often a block is interpreted before it is translated; 0 for at once
/// @param verification how many executions of each translated block are compared with the interpreter's: 0 for
///     none, [#ALWAYS] for all
/// @param trace        linear address of the guest code whose translation is told to `tracer`; [#TRACE_ALL] for all
/// @param tracer       takes translations as text, on the processor's thread
/// @param store        directory where translations are kept for later processes; empty for none
/// @param cacheBytes   room for a processor's translations
public record TranslatorSettings(
        int threshold,
        int verification,
        OptionalLong trace,
        Consumer<String> tracer,
        Optional<Path> store,
        int cacheBytes) {
    /// A [#verification] without end.
    public static final int ALWAYS = Integer.MAX_VALUE;

    /// A [#trace] of everything.
    public static final long TRACE_ALL = 1L << 62 | 1;

    /// Below this a cache would hold next to nothing.
    public static final int LEAST_CACHE_BYTES = 1 << 20;

    /// Jumps reach no further.
    public static final int MOST_CACHE_BYTES = 1 << 30;

    /// Executions of a block after which its translation pays.
    private static final int HOT = 16;

    /// For a guest that is to run fast.
    public static final TranslatorSettings DEFAULT =
            new TranslatorSettings(HOT, 0, OptionalLong.empty(), text -> {}, Optional.empty(), 64 << 20);

    public TranslatorSettings {
        if (cacheBytes < LEAST_CACHE_BYTES || cacheBytes > MOST_CACHE_BYTES) {
            throw new IllegalArgumentException("A code cache has %d to %d MiB, not %d bytes"
                    .formatted(LEAST_CACHE_BYTES >> 20, MOST_CACHE_BYTES >> 20, cacheBytes));
        }
        if (threshold < 0 || verification < 0) {
            throw new IllegalArgumentException(
                    "Negative count: threshold %d, verification %d".formatted(threshold, verification));
        }
    }

    public TranslatorSettings withThreshold(int executions) {
        return new TranslatorSettings(executions, verification, trace, tracer, store, cacheBytes);
    }

    public TranslatorSettings withVerification(int executions) {
        return new TranslatorSettings(threshold, executions, trace, tracer, store, cacheBytes);
    }

    public TranslatorSettings withTrace(long address, Consumer<String> to) {
        return new TranslatorSettings(threshold, verification, OptionalLong.of(address), to, store, cacheBytes);
    }

    public TranslatorSettings withStore(Optional<Path> directory) {
        return new TranslatorSettings(threshold, verification, trace, tracer, directory, cacheBytes);
    }

    public TranslatorSettings withCacheBytes(int bytes) {
        return new TranslatorSettings(threshold, verification, trace, tracer, store, bytes);
    }
}

package org.jvirt.images.testing;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.random.RandomGenerator;
import org.jvirt.images.testing.RecordedFile.Event;

/// Makes the files that a crash could have left: for every instant, all that was done before; and some in which
/// what was done since the last flush is partly lost, in pieces of 4 KiB, and in another order.
public final class CrashReplay {
    private static final int TORN_BYTES = 4096;

    /// Looks at one such file.
    public interface Verdict {
        /// @param events how many events came before the crash
        void judge(MemoryFile file, int events) throws IOException;
    }

    private final RecordedFile recorded;
    private final RandomGenerator random;
    private long states;

    public CrashReplay(RecordedFile recorded, RandomGenerator random) {
        this.recorded = recorded;
        this.random = random;
    }

    /// How many files were made.
    public long states() {
        return states;
    }

    /// @param reorderings how many partly lost versions of every instant to try
    public void run(int reorderings, Verdict verdict) throws IOException {
        List<Event> events = recorded.events();
        MemoryFile all = recorded.before();
        MemoryFile durable = recorded.before();
        List<Event> epoch = new ArrayList<>();
        judge(verdict, all.copy(), 0);
        for (int i = 0; i < events.size(); i++) {
            Event event = events.get(i);
            apply(event, all);
            if (event instanceof Event.Flush) {
                durable = all.copy();
                epoch.clear();
                continue;
            }
            epoch.add(event);
            judge(verdict, all.copy(), i + 1);
            for (int r = 0; r < reorderings; r++) {
                MemoryFile torn = durable.copy();
                for (Event piece : shuffled(epoch)) {
                    apply(piece, torn);
                }
                judge(verdict, torn, i + 1);
            }
        }
    }

    private void judge(Verdict verdict, MemoryFile file, int events) throws IOException {
        states++;
        verdict.judge(file, events);
    }

    /// Of everything that does not overlap, some, in any order. Overlapping writes keep their order, as page caches
    /// and disks do.
    private List<Event> shuffled(List<Event> epoch) {
        List<Event> kept = new ArrayList<>();
        int losing = random.nextInt(1, 4);
        for (Event event : epoch) {
            switch (event) {
                case Event.Write write -> {
                    for (int at = 0; at < write.bytes().length; ) {
                        long end = (write.offset() + at) / TORN_BYTES * TORN_BYTES + TORN_BYTES;
                        int length = (int) Math.min(write.bytes().length - at, end - write.offset() - at);
                        if (random.nextInt(4) >= losing) {
                            kept.add(new Event.Write(
                                    write.offset() + at, java.util.Arrays.copyOfRange(write.bytes(), at, at + length)));
                        }
                        at += length;
                    }
                }
                case Event.Zero zero -> {
                    if (random.nextInt(4) >= losing) {
                        kept.add(zero);
                    }
                }
                case Event.Truncate truncate -> kept.add(truncate);
                case Event.Flush _ -> {}
            }
        }
        boolean overlapFree = kept.size() < 200 && overlapFree(kept);
        if (overlapFree) {
            Collections.shuffle(kept, new java.util.Random(random.nextLong()));
        }
        return kept;
    }

    private static boolean overlapFree(List<Event> events) {
        for (int i = 0; i < events.size(); i++) {
            if (!(events.get(i) instanceof Event.Write)) {
                return false;
            }
            for (int j = 0; j < i; j++) {
                var a = (Event.Write) events.get(i);
                var b = (Event.Write) events.get(j);
                if (a.offset() < b.offset() + b.bytes().length && b.offset() < a.offset() + a.bytes().length) {
                    return false;
                }
            }
        }
        return true;
    }

    private static void apply(Event event, MemoryFile file) throws IOException {
        switch (event) {
            case Event.Write write -> file.write(write.offset(), MemorySegment.ofArray(write.bytes()));
            case Event.Zero zero -> file.writeZeroes(zero.offset(), zero.length(), true);
            case Event.Truncate truncate -> file.truncate(truncate.size());
            case Event.Flush _ -> {}
        }
    }
}

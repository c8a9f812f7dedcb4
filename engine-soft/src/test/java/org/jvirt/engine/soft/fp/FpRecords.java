package org.jvirt.engine.soft.fp;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/// Replays a stream of recorded instructions and collects what differs.
final class FpRecords {
    private static final int REPORTED = 20;

    private final List<String> failures = new ArrayList<>();
    private final Set<String> names = new TreeSet<>();
    private long count;

    static FpRecords sse(InputStream in) throws IOException {
        FpRecords all = new FpRecords();
        all.replay(in, SseRecord.BYTES, b -> {
            SseRecord r = SseRecord.read(b);
            all.note(r.name(), r.describe(), r.differences());
        });
        return all;
    }

    static FpRecords x87(InputStream in) throws IOException {
        FpRecords all = new FpRecords();
        all.replay(in, X87Record.BYTES, b -> {
            X87Record r = X87Record.read(b);
            all.note(r.name(), r.describe(), r.differences());
        });
        return all;
    }

    private interface Replay {
        void accept(ByteBuffer record);
    }

    private void replay(InputStream in, int size, Replay replay) throws IOException {
        byte[] bytes = new byte[size];
        try (InputStream buffered = new BufferedInputStream(in, 1 << 16)) {
            while (buffered.readNBytes(bytes, 0, size) == size) {
                replay.accept(ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN));
                count++;
            }
        }
    }

    private void note(String name, String description, List<String> differences) {
        names.add(name);
        if (!differences.isEmpty() && failures.size() < REPORTED) {
            failures.add(description + " -> " + differences);
        }
    }

    /// The first differences.
    List<String> failures() {
        return failures;
    }

    /// The operations seen.
    Set<String> names() {
        return names;
    }

    /// The records read.
    long count() {
        return count;
    }
}

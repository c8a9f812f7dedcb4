package org.jvirt.images.qcow2;

import java.util.ArrayList;
import java.util.List;

/// Runs of guest clusters whose place is being changed; others who would change them wait. Guarded by the volume's
/// lock.
@SuppressWarnings("ReferenceEquality") // the run that was begun, not one like it
final class BusyClusters {
    /// Offset of the first byte, and of the one behind the last.
    record Run(long from, long to) {}

    private final Volume volume;
    private final List<Run> runs = new ArrayList<>();

    BusyClusters(Volume volume) {
        this.volume = volume;
    }

    /// How far behind `from` nothing is busy, up to `to`; 0 if its own cluster is.
    long freeUntil(long from, long to) {
        long end = to;
        for (Run run : runs) {
            if (run.from < end && run.to > from) {
                end = Math.max(from, run.from);
            }
        }
        return end;
    }

    /// Waits until no part of the range is busy.
    void await(long from, long to) {
        while (freeUntil(from, to) < to) {
            volume.changed.awaitUninterruptibly();
        }
    }

    Run begin(long from, long to) {
        var run = new Run(from, to);
        runs.add(run);
        return run;
    }

    void end(Run run) {
        for (int i = 0; i < runs.size(); i++) {
            if (runs.get(i) == run) {
                runs.remove(i);
                break;
            }
        }
        volume.changed.signalAll();
    }
}

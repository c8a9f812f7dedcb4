package org.jvirt.engine.soft.translate.verify;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/// Makes a program whose outcomes differ as small as it can, and writes it down.
final class Shrinker {
    private static final int MOST_TRIALS = 150;

    private final Verifier verifier;
    private final Program original;
    private final Differences first;
    private Program smallest;
    private Differences differences;
    private int trials;

    Shrinker(Verifier verifier, Program original, Differences first) {
        this.verifier = verifier;
        this.original = original;
        this.first = first;
        smallest = original;
        differences = first;
    }

    String report() {
        Differences again = verifier.compareAfresh(original);
        if (again.none()) {
            return "Seed %d with %d entry states: differs only after other programs%n%s%s%n%s"
                    .formatted(
                            original.seed(),
                            original.entries().count(),
                            first,
                            original.kind(),
                            new Code(original).listing());
        }
        differences = again;
        entries();
        items();
        entries();
        verifier.close();
        return "Seed %d with %d entry states, %s%s, as small as it gets:%n%s%s%s"
                .formatted(
                        original.seed(),
                        original.entries().count(),
                        original.kind(),
                        original.writesCode() ? ", writes code" : "",
                        new Code(smallest).listing(),
                        differences,
                        entry());
    }

    private boolean fails(Program candidate) {
        if (trials++ > MOST_TRIALS) {
            return false;
        }
        Differences found = verifier.compareAfresh(candidate);
        if (found.none()) {
            return false;
        }
        smallest = candidate;
        differences = found;
        return true;
    }

    private void entries() {
        int at = differences.firstRecord();
        int count = smallest.entries().count();
        if (at < 0 || count == 1) {
            return;
        }
        if (!fails(smallest.with(smallest.entries().range(at, at + 1))) && at + 1 < count) {
            var _ = fails(smallest.with(smallest.entries().range(0, at + 1)));
        }
    }

    /// Leaves out halves, quarters and so on.
    private void items() {
        for (int size = Math.max(1, smallest.items().size() / 2); size >= 1; size /= 2) {
            int at = 0;
            while (at < smallest.items().size()) {
                List<Item> items = smallest.items();
                Set<Item> dropped = new HashSet<>(items.subList(at, Math.min(items.size(), at + size)));
                Program candidate = smallest.without(dropped::contains);
                if (candidate.items().size() == items.size() || !fails(candidate)) {
                    at += size;
                }
            }
        }
    }

    private String entry() {
        var text = new StringBuilder();
        int last = smallest.entries().count() - 1;
        var slot = ByteBuffer.wrap(smallest.entries().bytes()).order(ByteOrder.LITTLE_ENDIAN);
        int at = last * Slot.BYTES;
        for (int i = 0; i < 16; i++) {
            text.append(String.format(
                    Locale.ROOT,
                    "%s%-3s %016x",
                    i % 4 == 0 ? "\n  " : "  ",
                    Differences.NAMES[i],
                    slot.getLong(at + 8 * i)));
        }
        text.append(String.format(
                Locale.ROOT,
                "%n  rflags %x, fs %x, gs %x, cr0 %x, cr4 %x, xcr0 %x, fcw %x, fsw %x, tags %x, mxcsr %x%n",
                slot.getLong(at + Slot.RFLAGS),
                slot.getLong(at + Slot.FS_BASE),
                slot.getLong(at + Slot.GS_BASE),
                slot.getLong(at + Slot.CR0),
                slot.getLong(at + Slot.CR4),
                slot.getLong(at + Slot.XCR0),
                slot.getShort(at + Slot.EXTENDED) & 0xFFFF,
                slot.getShort(at + Slot.EXTENDED + 2) & 0xFFFF,
                slot.get(at + Slot.EXTENDED + 4) & 0xFF,
                slot.getInt(at + Slot.EXTENDED + 24)));
        return "before entry %d of %d:%s".formatted(last, last + 1, text);
    }
}

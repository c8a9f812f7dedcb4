package org.jvirt.engine.soft.translate.verify;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;

/// A random program with all it meets: its data and the states it is entered with.
///
/// @param start       where in the pages at `codeAddress` the code begins
/// @param writesCode  whether the code is writable
/// @param interrupted whether interrupts come while it runs
/// @param data        one array for each [DataPage] that is memory
record Program(
        long seed,
        CodeKind kind,
        long codeAddress,
        int start,
        boolean writesCode,
        boolean interrupted,
        List<Item> items,
        byte[][] data,
        EntryStates entries) {

    Program with(List<Item> newItems) {
        return new Program(seed, kind, codeAddress, start, writesCode, interrupted, newItems, data, entries);
    }

    Program with(EntryStates newEntries) {
        return new Program(seed, kind, codeAddress, start, writesCode, interrupted, items, data, newEntries);
    }

    /// While it runs, interrupts come at any time.
    Program interruptedAtRandom() {
        return new Program(seed, kind, codeAddress, start, writesCode, true, items, data, entries.withInterrupts());
    }

    /// No interrupts come.
    Program undisturbed() {
        return new Program(seed, kind, codeAddress, start, writesCode, false, items, data, entries);
    }

    /// Where it begins.
    long entry() {
        return codeAddress + start;
    }

    /// Without the items that may be left out and that `dropped` chooses.
    Program without(Predicate<Item> dropped) {
        var kept = new ArrayList<Item>();
        for (Item item : items) {
            boolean needed = item instanceof Item.End || item instanceof Item.Function || item instanceof Item.Return;
            if (needed || !dropped.test(item)) {
                kept.add(item);
            }
        }
        return with(kept);
    }
}

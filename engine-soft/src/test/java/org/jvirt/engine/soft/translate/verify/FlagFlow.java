package org.jvirt.engine.soft.translate.verify;

import java.util.List;
import org.jvirt.x86.FlagMask;
import org.jvirt.x86.Mnemonic;

/// Which status flags have undefined values before each item of a program, and which nobody will look at. What
/// reads an
/// undefined flag may do something else on each processor; [Code] puts a comparison before it. Flags that are
/// replaced unread may have any value when an instruction before that faults.
final class FlagFlow {
    private final List<Item> items;
    private final int[] before;
    private final int[] live;

    FlagFlow(List<Item> items) {
        this.items = items;
        before = new int[items.size() + 1];
        boolean changed = true;
        while (changed) {
            changed = false;
            for (int i = 0; i < items.size(); i++) {
                changed |= spread(i);
            }
        }
        live = new int[items.size() + 1];
        live[items.size()] = FlagMask.STATUS;
        changed = true;
        while (changed) {
            changed = false;
            for (int i = items.size() - 1; i >= 0; i--) {
                int now = liveBefore(i);
                changed |= now != live[i];
                live[i] = now;
            }
        }
    }

    /// Flags that something after the start of item `i` uses, unless there is a fault.
    int live(int i) {
        return live[i];
    }

    private int liveBefore(int i) {
        if (needsFlags(i)) {
            return 0;
        }
        int next = live[i + 1];
        return switch (items.get(i)) {
            case Item.Plain plain -> plain.reads() | next & ~plain.replaces();
            case Item.Branch branch ->
                branch.reads() | (always(branch) ? 0 : next) | live[position(items, branch.target())];
            case Item.Indirect indirect -> live[position(items, indirect.target())];
            case Item.Repeat repeat -> (next | live[position(items, repeat.target())]) & FlagMask.CF;
            case Item.Call call -> live[position(items, call.function())];
            case Item.End e -> FlagMask.STATUS;
            case Item.Function f -> next;
            case Item.Return r -> FlagMask.STATUS;
            case Item.Patch p -> next;
            case Item.Patched p -> next;
        };
    }

    /// Undefined flags before item `i`, and before the comparison that it may need.
    int before(int i) {
        return before[i];
    }

    /// Whether item `i` uses a flag that may be undefined.
    boolean needsFlags(int i) {
        return (before[i] & reads(items.get(i))) != 0;
    }

    /// The position of the first item from `id` on.
    static int position(List<Item> items, int id) {
        int i = 0;
        while (i < items.size() && items.get(i).id() < id) {
            i++;
        }
        return i;
    }

    private static int reads(Item item) {
        return switch (item) {
            case Item.Plain plain -> plain.reads();
            case Item.Branch branch -> branch.reads();
            // counting keeps CF as it is
            case Item.Indirect i -> 0;
            case Item.Repeat r -> 0;
            case Item.Call c -> 0;
            case Item.End e -> 0;
            case Item.Function f -> 0;
            case Item.Return r -> 0;
            case Item.Patch p -> 0;
            case Item.Patched p -> 0;
        };
    }

    private boolean spread(int i) {
        int in = needsFlags(i) ? 0 : before[i];
        return switch (items.get(i)) {
            case Item.Plain plain -> into(i + 1, in & ~plain.defines() | plain.undefined());
            case Item.Branch branch ->
                into(position(items, branch.target()), in) | (!always(branch) && into(i + 1, in));
            case Item.Indirect indirect -> into(position(items, indirect.target()), in);
            case Item.Repeat repeat -> {
                int out = in & FlagMask.CF;
                yield into(i + 1, out) | into(position(items, repeat.target()), out);
            }
            case Item.Call call -> into(position(items, call.function()), in);
            case Item.End e -> false;
            case Item.Function f -> into(i + 1, in);
            case Item.Return r -> returned(i, in);
            case Item.Patch p -> into(i + 1, in);
            case Item.Patched p -> into(i + 1, in);
        };
    }

    private static boolean always(Item.Branch branch) {
        return branch.mnemonic() == Mnemonic.JMP;
    }

    /// A return goes to behind every call of its function.
    private boolean returned(int at, int flags) {
        int function = at;
        while (function > 0 && !(items.get(function) instanceof Item.Function)) {
            function--;
        }
        boolean changed = false;
        for (int i = 0; i < items.size(); i++) {
            if (items.get(i) instanceof Item.Call call && position(items, call.function()) == function) {
                changed |= into(i + 1, flags);
            }
        }
        return changed;
    }

    private boolean into(int i, int flags) {
        int old = before[i];
        before[i] |= flags;
        return before[i] != old;
    }
}

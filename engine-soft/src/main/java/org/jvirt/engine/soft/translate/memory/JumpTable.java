package org.jvirt.engine.soft.translate.memory;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.jvirt.engine.soft.translate.emit.StateLayout;

/// Where indirect branches find their targets: code addresses by the low 16 bits of RIP, a table for each kind of
/// code.
///
/// Every block that an entry leads to checks whether it is the one meant; so the tables must be forgotten only when
/// an address comes to mean other code.
final class JumpTable {
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG;
    private static final int LOG = 1 << 14;

    private final MemorySegment state;
    private final long unknown;
    private final int[] globalLog = new int[LOG];
    private final int[] localLog = new int[LOG];
    private int globals;
    private int locals;

    /// @param unknown where empty entries lead
    JumpTable(MemorySegment state, long unknown) {
        this.state = state;
        this.unknown = unknown;
        clearAll();
    }

    private static int entry(long rip, int mode) {
        return StateLayout.jumps(mode) + (int) (rip & StateLayout.JUMP_ENTRIES - 1) * 8;
    }

    void set(long rip, int mode, long code, boolean global) {
        int at = entry(rip, mode);
        if (global) {
            if (globals == LOG) {
                clearNoted();
            }
            globalLog[globals++] = at;
        } else {
            if (locals == LOG) {
                clearLocal();
            }
            localLog[locals++] = at;
        }
        state.set(LONG, at, code);
    }

    /// Forgets an entry if it leads to `code`.
    void drop(long rip, int mode, long code) {
        int at = entry(rip, mode);
        if (state.get(LONG, at) == code) {
            state.set(LONG, at, unknown);
        }
    }

    void clearAll() {
        for (int i = 0; i < StateLayout.JUMP_TABLES * StateLayout.JUMP_ENTRIES; i++) {
            state.set(LONG, StateLayout.JUMPS + i * 8L, unknown);
        }
        globals = 0;
        locals = 0;
    }

    /// All that is not on global pages.
    void clearLocal() {
        for (int i = 0; i < locals; i++) {
            state.set(LONG, localLog[i], unknown);
        }
        locals = 0;
    }

    /// All, at the cost of what there is.
    void clearNoted() {
        clearLocal();
        for (int i = 0; i < globals; i++) {
            state.set(LONG, globalLog[i], unknown);
        }
        globals = 0;
    }
}

package org.jvirt.engine.soft.translate.memory;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.jvirt.engine.soft.translate.emit.CodeMode;
import org.jvirt.engine.soft.translate.emit.StateLayout;

/// Where indirect branches find their targets: code addresses by the low 16 bits of RIP, a table for each kind of
/// code.
///
/// Every block that an entry leads to checks whether it is the one meant; so the tables must be forgotten only when
/// an address comes to mean other code. What is lost so, or to another address, 64-bit code finds in a second
/// table, whose entries hold for a generation, and in others where their page is known to be the same.
final class JumpTable {
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG;
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;
    private static final long PAGE = -4096L;
    private static final int LOG = 1 << 14;
    private static final int GLOBAL = 1;
    private static final int LOCAL = 2;

    private final MemorySegment state;
    private final long[] unknown;
    /// Which logs entries are in.
    private final byte[] logged = new byte[StateLayout.JUMP_TABLES * StateLayout.JUMP_ENTRIES];

    private final int[] globalLog = new int[LOG];
    private final int[] localLog = new int[LOG];
    private int globals;
    private int locals;

    /// @param unknown where empty entries lead, by table
    JumpTable(MemorySegment state, long[] unknown) {
        this.state = state;
        this.unknown = unknown;
        clearAll();
    }

    private static int entry(long rip, int mode) {
        return StateLayout.jumps(mode) + (int) (rip & StateLayout.JUMP_ENTRIES - 1) * 8;
    }

    /// Whether `rip` leads to `code`.
    boolean leads(long rip, int mode, long code) {
        return state.get(LONG, entry(rip, mode)) == code;
    }

    /// @param global     it does so in every address space
    /// @param generation as long as it lasts
    /// @param page       the backing page that the code depends on, where `rip` leads now, or -1 for more than one
    void set(long rip, int mode, long code, boolean global, long generation, long page) {
        int at = entry(rip, mode);
        if (!CodeMode.is32(mode)) {
            setTarget(rip, mode, code, generation, page);
            if (page >= 0) {
                int codePage = StateLayout.codePage(mode, rip);
                state.set(LONG, codePage, rip & PAGE);
                state.set(
                        LONG,
                        codePage + StateLayout.CODE_PAGE_GENERATION,
                        state.get(LONG, StateLayout.LOCAL_GENERATION));
                state.set(LONG, codePage + StateLayout.CODE_PAGE_BACKING, page + 1);
            }
        }
        int number = at - StateLayout.JUMPS >> 3;
        if (global && (logged[number] & GLOBAL) == 0) {
            if (globals == LOG) {
                clearNoted();
            }
            logged[number] |= GLOBAL;
            globalLog[globals++] = number;
        } else if (!global && (logged[number] & LOCAL) == 0) {
            if (locals == LOG) {
                clearLocal();
            }
            logged[number] |= LOCAL;
            localLog[locals++] = number;
        }
        state.set(LONG, at, code);
    }

    /// As [#set], but in the second table only, which 64-bit code has.
    void setTarget(long rip, int mode, long code, long generation, long page) {
        int target = StateLayout.target(mode, rip);
        state.set(LONG, target, rip);
        state.set(LONG, target + StateLayout.TARGET_GENERATION, generation);
        state.set(LONG, target + StateLayout.TARGET_CODE, code);
        state.set(LONG, target + StateLayout.TARGET_PAGE, page + 1);
    }

    /// Forgets an entry if it leads to `code`.
    void drop(long rip, int mode, long code) {
        int at = entry(rip, mode);
        if (state.get(LONG, at) == code) {
            forget(at - StateLayout.JUMPS >> 3);
        }
        if (!CodeMode.is32(mode)) {
            int target = StateLayout.target(mode, rip);
            if (state.get(LONG, target + StateLayout.TARGET_CODE) == code) {
                state.set(LONG, target + StateLayout.TARGET_GENERATION, 0);
                state.set(LONG, target + StateLayout.TARGET_PAGE, 0);
            }
        }
    }

    /// The generations that hold from now on.
    void generations(long global, long local) {
        state.set(LONG, StateLayout.GLOBAL_GENERATION, global);
        state.set(LONG, StateLayout.LOCAL_GENERATION, local);
    }

    void clearAll() {
        for (int i = 0; i < StateLayout.JUMP_TABLES * StateLayout.JUMP_ENTRIES; i++) {
            forget(i);
        }
        globals = 0;
        locals = 0;
    }

    /// All that is not on global pages.
    void clearLocal() {
        for (int i = 0; i < locals; i++) {
            forget(localLog[i], LOCAL);
        }
        locals = 0;
        int filled = state.get(INT, StateLayout.JUMP_COUNT);
        for (int i = 0; i < filled; i++) {
            forget(state.get(INT, StateLayout.JUMP_LOG + 4L * i));
        }
        state.set(INT, StateLayout.JUMP_COUNT, 0);
    }

    /// All, at the cost of what there is.
    void clearNoted() {
        clearLocal();
        for (int i = 0; i < globals; i++) {
            forget(globalLog[i], GLOBAL);
        }
        globals = 0;
    }

    private void forget(int number) {
        state.set(LONG, StateLayout.JUMPS + number * 8L, unknown[number / StateLayout.JUMP_ENTRIES]);
    }

    private void forget(int number, int log) {
        forget(number);
        logged[number] &= (byte) ~log;
    }
}

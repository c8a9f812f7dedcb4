package org.jvirt.engine.soft.translate.emit;

import java.util.Arrays;
import org.jvirt.x86.Instruction;
import org.jvirt.x86.Mnemonic;
import org.jvirt.x86.OperandKind;

/// Which memory accesses of a block one check can stand for: those at constant distances from one base register, or
/// from one base and index, while these do not change or change by constants.
///
/// ```
/// push rbp            ┐
/// mov rbp,rsp         │ one check: 40 bytes below RSP, for writing
/// sub rsp,0x18        │
/// mov [rsp+8],rdi     ┘
/// mov rax,[rdi+16]    ┐ one check: 24 bytes at RDI+16, for reading
/// mov rdx,[rdi+32]    ┘
/// ```
///
/// In a loop, what base and index become from turn to turn may be known: a check of such a *steady* access is
/// done once for as many turns as stay on its page.
///
/// A check only looks: it is done before the first of its accesses, or before an earlier instruction where no flags
/// are live. Where it fails, the block is left for one that checks each access by itself.
///
/// One per processor, reused; not thread-safe.
public final class AccessPlan {
    static final int NONE = -1;
    /// Checks in a block, at most.
    static final int MAX_CHECKS = 16;

    private static final int MAX_INSTRUCTIONS = 64;
    private static final int REGISTERS = 16;
    private static final int RAX = 0;
    private static final int RDX = 2;
    private static final int RSP = 4;
    private static final int WORD = 8;
    /// Bytes that a check covers: what is longer crosses pages too often.
    private static final int MAX_SPAN = 256;

    private static final int MAX_SIZE = 64;
    /// How far a steady access moves in a turn, at most: what moves further soon leaves the page.
    private static final int MAX_STRIDE = 512;

    /// By instruction.
    private final int[] explicit = new int[MAX_INSTRUCTIONS];

    private final int[] stack = new int[MAX_INSTRUCTIONS];
    private final long[] position = new long[MAX_INSTRUCTIONS];
    private final long[] stackOffset = new long[MAX_INSTRUCTIONS];
    private final boolean[] keepsScratch = new boolean[MAX_INSTRUCTIONS];
    private final boolean[] mayDelay = new boolean[MAX_INSTRUCTIONS];
    private final boolean[] usesScratchFirst = new boolean[MAX_INSTRUCTIONS];

    /// By check.
    private final int[] at = new int[MAX_CHECKS];

    private final int[] earliest = new int[MAX_CHECKS];
    private final int[] base = new int[MAX_CHECKS];
    private final int[] index = new int[MAX_CHECKS];
    private final int[] scale = new int[MAX_CHECKS];
    private final int[] baseVersion = new int[MAX_CHECKS];
    private final int[] indexVersion = new int[MAX_CHECKS];
    private final long[] indexOffset = new long[MAX_CHECKS];
    private final long[] low = new long[MAX_CHECKS];
    private final long[] high = new long[MAX_CHECKS];
    private final long[] origin = new long[MAX_CHECKS];
    private final boolean[] writes = new boolean[MAX_CHECKS];
    private final int[] alignment = new int[MAX_CHECKS];
    private final long[] phase = new long[MAX_CHECKS];
    private final int[] uses = new int[MAX_CHECKS];
    private final boolean[] kept = new boolean[MAX_CHECKS];
    private final int[] names = new int[MAX_CHECKS];
    private final boolean[] steady = new boolean[MAX_CHECKS];
    private final int[] stride = new int[MAX_CHECKS];
    private final int[] mover = new int[MAX_CHECKS];
    private int checks;
    private boolean anySteady;
    private boolean allSteady;
    private boolean leavesScratch;
    private int clock;

    /// By register: it is what it was when its version began, plus the offset.
    private final int[] version = new int[REGISTERS];

    private final long[] offset = new long[REGISTERS];
    /// Whether it has ever become something unknown, and whether it has ever changed by a constant.
    private final boolean[] changed = new boolean[REGISTERS];

    private final boolean[] moved = new boolean[REGISTERS];
    private int lastVersion;
    private int stackSince;
    /// Instructions that may change anything, so far.
    private int unknowns;

    /// Each access is to be checked by itself.
    public void clear() {
        checks = 0;
        anySteady = false;
        allSteady = false;
        leavesScratch = false;
    }

    /// Plans a block of `count` instructions at `offsets` from `rip`.
    ///
    /// @param live    the flags that matter before each
    /// @param vectors which of them are vector instructions that the host executes
    /// @param loop    whether the block repeats itself: its single accesses have checks of their own, too
    public void plan(
            Instruction[] instructions,
            int[] offsets,
            long rip,
            int[] live,
            boolean[] vectors,
            int count,
            boolean loop) {
        clear();
        unknowns = 0;
        changeAll(0);
        Arrays.fill(changed, false);
        Arrays.fill(moved, false);
        Arrays.fill(stack, 0, count, NONE);
        Arrays.fill(explicit, 0, count, NONE);
        for (int i = 0; i < count; i++) {
            stackOffset[i] = offset[RSP];
            note(instructions[i], vectors[i], i, rip + offsets[i]);
        }
        boolean straight = loop && live[0] == 0 && !rejoins(instructions, offsets, count);
        for (int c = 0; c < checks; c++) {
            steady[c] = straight && unknowns == 1 && findClock() && findStride(c);
        }
        choose(live, loop);
        for (int i = 0; i < count; i++) {
            explicit[i] = explicit[i] < 0 ? NONE : names[explicit[i]];
            stack[i] = stack[i] < 0 ? NONE : names[stack[i]];
            classify(instructions[i], vectors[i], i);
        }
        keep(count);
        findSteady(instructions, vectors, count);
    }

    // ---------------------------------------------------------------- what was planned

    int checks() {
        return checks;
    }

    /// The instruction before which a check is done.
    int at(int check) {
        return at[check];
    }

    /// A guest register, or -1.
    int base(int check) {
        return base[check];
    }

    int index(int check) {
        return index[check];
    }

    int scale(int check) {
        return scale[check];
    }

    /// The displacement from base and index, as they are at the check, of the first byte that it covers.
    long displacement(int check) {
        return low[check] - origin[check];
    }

    /// How many bytes it covers.
    int span(int check) {
        return (int) (high[check] - low[check]);
    }

    boolean writes(int check) {
        return writes[check];
    }

    /// What its first byte must be aligned to, or 0.
    int alignment(int check) {
        return alignment[check];
    }

    /// Whether it is done once for several turns of the loop, before the block's first instruction.
    boolean isSteady(int check) {
        return steady[check];
    }

    boolean anySteady() {
        return anySteady;
    }

    /// Whether no access of the loop has a check of another kind.
    boolean allSteady() {
        return allSteady;
    }

    /// Whether the loop's turns use neither R13 nor RCX but for what its checks have found.
    boolean leavesScratch() {
        return leavesScratch;
    }

    /// A register that changes by [#step] in each turn.
    int clock() {
        return clock;
    }

    int step() {
        return (int) offset[clock];
    }

    /// The bytes that a steady access moves in a turn.
    int stride(int check) {
        return stride[check];
    }

    /// The register, one of base and index, that a steady access moves with; or [#NONE] for none.
    int mover(int check) {
        return mover[check];
    }

    /// The displacement from base and index, as they are at the beginning of a turn, of the first byte that a
    /// steady check covers.
    long displacementAtStart(int check) {
        return low[check] + (index[check] < 0 ? 0 : indexOffset[check] << scale[check]);
    }

    /// Whether it covers what is at constants from RSP.
    boolean isStack(int check) {
        return base[check] == RSP && index[check] < 0;
    }

    /// Whether its result is needed after R13 has been used for something else.
    boolean isKept(int check) {
        return kept[check];
    }

    /// How many accesses it stands for.
    int uses(int check) {
        return uses[check];
    }

    /// The check that stands for the memory operand of instruction `i`, or [#NONE].
    int explicit(int i) {
        return checks == 0 ? NONE : explicit[i];
    }

    /// The check that stands for what instruction `i` pushes or pops, or [#NONE].
    int stack(int i) {
        return checks == 0 ? NONE : stack[i];
    }

    /// How far the memory operand of instruction `i` is from the first byte that its check covers.
    int distance(int i) {
        return (int) (position[i] - low[explicit[i]]);
    }

    /// Whether R13 is after instruction `i` what it was before.
    boolean keepsScratch(int i) {
        return checks != 0 && keepsScratch[i];
    }

    /// Whether changes of RSP may wait until after instruction `i`.
    public boolean mayDelay(int i) {
        return checks != 0 && mayDelay[i];
    }

    // ---------------------------------------------------------------- what instructions do

    private void change(int register, int since) {
        changed[register] = true;
        version[register] = ++lastVersion;
        offset[register] = 0;
        if (register == RSP) {
            stackSince = since;
        }
    }

    private void changeAll(int since) {
        unknowns++;
        for (int r = 0; r < REGISTERS; r++) {
            change(r, since);
        }
    }

    private void note(Instruction insn, boolean vector, int i, long rip) {
        Effect effect = Effect.of(insn, vector);
        if (effect != Effect.OTHER && isAddress(insn)) {
            noteMemory(insn, i, rip);
        }
        switch (effect) {
            case NAMED -> noteNamed(insn, i);
            case ACCUMULATOR -> {
                change(RAX, i + 1);
                change(RDX, i + 1);
                noteNamed(insn, i);
            }
            case STACK -> noteStack(insn, i);
            case BRANCH -> noteBranch(insn, i);
            case OTHER -> changeAll(i + 1);
        }
    }

    /// Whether there is a memory operand whose address can be computed before the instruction.
    private static boolean isAddress(Instruction insn) {
        return accessesMemory(insn)
                && insn.row().hasModRm()
                && !insn.row().bitBase()
                && insn.addressSize() == 8
                && insn.vectorIndexSize() == 0
                && insn.segment() != Instruction.FS
                && insn.segment() != Instruction.GS;
    }

    private static boolean accessesMemory(Instruction insn) {
        return insn.memoryOperand() >= 0 && insn.row().accessesMemory();
    }

    private void noteNamed(Instruction insn, int i) {
        if (moves(insn)) {
            return;
        }
        for (int k = 0; k < insn.operandCount(); k++) {
            boolean general = insn.kind(k) == OperandKind.GPR || insn.kind(k) == OperandKind.GPR8_HIGH;
            if (general && insn.row().access(k).writes()) {
                change(insn.register(k), i + 1);
            }
        }
    }

    /// Whether the instruction adds a constant to a register; if so, that is noted.
    private boolean moves(Instruction insn) {
        if (insn.operandCount() == 0 || insn.kind(0) != OperandKind.GPR || insn.size(0) != WORD) {
            return false;
        }
        int to = insn.register(0);
        switch (insn.mnemonic()) {
            case ADD, SUB -> {
                if (insn.kind(1) != OperandKind.IMMEDIATE) {
                    return false;
                }
                moved[to] = true;
                offset[to] += insn.mnemonic() == Mnemonic.ADD ? insn.immediate() : -insn.immediate();
                return true;
            }
            case INC -> {
                moved[to] = true;
                offset[to]++;
                return true;
            }
            case DEC -> {
                moved[to] = true;
                offset[to]--;
                return true;
            }
            case LEA -> {
                if (insn.base() != to || insn.index() >= 0 || insn.addressSize() != WORD) {
                    return false;
                }
                moved[to] = true;
                offset[to] += insn.displacement();
                return true;
            }
            default -> {
                return false;
            }
        }
    }

    private void noteStack(Instruction insn, int i) {
        if (insn.mnemonic() == Mnemonic.PUSH) {
            noteWord(true, i);
        } else {
            noteWord(false, i);
            change(insn.register(0), i + 1);
        }
    }

    private void noteBranch(Instruction insn, int i) {
        switch (insn.mnemonic()) {
            case CALL -> noteWord(true, i);
            case RET -> noteWord(false, i);
            default -> {
                // RSP stays
            }
        }
    }

    private void noteWord(boolean push, int i) {
        moved[RSP] = true;
        if (push) {
            offset[RSP] -= WORD;
        }
        stack[i] = join(RSP, NONE, 0, offset[RSP], WORD, push, 0, i);
        if (!push) {
            offset[RSP] += WORD;
        }
    }

    private void noteMemory(Instruction insn, int i, long rip) {
        int memory = insn.memoryOperand();
        int size = insn.size(memory);
        if (size <= 0 || size > MAX_SIZE) {
            return;
        }
        boolean relative = insn.base() == Instruction.RIP;
        int b = relative ? NONE : insn.base();
        long start = insn.displacement() + (relative ? rip + insn.length() : 0) + (b < 0 ? 0 : offset[b]);
        position[i] = start;
        boolean write = insn.row().access(memory).writes();
        explicit[i] = join(b, insn.index(), insn.scale(), start, size, write, insn.alignment(), i);
    }

    private int join(int b, int x, int s, long start, int size, boolean write, int aligned, int i) {
        for (int c = checks - 1; c >= 0; c--) {
            if (base[c] == b && index[c] == x && scale[c] == s && isCurrent(c) && fits(c, start, size, aligned)) {
                low[c] = Math.min(low[c], start);
                high[c] = Math.max(high[c], start + size);
                if (aligned > 1) {
                    alignment[c] = aligned;
                    phase[c] = start;
                }
                writes[c] |= write;
                uses[c]++;
                return c;
            }
        }
        if (checks == MAX_CHECKS) {
            return NONE;
        }
        int c = checks++;
        at[c] = i;
        earliest[c] = b == RSP ? stackSince : i;
        base[c] = b;
        index[c] = x;
        scale[c] = s;
        baseVersion[c] = b < 0 ? unknowns : version[b];
        indexVersion[c] = x < 0 ? 0 : version[x];
        indexOffset[c] = x < 0 ? 0 : offset[x];
        low[c] = start;
        high[c] = start + size;
        origin[c] = b < 0 ? 0 : b == RSP ? stackOffset[i] : offset[b];
        writes[c] = write;
        alignment[c] = aligned > 1 ? aligned : 0;
        phase[c] = start;
        uses[c] = 1;
        return c;
    }

    /// Whether base and index are what they were when the check was noted, but for constants in the base.
    private boolean isCurrent(int c) {
        int b = base[c];
        int x = index[c];
        return baseVersion[c] == (b < 0 ? unknowns : version[b])
                && (x < 0 || indexVersion[c] == version[x] && indexOffset[c] == offset[x]);
    }

    private boolean fits(int c, long start, int size, int aligned) {
        if (Math.max(high[c], start + size) - Math.min(low[c], start) > MAX_SPAN) {
            return false;
        }
        return aligned <= 1 || alignment[c] == 0 || alignment[c] == aligned && (start - phase[c] & aligned - 1) == 0;
    }

    // ---------------------------------------------------------------- what moves steadily

    /// Finds out how a check moves from turn to turn; false if that is not known, or too far.
    private boolean findStride(int c) {
        int b = base[c];
        int x = index[c];
        boolean known = (b < 0 || !changed[b]) && (x < 0 || !changed[x]);
        boolean withBase = b >= 0 && moved[b];
        boolean withIndex = x >= 0 && moved[x];
        if (!known || withBase && withIndex || isStack(c)) {
            return false;
        }
        mover[c] = withBase ? b : withIndex ? x : NONE;
        long bytes = withBase ? offset[b] : withIndex ? offset[x] << scale[c] : 0;
        long start = displacementAtStart(c);
        if (Math.abs(bytes) > MAX_STRIDE || mover[c] >= 0 && BlockEmitter.host(mover[c]) < 0) {
            return false;
        }
        if ((b >= 0 || x >= 0) && start - MAX_SPAN != (int) (start - MAX_SPAN)) {
            return false;
        }
        stride[c] = (int) bytes;
        return alignment[c] <= 1 || (bytes & alignment[c] - 1) == 0;
    }

    /// Whether a way out leads to a later place of the loop: from there the beginning is reached from outside each
    /// time.
    private static boolean rejoins(Instruction[] instructions, int[] offsets, int count) {
        for (int i = 0; i < count - 1; i++) {
            if (instructions[i].row().branch()) {
                long target = offsets[i + 1] + instructions[i].immediate();
                if (target >= 0 && target < offsets[count]) {
                    return true;
                }
            }
        }
        return false;
    }

    /// Finds a register of the host's that changes by a constant from turn to turn.
    private boolean findClock() {
        for (clock = REGISTERS - 1; clock >= 0; clock--) {
            boolean known = !changed[clock] && offset[clock] != 0 && offset[clock] == (int) offset[clock];
            if (known && BlockEmitter.host(clock) >= 0) {
                return true;
            }
        }
        return false;
    }

    private void findSteady(Instruction[] instructions, boolean[] vectors, int count) {
        for (int c = 0; c < checks; c++) {
            anySteady |= steady[c];
        }
        allSteady = anySteady;
        for (int i = 0; i < count; i++) {
            boolean covered = explicit[i] >= 0 && steady[explicit[i]];
            allSteady &= stack[i] < 0 && (covered || !accessesMemory(instructions[i]));
        }
        leavesScratch = allSteady;
        for (int i = 0; i < count; i++) {
            leavesScratch &= Effect.leavesScratch(instructions[i], vectors[i]);
        }
    }

    // ---------------------------------------------------------------- what is worth while

    /// Finds the places of checks of the stack, and drops checks that are not worth while.
    private void choose(int[] live, boolean loop) {
        int left = 0;
        for (int c = 0; c < checks; c++) {
            if (isStack(c)) {
                place(c, live);
            }
            boolean worth = uses[c] > 1 || loop || isStack(c) && live[at[c]] == 0;
            if (!worth || isFar(c)) {
                names[c] = NONE;
                continue;
            }
            if (alignment[c] > 1) {
                low[c] -= low[c] - phase[c] & alignment[c] - 1;
            }
            names[c] = left;
            move(c, left++);
        }
        checks = left;
    }

    private void place(int c, int[] live) {
        int place = at[c];
        while (place > earliest[c] && live[place] != 0) {
            place--;
        }
        if (live[place] == 0) {
            at[c] = place;
            origin[c] = stackOffset[place];
        }
    }

    /// Whether its displacement may be too long for an address.
    private boolean isFar(int c) {
        long distance = low[c] - origin[c] - MAX_SPAN;
        return (base[c] >= 0 || index[c] >= 0) && distance != (int) distance;
    }

    private void move(int c, int to) {
        at[to] = at[c];
        base[to] = base[c];
        index[to] = index[c];
        scale[to] = scale[c];
        low[to] = low[c];
        high[to] = high[c];
        origin[to] = origin[c];
        writes[to] = writes[c];
        alignment[to] = alignment[c];
        uses[to] = uses[c];
        indexOffset[to] = indexOffset[c];
        steady[to] = steady[c];
        stride[to] = stride[c];
        mover[to] = mover[c];
        kept[to] = false;
    }

    private void classify(Instruction insn, boolean vector, int i) {
        Effect effect = Effect.of(insn, vector);
        boolean memory = accessesMemory(insn);
        keepsScratch[i] = switch (effect) {
            case NAMED -> (!memory || explicit[i] >= 0) && Effect.keepsScratch(insn);
            case STACK -> !memory && stack[i] >= 0;
            // one that does not end the block
            case BRANCH -> true;
            case ACCUMULATOR, OTHER -> false;
        };
        usesScratchFirst[i] = memory && effect == Effect.STACK
                || insn.mnemonic() == Mnemonic.CALL && insn.kind(0) != OperandKind.RELATIVE;
        mayDelay[i] = switch (effect) {
            case NAMED -> !memory && !Effect.names(insn, RSP);
            case STACK -> !memory && stack[i] >= 0 && !Effect.names(insn, RSP);
            case BRANCH -> !memory && stack[i] >= 0 && !usesScratchFirst[i];
            case ACCUMULATOR, OTHER -> false;
        };
    }

    /// Finds the checks whose result is needed after R13 has been used for something else.
    private void keep(int count) {
        int current = NONE;
        for (int i = 0; i < count && checks != 0; i++) {
            for (int c = 0; c < checks; c++) {
                if (at[c] == i && !steady[c]) {
                    current = c;
                }
            }
            current = use(explicit[i], current);
            if (usesScratchFirst[i]) {
                current = NONE;
            }
            current = use(stack[i], current);
            if (!keepsScratch[i]) {
                current = NONE;
            }
        }
    }

    private int use(int check, int current) {
        if (check < 0) {
            return current;
        }
        kept[check] |= current != check;
        return check;
    }
}

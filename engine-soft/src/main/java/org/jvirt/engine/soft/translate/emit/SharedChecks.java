package org.jvirt.engine.soft.translate.emit;

import static org.jvirt.engine.soft.translate.emit.AccessPlan.NONE;
import static org.jvirt.engine.soft.translate.emit.BlockEmitter.GUEST_RSP;
import static org.jvirt.engine.soft.translate.emit.BlockEmitter.R13;
import static org.jvirt.engine.soft.translate.emit.BlockEmitter.RCX;
import static org.jvirt.engine.soft.translate.emit.BlockEmitter.RSP;

import java.util.Arrays;
import org.jvirt.x86.CodeWriter;
import org.jvirt.x86.Instruction;

/// Writes the checks of an [AccessPlan], and says what their accesses become.
///
/// The result of a check is in R13, and where that will be used for other things, in the state block: what to add
/// to an address to get the host's, if the address is one host register and a constant; else the host's address
/// of the first byte.
///
/// ```
/// stack        lea rcx,[r15-8]; add rcx,[-page]; cmp; ja    r13 ← distance of the page in the stack's entry
/// once a loop  lea rcx,[…]; sub rcx,[page]; cmp; ja         r13 ← the same of the site's own entry
/// others       lea rcx,[…]; the TLB; cmp; ja                r13 ← the same of the TLB's entry
/// ```
///
/// Steady checks are done before the loop's first instruction, for as many turns as stay on their pages. A register
/// that changes by a constant tells when these are over.
final class SharedChecks {
    private static final int ADD_FROM_MEMORY = 0x03;
    /// IMUL of a register with a constant, and what it needs for R13.
    private static final int MULTIPLY = 0x69;

    private static final int REX_WRB = 0x4D;
    private static final int R13_BY_R13 = 0xED;
    private static final int PAGE = 4096;
    /// Turns of a loop without a look at requests, at most: of one that cannot miss, and of others.
    private static final int MOST_TURNS = 4096;

    private static final int MOST_TURNS_WITH_OTHERS = 128;

    private final BlockEmitter e;
    private final CodeWriter w;

    /// What is planned for the block at hand.
    private AccessPlan plan = new AccessPlan();

    private Sites sites = new Sites();
    private boolean loop;
    /// The check whose result is in R13.
    private int held = NONE;
    /// The check whose result is in RCX throughout the turns of a loop.
    private int inRcx = NONE;
    /// Whether RCX tells the last turn.
    private boolean clockInRcx;

    private final int[] places = new int[AccessPlan.MAX_CHECKS];
    private int sitesUsed;

    private int failures;
    private final int[] jump = new int[AccessPlan.MAX_CHECKS];
    private final int[] misaligned = new int[AccessPlan.MAX_CHECKS];
    private final int[] retry = new int[AccessPlan.MAX_CHECKS];
    private final int[] site = new int[AccessPlan.MAX_CHECKS];
    private final int[] check = new int[AccessPlan.MAX_CHECKS];
    private final long[] rip = new long[AccessPlan.MAX_CHECKS];
    private final int[] note = new int[AccessPlan.MAX_CHECKS];
    private final boolean[] flagsSaved = new boolean[AccessPlan.MAX_CHECKS];

    SharedChecks(BlockEmitter emitter) {
        e = emitter;
        w = emitter.code();
    }

    void begin(AccessPlan newPlan, Sites newSites, boolean inLoop) {
        plan = newPlan;
        sites = newSites;
        loop = inLoop;
        held = NONE;
        inRcx = NONE;
        clockInRcx = false;
        failures = 0;
        sitesUsed = 0;
    }

    AccessPlan plan() {
        return plan;
    }

    /// The places of the entries that the block's accesses have for themselves.
    int[] sites() {
        return Arrays.copyOf(places, sitesUsed);
    }

    /// R13 is used for something else.
    void scratchUsed() {
        held = NONE;
    }

    /// Writes the checks that come before instruction `i`.
    void before(int i) {
        if (i > 0 && !plan.keepsScratch(i - 1)) {
            held = NONE;
        }
        for (int c = 0; c < plan.checks(); c++) {
            if (plan.at(c) == i && !plan.isSteady(c)) {
                e.flushStackPointer();
                e.keepFlags();
                write(c);
                if (plan.isKept(c)) {
                    w.store(8, R13, RSP, StateLayout.SHARED + 8 * c);
                }
                held = c;
            }
        }
    }

    /// Writes the checks that are done once for several turns, and answers the way in for the turns after the
    /// first.
    ///
    /// @param head where the checks begin, with a look at requests
    int beforeTurns(int head) {
        w.storeConstant(4, plan.allSteady() ? MOST_TURNS : MOST_TURNS_WITH_OTHERS, RSP, NONE, StateLayout.TURNS);
        for (int c = 0; c < plan.checks(); c++) {
            if (plan.isSteady(c)) {
                writeSteady(c);
            }
        }
        // the last turn is known by what it leaves in a register: to count in memory would take longer than a turn
        int clock = BlockEmitter.host(plan.clock());
        w.load(4, R13, RSP, StateLayout.TURNS);
        multiplyR13(plan.step());
        clockInRcx = plan.leavesScratch() && plan.checks() == 1;
        if (clockInRcx) {
            w.lea(8, RCX, R13, clock, 0, 0);
        } else {
            w.lea(8, R13, R13, clock, 0, 0);
            w.store(8, R13, RSP, StateLayout.LAST_TURN);
        }
        held = NONE;
        if (plan.leavesScratch()) {
            holdForTurns();
        }
        int again = w.size();
        if (clockInRcx) {
            w.arithmeticRegister(CodeWriter.CMP, 8, clock, RCX);
        } else {
            w.arithmeticMemory(CodeWriter.CMP, 8, clock, RSP, NONE, StateLayout.LAST_TURN);
        }
        w.jumpBackIf(CodeWriter.EQUAL, head);
        return again;
    }

    /// Gives the scratch registers to what turns would load again and again.
    private void holdForTurns() {
        int checks = plan.checks();
        if (!clockInRcx) {
            inRcx = 0;
            for (int c = 1; c < checks; c++) {
                inRcx = plan.uses(c) > plan.uses(inRcx) ? c : inRcx;
            }
            w.load(8, RCX, RSP, StateLayout.SHARED + 8 * inRcx);
        }
        if (checks <= 2) {
            bring(inRcx == 0 ? 1 : 0);
        }
    }

    private void multiplyR13(int factor) {
        if (factor == 1) {
            return;
        }
        w.byte1(REX_WRB);
        w.byte1(MULTIPLY);
        w.byte1(R13_BY_R13);
        w.int4(factor);
    }

    private void writeSteady(int c) {
        int f = failures++;
        check[f] = c;
        rip[f] = e.rip();
        flagsSaved[f] = false;
        note[f] = NONE;
        retry[f] = w.size();
        e.emitAddress(plan.base(c), plan.index(c), plan.scale(c), plan.displacementAtStart(c));
        int own = sites.next(e.context(), plan.writes(c));
        site[f] = own;
        places[sitesUsed++] = own;
        w.arithmeticMemory(CodeWriter.SUB, 8, RCX, RSP, NONE, own);
        compare(c, f);
        countTurns(c);
        int mover = plan.mover(c);
        if (mover < 0) {
            w.load(8, R13, RSP, own + StateLayout.SITE_PAGE);
            w.lea(8, R13, R13, RCX, 0, 0);
        } else {
            w.load(8, R13, RSP, own + StateLayout.SITE_DISTANCE);
            if (plan.index(c) >= 0 && plan.base(c) >= 0) {
                boolean byBase = mover == plan.base(c);
                int other = byBase ? plan.index(c) : plan.base(c);
                int host = BlockEmitter.host(other);
                if (host < 0) {
                    e.read(RCX, other);
                    host = RCX;
                }
                w.lea(8, R13, R13, host, byBase ? plan.scale(c) : 0, 0);
            }
        }
        w.store(8, R13, RSP, StateLayout.SHARED + 8 * c);
    }

    /// Lowers the count of turns to those that leave the access, at the distance from its page in RCX, on its page.
    private void countTurns(int c) {
        int stride = plan.stride(c);
        if (stride == 0) {
            return;
        }
        if (stride > 0) {
            w.constant(R13, PAGE - plan.span(c));
            w.arithmeticRegister(CodeWriter.SUB, 4, R13, RCX);
        } else {
            w.move32(R13, RCX);
        }
        int shift = Integer.SIZE - Integer.numberOfLeadingZeros(Math.abs(stride) - 1);
        if (shift > 0) {
            w.shift(CodeWriter.SHR, 4, R13, shift);
        }
        w.arithmetic(CodeWriter.ADD, 4, R13, 1);
        w.arithmeticMemory(CodeWriter.CMP, 4, R13, RSP, NONE, StateLayout.TURNS);
        int enough = w.jumpIf(CodeWriter.ABOVE_EQUAL);
        w.store(4, R13, RSP, StateLayout.TURNS);
        w.here(enough);
    }

    private void write(int c) {
        int f = failures++;
        check[f] = c;
        rip[f] = e.rip();
        flagsSaved[f] = e.areFlagsSaved();
        note[f] = e.note();
        retry[f] = w.size();
        site[f] = NONE;
        e.emitAddress(plan.base(c), plan.index(c), plan.scale(c), plan.displacement(c));
        if (plan.isStack(c)) {
            int entry = StateLayout.stackPage(e.context(), true);
            w.memory(ADD_FROM_MEMORY, 8, RCX, RSP, NONE, 0, entry);
            compare(c, f);
            w.load(8, R13, RSP, entry + 8);
            return;
        }
        boolean writes = plan.writes(c);
        if (loop) {
            int own = sites.next(e.context(), writes);
            site[f] = own;
            places[sitesUsed++] = own;
            w.arithmeticMemory(CodeWriter.SUB, 8, RCX, RSP, NONE, own);
            compare(c, f);
            w.load(8, R13, RSP, own + (isDistance(c) ? StateLayout.SITE_DISTANCE : StateLayout.SITE_PAGE));
        } else {
            int table = e.subtractTag(writes);
            compare(c, f);
            if (!isDistance(c)) {
                w.memory(ADD_FROM_MEMORY, 8, RCX, RSP, R13, 3, table);
            }
            w.load(8, R13, RSP, R13, 3, table + StateLayout.DELTAS);
        }
        if (!isDistance(c) && !isOnce(c)) {
            w.lea(8, R13, R13, RCX, 0, 0);
        }
    }

    /// Compares the distance from the page in RCX.
    private void compare(int c, int f) {
        int alignment = plan.alignment(c);
        misaligned[f] = 0;
        if (alignment > 1 && plan.span(c) <= alignment) {
            w.test(8, RCX, -PAGE | alignment - 1);
            jump[f] = w.jumpIf(CodeWriter.NOT_EQUAL);
            return;
        }
        w.arithmetic(CodeWriter.CMP, 8, RCX, PAGE - plan.span(c));
        jump[f] = w.jumpIf(CodeWriter.ABOVE);
        if (alignment > 1) {
            w.test(4, RCX, alignment - 1);
            misaligned[f] = w.jumpIf(CodeWriter.NOT_EQUAL);
        }
    }

    /// Whether the result is to be added to the guest's address, which the host can then compute in the
    /// instruction.
    private boolean isDistance(int c) {
        int base = plan.base(c);
        int index = plan.index(c);
        if (base >= 0) {
            return index < 0 && BlockEmitter.host(base) >= 0;
        }
        return index >= 0 && BlockEmitter.host(index) >= 0;
    }

    /// Whether the check and its only access are in one instruction, so that RCX still has a part of the address.
    private boolean isOnce(int c) {
        return plan.uses(c) == 1 && !plan.isKept(c);
    }

    // ---------------------------------------------------------------- accesses

    /// The register that has what a check has found, from now on.
    private int found(int c) {
        if (c == inRcx) {
            return RCX;
        }
        bring(c);
        return R13;
    }

    /// Makes R13 what a check has found.
    private void bring(int c) {
        if (held != c) {
            w.load(8, R13, RSP, StateLayout.SHARED + 8 * c);
            held = c;
        }
    }

    /// Says what the memory operand of instruction `i`, which a check covers, becomes.
    void operand(int i, Instruction insn) {
        int c = plan.explicit(i);
        int found = found(c);
        if (plan.isSteady(c)) {
            int mover = plan.mover(c);
            if (mover < 0) {
                e.operand(found, NONE, 0, plan.distance(i));
            } else if (mover == plan.base(c)) {
                e.operand(BlockEmitter.host(mover), found, 0, (int) insn.displacement());
            } else {
                e.operand(found, BlockEmitter.host(mover), plan.scale(c), (int) insn.displacement());
            }
        } else if (isDistance(c)) {
            if (insn.base() >= 0) {
                e.operand(BlockEmitter.host(insn.base()), R13, 0, (int) insn.displacement());
            } else {
                e.operand(R13, BlockEmitter.host(insn.index()), insn.scale(), (int) insn.displacement());
            }
        } else if (isOnce(c)) {
            e.operand(RCX, R13, 0, plan.distance(i));
        } else {
            e.operand(R13, NONE, 0, plan.distance(i));
        }
    }

    /// Says what the word that instruction `i` pushes or pops becomes.
    ///
    /// @param displacement of that word from the host register of guest RSP
    void stackOperand(int i, int displacement) {
        bring(plan.stack(i));
        e.operand(GUEST_RSP, R13, 0, displacement);
    }

    // ---------------------------------------------------------------- failures

    /// Writes what happens when checks fail: a look into the TLB where an entry of its own was asked, then the
    /// block that checks each access by itself.
    void finish(Exits exits) {
        for (int f = 0; f < failures; f++) {
            int c = check[f];
            boolean probes = plan.isStack(c) || site[f] != NONE;
            if (!probes && misaligned[f] == 0 && note[f] == NONE && !flagsSaved[f]) {
                exits.add(jump[f], rip[f], true);
                continue;
            }
            w.here(jump[f]);
            if (plan.isStack(c)) {
                w.callFar(e.stubs().stackProbe(e.context()));
                w.jumpBackIf(CodeWriter.EQUAL, retry[f]);
            } else if (site[f] != NONE) {
                w.constant(R13, site[f]);
                w.callFar(e.stubs().siteProbe(e.context(), plan.writes(c)));
                w.jumpBackIf(CodeWriter.EQUAL, retry[f]);
            }
            if (misaligned[f] != 0) {
                w.here(misaligned[f]);
            }
            if (note[f] != NONE) {
                e.writeNote(note[f]);
            }
            if (flagsSaved[f]) {
                e.restoreFlags();
            }
            exits.add(w.jump(), rip[f], true);
        }
    }
}

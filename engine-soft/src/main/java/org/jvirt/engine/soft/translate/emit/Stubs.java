package org.jvirt.engine.soft.translate.emit;

import java.util.Arrays;
import org.jvirt.x86.CodeWriter;

/// The code that all blocks share: the way in, the way out, and what comes before the way out for each reason.
///
/// Written once at the start of a code cache; the fields are places counted from that start.
public final class Stubs {
    private static final int ADD_FROM_MEMORY = 0x03;
    private static final int RAX = 0;
    private static final int RCX = 1;
    private static final int RDX = 2;
    private static final int NONE = -1;
    private static final int RSP = 4;
    private static final int RDI = 7;
    private static final int RSI = 6;
    private static final int R13 = 13;
    private static final int[] CALLEE_SAVED = {3, 5, 12, 13, 14, 15};

    /// What is needed to load and store the vector registers and the x87 unit.
    public interface VectorTransfer {
        /// Loads them from the state block, MXCSR included. RAX, RCX and flags are free.
        void emitLoad(CodeWriter code);

        /// Stores them and gives the host its own MXCSR back.
        void emitSave(CodeWriter code);

        /// Loads the x87 unit from the state block. RAX and RDX are free, flags stay.
        void emitX87Load(CodeWriter code);

        /// Stores it and gives the host its own back. RAX and RDX are free, flags stay.
        void emitX87Save(CodeWriter code);
    }

    final int enter;
    final int requested;
    private final int[] unknownTarget = new int[StateLayout.JUMP_TABLES];
    private final int[] otherTarget = new int[StateLayout.JUMP_TABLES];
    final int direct;
    final int interpret;
    final int vectors;
    /// [#vectors] if these are not there, else [#requested].
    final int either;
    final int x87;
    private final int[] popMiss = new int[StateLayout.JUMP_TABLES];
    private final int[] pushMiss = new int[StateLayout.JUMP_TABLES];
    /// Answers the time-stamp counter in EDX:EAX, and overwrites RCX, R13 and flags.
    final int counter;
    private final int[] readMiss = new int[StateLayout.CONTEXTS];
    private final int[] writeMiss = new int[StateLayout.CONTEXTS];
    private final int[] stackProbe = new int[StateLayout.CONTEXTS];
    private final int[] siteReadProbe = new int[StateLayout.CONTEXTS];
    private final int[] siteWriteProbe = new int[StateLayout.CONTEXTS];
    private final int exit;

    public Stubs(CodeWriter w, VectorTransfer transfer) {
        enter = w.size();
        enter(w, transfer);
        exit = w.size();
        exit(w, transfer);
        requested = site(w, ExitReason.REQUESTED);
        direct = site(w, ExitReason.DIRECT);
        interpret = site(w, ExitReason.INTERPRET);
        vectors = site(w, ExitReason.VECTORS);
        either = either(w);
        x87 = x87(w, transfer);
        counter = CounterCode.write(w);
        int[] faults = new int[StateLayout.CONTEXTS];
        for (int c = 0; c < StateLayout.CONTEXTS; c++) {
            faults[c] = new FaultCode(w, c, exit).write();
        }
        var walk = new WalkCode(w);
        for (int c = 0; c < StateLayout.CONTEXTS; c++) {
            readMiss[c] = miss(w, walk, faults[c], c, false);
            writeMiss[c] = miss(w, walk, faults[c], c, true);
            stackProbe[c] = Probes.stack(w, c);
            siteReadProbe[c] = Probes.site(w, c, false);
            siteWriteProbe[c] = Probes.site(w, c, true);
            popMiss[c] = stackMiss(w, walk, faults[c], c, false);
            pushMiss[c] = stackMiss(w, walk, faults[c], c, true);
            unknownTarget[c] = w.size();
            TargetCode.write(w, c, false);
            target(w, false);
            otherTarget[c] = w.size();
            TargetCode.write(w, c, true);
            target(w, false);
        }
        narrow(w);
    }

    /// What 32-bit code has of its own.
    private void narrow(CodeWriter w) {
        Arrays.fill(popMiss, StateLayout.CONTEXTS, StateLayout.JUMP_TABLES, site(w, ExitReason.POP_MISS));
        Arrays.fill(pushMiss, StateLayout.CONTEXTS, StateLayout.JUMP_TABLES, site(w, ExitReason.PUSH_MISS));
        Arrays.fill(unknownTarget, StateLayout.CONTEXTS, StateLayout.JUMP_TABLES, w.size());
        target(w, false);
        Arrays.fill(otherTarget, StateLayout.CONTEXTS, StateLayout.JUMP_TABLES, w.size());
        target(w, true);
    }

    /// For empty entries of a jump table.
    public int unknownTarget(int table) {
        return unknownTarget[table];
    }

    /// For branches to another target than the block that their entry led to.
    int otherTarget(int mode) {
        return otherTarget[CodeMode.jumpTable(mode)];
    }

    /// Called where POP or PUSH is not on the page that its entry knows.
    int stackMiss(int mode, boolean push) {
        return (push ? pushMiss : popMiss)[CodeMode.jumpTable(mode)];
    }

    /// The way in, as an offset.
    public int enter() {
        return enter;
    }

    int miss(int context, boolean write) {
        return write ? writeMiss[context] : readMiss[context];
    }

    /// How many bytes of data follow a call of the stub at an offset.
    public int dataBytes(int stub) {
        if (stub == direct) {
            return 1;
        }
        if (stub == interpret) {
            return 2;
        }
        return isMiss(stub) ? 8 : 0;
    }

    private boolean isMiss(int stub) {
        for (int t = 0; t < StateLayout.JUMP_TABLES; t++) {
            if (stub == popMiss[t] || stub == pushMiss[t]) {
                return true;
            }
        }
        for (int c = 0; c < StateLayout.CONTEXTS; c++) {
            if (stub == readMiss[c] || stub == writeMiss[c]) {
                return true;
            }
        }
        return false;
    }

    /// What a person calls the stub at an offset; empty if there is none.
    public String name(int stub) {
        if (stub == requested) {
            return "requested";
        }
        for (int other : otherTarget) {
            if (stub == other) {
                return "other target";
            }
        }
        if (stub == direct) {
            return "not linked";
        }
        if (stub == interpret) {
            return "interpret";
        }
        if (stub == vectors) {
            return "vectors";
        }
        if (stub == either) {
            return "requested, or vectors";
        }
        if (stub == x87) {
            return "x87";
        }
        return isMiss(stub) ? "miss" : "";
    }

    /// Called after the check of a stack access has failed; see [Probes].
    int stackProbe(int context) {
        return stackProbe[context];
    }

    /// Called after the check of an access with an entry of its own, which is in R13, has failed; see [Probes].
    int siteProbe(int context, boolean write) {
        return write ? siteWriteProbe[context] : siteReadProbe[context];
    }

    private static void enter(CodeWriter w, VectorTransfer transfer) {
        for (int register : CALLEE_SAVED) {
            w.push(register);
        }
        w.store(8, RSP, RDI, StateLayout.HOST_STACK);
        w.store(8, RSI, RDI, StateLayout.ENTRY);
        w.move(RSP, RDI);
        w.load(4, RCX, RSP, StateLayout.VECTORS_ABSENT);
        w.registers(0x85, 4, RCX, RCX);
        int without = w.jumpIf(CodeWriter.NOT_EQUAL);
        transfer.emitLoad(w);
        w.here(without);
        w.load(4, RCX, RSP, StateLayout.X87_ABSENT);
        w.registers(0x85, 4, RCX, RCX);
        int withoutX87 = w.jumpIf(CodeWriter.NOT_EQUAL);
        transfer.emitX87Load(w);
        w.here(withoutX87);
        w.load(4, RAX, RSP, StateLayout.FLAGS);
        w.flagsFromRax();
        for (int guest = 0; guest < 13; guest++) {
            w.load(8, BlockEmitter.host(guest), RSP, StateLayout.REGISTERS + 8 * guest);
        }
        w.jumpMemory(RSP, -1, 0, StateLayout.ENTRY);
    }

    private static void exit(CodeWriter w, VectorTransfer transfer) {
        for (int guest = 0; guest < 13; guest++) {
            w.store(8, BlockEmitter.host(guest), RSP, StateLayout.REGISTERS + 8 * guest);
        }
        w.flagsToRax();
        w.store(4, RAX, RSP, StateLayout.FLAGS);
        w.load(4, RCX, RSP, StateLayout.VECTORS_ABSENT);
        w.registers(0x85, 4, RCX, RCX);
        int without = w.jumpIf(CodeWriter.NOT_EQUAL);
        transfer.emitSave(w);
        w.here(without);
        w.load(4, RCX, RSP, StateLayout.X87_ABSENT);
        w.registers(0x85, 4, RCX, RCX);
        int withoutX87 = w.jumpIf(CodeWriter.NOT_EQUAL);
        transfer.emitX87Save(w);
        w.here(withoutX87);
        w.load(4, RAX, RSP, StateLayout.EXIT_REASON);
        w.load(8, RSP, RSP, StateLayout.HOST_STACK);
        for (int i = CALLEE_SAVED.length - 1; i >= 0; i--) {
            w.pop(CALLEE_SAVED[i]);
        }
        w.ret();
    }

    /// Called: the return address says where.
    private int site(CodeWriter w, int reason) {
        int start = w.size();
        w.pop(RCX);
        w.store(8, RCX, RSP, StateLayout.EXIT_SITE);
        w.storeConstant(4, reason, RSP, -1, StateLayout.EXIT_REASON);
        w.jumpBack(exit);
        return start;
    }

    private int either(CodeWriter w) {
        int start = w.size();
        // the return address is still there
        w.compareConstant(4, RSP, 8 + StateLayout.VECTORS_ABSENT, 0);
        w.jumpBackIf(CodeWriter.NOT_EQUAL, vectors);
        w.jumpBack(requested);
        return start;
    }

    /// Called where the x87 unit is needed: loads it and goes on, or leaves if Java has it. Flags stay.
    private int x87(CodeWriter w, VectorTransfer transfer) {
        int start = w.size();
        w.pop(RCX);
        w.store(8, RCX, RSP, StateLayout.EXIT_SITE);
        w.load(4, RCX, RSP, StateLayout.X87_READY);
        int absent = w.jumpIfRcxZero();
        w.store(8, RAX, RSP, StateLayout.X87_SCRATCH);
        w.store(8, RDX, RSP, StateLayout.X87_SCRATCH + 8);
        transfer.emitX87Load(w);
        w.load(8, RAX, RSP, StateLayout.X87_SCRATCH);
        w.load(8, RDX, RSP, StateLayout.X87_SCRATCH + 8);
        w.storeConstant(4, 0, RSP, NONE, StateLayout.X87_ABSENT);
        w.jumpMemory(RSP, NONE, 0, StateLayout.EXIT_SITE);
        w.hereShort(absent);
        w.storeConstant(4, ExitReason.X87, RSP, NONE, StateLayout.EXIT_REASON);
        w.jumpBack(exit);
        return start;
    }

    private void target(CodeWriter w, boolean other) {
        if (other) {
            w.store(8, R13, RSP, StateLayout.EXIT_TARGET_BIAS);
        } else {
            w.storeConstant(8, 0, RSP, NONE, StateLayout.EXIT_TARGET_BIAS);
        }
        w.store(8, RCX, RSP, StateLayout.EXIT_TARGET);
        w.storeConstant(4, ExitReason.INDIRECT, RSP, -1, StateLayout.EXIT_REASON);
        w.jumpBack(exit);
    }

    /// Called after a failed check: RCX is the address less the entry's tag, R13 the entry.
    private int miss(CodeWriter w, WalkCode walk, int fault, int context, boolean write) {
        int start = w.size();
        int table = write ? StateLayout.write(context) : StateLayout.read(context);
        w.memory(ADD_FROM_MEMORY, 8, RCX, RSP, R13, 3, table + 8);
        w.store(8, RCX, RSP, StateLayout.MISS_ADDRESS + 8);
        w.pop(RCX);
        w.store(8, RCX, RSP, StateLayout.EXIT_SITE);
        int reason = write ? ExitReason.WRITE_MISS : ExitReason.READ_MISS;
        walk.write(context, write, table, NONE, reason, fault);
        w.storeConstant(4, reason, RSP, NONE, StateLayout.EXIT_REASON);
        w.jumpBack(exit);
        return start;
    }

    /// Called after the check of POP or PUSH of 8 bytes has failed. Flags stay.
    private int stackMiss(CodeWriter w, WalkCode walk, int fault, int context, boolean push) {
        int start = w.size();
        w.pop(RCX);
        w.store(8, RCX, RSP, StateLayout.EXIT_SITE);
        w.lea(8, RCX, BlockEmitter.GUEST_RSP, NONE, 0, push ? -8 : 0);
        w.store(8, RCX, RSP, StateLayout.MISS_ADDRESS);
        int table = push ? StateLayout.write(context) : StateLayout.read(context);
        int reason = push ? ExitReason.PUSH_MISS : ExitReason.POP_MISS;
        walk.write(context, push, table, StateLayout.stackPage(context, push), reason, fault);
        w.storeConstant(4, reason, RSP, NONE, StateLayout.EXIT_REASON);
        w.jumpBack(exit);
        return start;
    }
}

package org.jvirt.engine.soft.translate.emit;

import org.jvirt.x86.CodeWriter;
import org.jvirt.x86.Instruction;
import org.jvirt.x86.OpcodeRow;

/// Writes the host code of one block, instruction by instruction.
///
/// *Flags.* The guest's status flags are the host's, unless a check had to overwrite live ones: then they are saved
/// in the state block until an instruction that uses or changes flags brings them back. Which flags are live before
/// each instruction is given by [#next].
///
/// *Memory.* [#access] checks an address against the TLB and leaves the operand in [#memoryBase], [#memoryIndex]
/// and [#memoryDisplacement]. A failed check calls a stub at the end of the block, from where the processor fills
/// the TLB
/// and tries again, or lets the interpreter execute the instruction. Until the last check of an instruction has
/// passed, nothing of the guest's may have changed.
///
/// One emitter per processor; not thread-safe.
public final class BlockEmitter {
    public static final int RAX = 0;
    public static final int RCX = 1;
    public static final int RDX = 2;
    public static final int RSP = 4;
    public static final int R13 = 13;
    /// Where the guest's RCX is.
    public static final int GUEST_RCX = 14;
    /// Where the guest's RSP is.
    public static final int GUEST_RSP = 15;

    private static final int ADD_FROM_MEMORY = 0x03;
    private static final int SUBTRACT_MEMORY = 0x2B;
    private static final int NONE = -1;
    private static final int MAX_STUBS = 256;
    private static final int MAX_NOTES = 64;
    private static final int GUEST_RSP_NUMBER = 4;
    /// Kinds of stubs.
    private static final int READ = 0;

    private static final int WRITE = 1;
    private static final int INTERPRET = 2;
    private static final int POP = 3;
    private static final int PUSH = 4;

    private static final int PAGE = 4096;
    /// The most that two bytes hold.
    private static final int FURTHEST = 0xFFFF;

    private final CodeWriter w;
    private final Stubs stubs;
    private final boolean extractsBits;

    private int mode;
    private int context;
    private boolean code32;
    private long blockRip;
    private int offset;
    private int liveIn;
    private boolean flagsSaved;

    private final int[] stubJump = new int[MAX_STUBS];
    private final int[] stubRetry = new int[MAX_STUBS];
    private final int[] stubOffset = new int[MAX_STUBS];
    private final int[] stubKind = new int[MAX_STUBS];
    /// The number of the note that the stub writes, or -1.
    private final int[] stubNote = new int[MAX_STUBS];
    private final boolean[] stubFaults = new boolean[MAX_STUBS];
    private final boolean[] stubCrosses = new boolean[MAX_STUBS];
    private int stubCount;
    /// Whether the current instruction's accesses fault where their checks fail.
    private boolean faultsPlainly;
    /// Whether they may go on to the next page where that follows in the host's memory, too.
    private boolean mayCross;

    /// The block's x87 instructions: address, opcode, and segment of the last operand in memory or -1.
    private final long[] noteRip = new long[MAX_NOTES];
    private final int[] noteOpcode = new int[MAX_NOTES];
    private final int[] noteSegment = new int[MAX_NOTES];
    private int notes;
    /// The one that the state block does not tell of yet, or -1.
    private int note;

    private int addressBase;
    private int addressIndex;
    private int addressScale;
    private long addressDisplacement;
    private int addressSegment;
    private boolean address32;
    /// The size of the operand.
    private int addressBytes;

    /// The checked memory operand.
    private int memoryBase;

    private int memoryIndex;
    private int memoryScale;
    private int memoryDisplacement;

    private final SharedChecks shared;
    private final Reencoding reencoding;
    private final Exits exits = new Exits();
    private int number;
    /// By how much guest RSP differs from what its host register holds.
    private int stackPointerAhead;

    /// @param extractsBits whether the host has a fast PEXT
    public BlockEmitter(CodeWriter writer, Stubs stubs, boolean extractsBits) {
        this.extractsBits = extractsBits;
        this.w = writer;
        this.stubs = stubs;
        shared = new SharedChecks(this);
        reencoding = new Reencoding(this);
    }

    /// Begins a block.
    ///
    /// @param newMode  a [CodeMode]
    /// @param rip      linear address of its first instruction
    /// @param plan     which accesses share a check
    /// @param sites    where checks in a loop get entries of their own from
    /// @param loop     whether the block repeats itself and gets such entries
    /// @param live     the flags that matter at its beginning
    public void begin(int newMode, long rip, AccessPlan plan, Sites sites, boolean loop, int live) {
        mode = newMode;
        context = CodeMode.rights(newMode);
        code32 = CodeMode.is32(newMode);
        blockRip = rip;
        flagsSaved = false;
        stubCount = 0;
        notes = 0;
        note = NONE;
        liveIn = live;
        stackPointerAhead = 0;
        number = 0;
        offset = 0;
        exits.clear();
        shared.begin(plan, sites, loop);
    }

    /// Goes on to instruction `newNumber`, `newOffset` bytes into the block, before which the flags in `live`
    /// matter.
    public void next(int newNumber, int newOffset, int live) {
        number = newNumber;
        offset = newOffset;
        liveIn = live;
        if (live == 0) {
            flagsSaved = false;
        }
        if (!shared.plan().mayDelay(number)) {
            flushStackPointer();
        }
        shared.before(number);
    }

    /// Whether a check of the current instruction that fails for want of a page or rights means that it faults
    /// there, unless its operand is not aligned.
    ///
    /// @param newMayCross whether they may go on to the next page where that follows in the host's memory, too
    public void faultsPlainly(boolean newFaultsPlainly, boolean newMayCross) {
        faultsPlainly = newFaultsPlainly;
        mayCross = newMayCross;
    }

    /// After the last instruction: the block goes on `newOffset` bytes after its beginning.
    public void end(int newOffset, int live) {
        flushStackPointer();
        offset = newOffset;
        liveIn = live;
        if (live == 0) {
            flagsSaved = false;
        }
    }

    /// Whether another instruction still has room for its stubs.
    public boolean hasRoom() {
        return stubCount + 8 < MAX_STUBS && notes < MAX_NOTES;
    }

    public CodeWriter code() {
        return w;
    }

    Stubs stubs() {
        return stubs;
    }

    /// Whether checks of the block are done once for several turns.
    boolean hasSteadyChecks() {
        return shared.plan().anySteady();
    }

    /// Writes them, see [SharedChecks#beforeTurns].
    int writeSteadyChecks(int head) {
        return shared.beforeTurns(head);
    }

    /// The places of the entries that the block's accesses have for themselves.
    public int[] sites() {
        return shared.sites();
    }

    public Exits exits() {
        return exits;
    }

    /// Whether flags matter before the current instruction.
    boolean areFlagsLive() {
        return liveIn != 0;
    }

    boolean extractsBits() {
        return extractsBits;
    }

    boolean areFlagsSaved() {
        return flagsSaved;
    }

    /// The set of rights that accesses have.
    int context() {
        return context;
    }

    /// The block's [CodeMode].
    int mode() {
        return mode;
    }

    boolean code32() {
        return code32;
    }

    /// The bytes of a word on the stack, and of a code address.
    int word() {
        return CodeMode.word(mode);
    }

    long blockRip() {
        return blockRip;
    }

    /// Linear address of the current instruction.
    long rip() {
        return blockRip + offset;
    }

    public int memoryBase() {
        return memoryBase;
    }

    /// A register, or -1.
    public int memoryIndex() {
        return memoryIndex;
    }

    public int memoryScale() {
        return memoryScale;
    }

    public int memoryDisplacement() {
        return memoryDisplacement;
    }

    // ---------------------------------------------------------------- registers

    /// The host register of a guest register, or -1 if it is in the state block.
    public static int host(int guest) {
        return switch (guest) {
            case 1 -> GUEST_RCX;
            case 4 -> GUEST_RSP;
            case 13, 14, 15 -> NONE;
            default -> guest;
        };
    }

    /// Copies a guest register, whole; flags stay.
    public void read(int to, int guest) {
        int host = host(guest);
        if (host >= 0) {
            w.move(to, host);
        } else {
            w.load(8, to, RSP, StateLayout.spilled(guest));
        }
    }

    /// Sets a guest register, whole; flags stay.
    public void write(int guest, int from) {
        int host = host(guest);
        if (host >= 0) {
            w.move(host, from);
        } else {
            w.store(8, from, RSP, StateLayout.spilled(guest));
        }
    }

    // ---------------------------------------------------------------- flags

    /// Before host flags are overwritten by what is not the instruction itself. RCX must be free.
    public void keepFlags() {
        if (liveIn != 0 && !flagsSaved) {
            w.move(RCX, RAX);
            w.flagsToRax();
            w.store(4, RAX, RSP, StateLayout.SAVED_FLAGS);
            w.move(RAX, RCX);
            flagsSaved = true;
        }
    }

    /// Before the host executes something that uses or changes flags.
    public void bringFlags() {
        if (flagsSaved && liveIn != 0) {
            restoreFlags();
        }
        flagsSaved = false;
    }

    /// Makes the saved flags the host's, however the code at hand goes on.
    void restoreFlags() {
        w.store(8, RAX, RSP, StateLayout.TEMPORARY);
        w.load(4, RAX, RSP, StateLayout.SAVED_FLAGS);
        w.flagsFromRax();
        w.load(8, RAX, RSP, StateLayout.TEMPORARY);
    }

    /// As [#bringFlags] if the instruction uses or changes flags at all.
    public void bringFlagsFor(OpcodeRow row) {
        if ((row.flagsRead() | row.flagsWritten() | row.flagsUndefined()) != 0) {
            bringFlags();
        }
    }

    // ---------------------------------------------------------------- memory

    /// Checks the memory operand of an instruction; false if its address cannot be computed here.
    public boolean access(Instruction insn, boolean write, int size, int alignment) {
        if (shared.plan().explicit(number) != NONE) {
            shared.operand(number, insn);
            return true;
        }
        addressOf(insn);
        return check(write, size, alignment);
    }

    /// Checks `size` bytes at guest register `base` plus `displacement`.
    public void access(int base, int displacement, boolean write, int size) {
        addressBase = base;
        addressIndex = NONE;
        addressScale = 0;
        addressDisplacement = displacement;
        addressSegment = NONE;
        address32 = code32;
        if (!check(write, size, 0)) {
            throw new IllegalStateException("A register alone is always an address");
        }
    }

    private void addressOf(Instruction insn) {
        addressBase = insn.base();
        addressIndex = insn.index();
        addressScale = insn.scale();
        addressDisplacement = insn.displacement();
        address32 = insn.addressSize() == 4;
        int segment = insn.segment();
        addressSegment = segment == Instruction.FS || segment == Instruction.GS ? segment : NONE;
        if (addressBase == Instruction.RIP) {
            addressBase = NONE;
            addressDisplacement += rip() + insn.length();
        }
    }

    /// Computes the linear address of a base, index and displacement into RCX; R13 is used, flags stay.
    void emitAddress(int base, int index, int scale, long displacement) {
        addressBase = base;
        addressIndex = index;
        addressScale = scale;
        addressDisplacement = displacement;
        addressSegment = NONE;
        address32 = false;
        emitAddress();
    }

    /// Computes the linear address of the memory operand into RCX; R13 is used. Flags change if a segment counts.
    void emitAddress(Instruction insn) {
        addressOf(insn);
        emitAddress();
    }

    /// The offset of the memory operand, without segment, into `to`; RCX and R13 are used, flags stay.
    void emitOffset(Instruction insn, int to, int size) {
        addressOf(insn);
        addressSegment = NONE;
        emitAddress();
        if (size == 4) {
            w.move32(to, RCX);
        } else {
            w.move(to, RCX);
        }
    }

    private void emitAddress() {
        int size = address32 ? 4 : 8;
        int base = addressBase < 0 ? NONE : host(addressBase);
        if (addressBase >= 0 && base < 0) {
            w.load(8, RCX, RSP, StateLayout.spilled(addressBase));
            base = RCX;
        }
        int index = addressIndex < 0 ? NONE : host(addressIndex);
        if (addressIndex >= 0 && index < 0) {
            w.load(8, R13, RSP, StateLayout.spilled(addressIndex));
            index = R13;
        }
        boolean far = addressDisplacement != (int) addressDisplacement;
        if (base < 0 && index < 0) {
            w.constant(RCX, address32 ? addressDisplacement & 0xFFFF_FFFFL : addressDisplacement);
        } else if (far) {
            throw new IllegalStateException("Only direct addresses are longer than 32 bits");
        } else if (base >= 0 && index < 0 && addressDisplacement == 0 && !address32) {
            w.move(RCX, base);
        } else {
            w.lea(size, RCX, base, index, addressScale, (int) addressDisplacement);
        }
        if (addressSegment != NONE) {
            int place = addressSegment == Instruction.FS ? StateLayout.FS_BASE : StateLayout.GS_BASE;
            if (code32) {
                // the operand must not reach beyond the limit of 4 GiB; the sum wraps there
                w.arithmetic(CodeWriter.CMP, 4, RCX, -addressBytes);
                toInterpreter(w.jumpIf(CodeWriter.ABOVE));
            }
            w.arithmeticMemory(CodeWriter.ADD, code32 ? 4 : 8, RCX, RSP, NONE, place);
        }
    }

    /// Whether base and displacement are all of the address, and the base is in a host register.
    private boolean isSimple() {
        return addressBase >= 0
                && host(addressBase) >= 0
                && addressIndex < 0
                && addressSegment == NONE
                && !address32
                && addressDisplacement == (int) addressDisplacement;
    }

    /// Whether the address can be computed again without scratch registers.
    private boolean isRepeatable() {
        if (addressSegment != NONE || addressBase < 0 && addressIndex < 0) {
            return false;
        }
        boolean inRegisters =
                (addressBase < 0 || host(addressBase) >= 0) && (addressIndex < 0 || host(addressIndex) >= 0);
        return inRegisters && (addressIndex >= 0 || address32);
    }

    /// Checks the word that holds a bit which `register` numbers from the instruction's memory operand.
    void accessBit(Instruction insn, int register, int size, boolean write) {
        addressOf(insn);
        keepFlags();
        int retry = w.size();
        addressBytes = size;
        emitAddress();
        // the distance in bytes: bits / 8, rounded down to a word
        read(R13, register);
        if (size == 4) {
            w.registers(0x63, 8, R13, R13);
        }
        w.shift(CodeWriter.SAR, 8, R13, 3);
        w.arithmetic(CodeWriter.AND, 8, R13, -size);
        w.lea(address32 ? 4 : 8, RCX, RCX, R13, 0, 0);
        int table = compare(write, size, 0, retry);
        addBack(table);
    }

    private boolean check(boolean write, int size, int alignment) {
        if (size <= 0 || size > 64) {
            return false;
        }
        keepFlags();
        int retry = w.size();
        addressBytes = size;
        emitAddress();
        int table = compare(write, size, alignment, retry);
        if (isSimple()) {
            w.load(8, R13, RSP, R13, 3, table + StateLayout.DELTAS);
            operand(host(addressBase), R13, 0, (int) addressDisplacement);
        } else if (isRepeatable()) {
            int base = addressBase < 0 ? NONE : host(addressBase);
            int index = addressIndex < 0 ? NONE : host(addressIndex);
            w.lea(address32 ? 4 : 8, RCX, base, index, addressScale, (int) addressDisplacement);
            w.load(8, R13, RSP, R13, 3, table + StateLayout.DELTAS);
            inScratch();
        } else {
            addBack(table);
        }
        return true;
    }

    private void addBack(int table) {
        w.memory(ADD_FROM_MEMORY, 8, RCX, RSP, R13, 3, table);
        w.load(8, R13, RSP, R13, 3, table + StateLayout.DELTAS);
        inScratch();
    }

    private void inScratch() {
        operand(RCX, R13, 0, 0);
    }

    /// Sets the checked memory operand.
    void operand(int base, int index, int scale, int displacement) {
        memoryBase = base;
        memoryIndex = index;
        memoryScale = scale;
        memoryDisplacement = displacement;
    }

    /// Looks the address in RCX up; R13 then points to the entry. Answers the table.
    private int compare(boolean write, int size, int alignment, int retry) {
        int table = subtractTag(write);
        int miss;
        if (alignment > 1) {
            // an aligned operand does not cross a page
            w.test(8, RCX, -PAGE | alignment - 1);
            miss = w.jumpIf(CodeWriter.NOT_EQUAL);
        } else {
            w.arithmetic(CodeWriter.CMP, 8, RCX, PAGE - size);
            miss = w.jumpIf(CodeWriter.ABOVE);
        }
        addStub(miss, retry, write ? WRITE : READ, alignment);
        return table;
    }

    /// Checks `size` bytes at the linear address that a word of the state block holds.
    void accessHeld(int place, boolean write, int size) {
        keepFlags();
        int retry = w.size();
        w.load(8, RCX, RSP, place);
        int table = compare(write, size, 0, retry);
        addBack(table);
    }

    /// Looks the address in RCX up: R13 then points to the entry, and RCX is the distance from its page. Answers
    /// the table.
    int subtractTag(boolean write) {
        int table = write ? StateLayout.write(context) : StateLayout.read(context);
        if (extractsBits) {
            w.extractBits(R13, RCX, RSP, StateLayout.INDEX_MASK);
        } else {
            w.move32(R13, RCX);
            w.shift(CodeWriter.SHR, 4, R13, 12);
            w.arithmetic(CodeWriter.AND, 4, R13, StateLayout.TLB_ENTRIES - 1);
        }
        w.memory(SUBTRACT_MEMORY, 8, RCX, RSP, R13, 3, table);
        return table;
    }

    /// Puts the whole address of the checked operand into R13; RCX is free afterwards.
    public void foldIntoR13() {
        w.lea(8, R13, memoryBase, memoryIndex, memoryScale, memoryDisplacement);
        operand(R13, NONE, 0, 0);
    }

    /// Sees to it that the checked operand's address is not in RCX.
    void freeRcx() {
        if (memoryBase == RCX) {
            foldIntoR13();
        }
    }

    /// Puts the whole address of the checked operand into RCX; R13 is free afterwards.
    public void foldIntoRcx() {
        w.lea(8, RCX, memoryBase, memoryIndex, memoryScale, memoryDisplacement);
        operand(RCX, NONE, 0, 0);
    }

    /// Checks the word at guest RSP, or the one below it for a write. Flags stay, and RCX and R13 are used.
    void accessStack(boolean write) {
        if (isStackShared()) {
            shared.stackOperand(number, stackPointerAhead + (write ? -8 : 0));
            return;
        }
        int word = word();
        if (!extractsBits) {
            access(GUEST_RSP_NUMBER, write ? -word : 0, write, word);
            return;
        }
        int retry = w.size();
        int entry = StateLayout.stackPage(context, write);
        int displacement = write ? -word : 0;
        w.load(8, R13, RSP, entry);
        w.lea(8, RCX, GUEST_RSP, R13, 0, displacement);
        w.extractBits(RCX, RCX, RSP, code32 ? StateLayout.STACK_MASK_32 : StateLayout.STACK_MASK);
        int hit = w.jumpIfRcxZero();
        addStub(w.jump(), retry, write ? PUSH : POP, 0);
        w.hereShort(hit);
        w.load(8, R13, RSP, entry + 8);
        operand(GUEST_RSP, R13, 0, displacement);
    }

    /// Whether what the current instruction pushes or pops has been checked before.
    boolean isStackShared() {
        return shared.plan().stack(number) != NONE;
    }

    /// R13 is used for something else before the current instruction accesses the stack.
    void scratchUsed() {
        shared.scratchUsed();
    }

    /// Adds to guest RSP, at once or when somebody looks.
    void moveStackPointer(int distance) {
        stackPointerAhead += distance;
        if (!shared.plan().mayDelay(number)) {
            flushStackPointer();
        }
    }

    /// Makes guest RSP what it should be; flags stay.
    void flushStackPointer() {
        if (stackPointerAhead != 0) {
            w.lea(word(), GUEST_RSP, GUEST_RSP, NONE, 0, stackPointerAhead);
            stackPointerAhead = 0;
        }
    }

    // ---------------------------------------------------------------- stubs

    private void addStub(int jump, int retry, int kind, int alignment) {
        stubJump[stubCount] = jump;
        stubRetry[stubCount] = retry;
        stubOffset[stubCount] = offset
                | (flagsSaved ? ExitReason.FLAGS_SAVED : 0)
                | (alignment > 1 ? Integer.numberOfTrailingZeros(alignment) << ExitReason.ALIGNMENT_SHIFT : 0);
        stubNote[stubCount] = note;
        stubFaults[stubCount] = faultsPlainly;
        stubCrosses[stubCount] = mayCross && alignment <= 1;
        stubKind[stubCount++] = kind;
    }

    // ---------------------------------------------------------------- the last x87 instruction

    /// The current instruction is the last x87 instruction from now on.
    ///
    /// @param segment of its operand, or -1 if that is not in memory
    void noteX87(int opcode, int segment) {
        noteRip[notes] = rip();
        noteOpcode[notes] = opcode;
        noteSegment[notes] = segment < 0 && note != NONE ? noteSegment[note] : segment;
        note = notes++;
    }

    /// The state block tells of it already.
    void forgetNote() {
        note = NONE;
    }

    /// Before what may leave the block without a stub of it: the state block learns of the last x87 instruction.
    public void writeNote() {
        if (note != NONE) {
            writeNote(note);
            note = NONE;
        }
    }

    /// The note that the state block has not learnt of yet, or -1.
    int note() {
        return note;
    }

    void writeNote(int number) {
        X87Code.writeNote(w, noteRip[number], noteOpcode[number], noteSegment[number]);
    }

    /// The jump goes to where the interpreter executes the current instruction, of which nothing has happened yet.
    public void toInterpreter(int jump) {
        addStub(jump, 0, INTERPRET, 0);
    }

    /// String instructions that go backward are the interpreter's. Flags must have been kept; RCX is used.
    void ifBackwardToInterpreter() {
        w.load(4, RCX, RSP, StateLayout.BACKWARD);
        w.registers(0x85, 4, RCX, RCX);
        toInterpreter(w.jumpIf(CodeWriter.NOT_EQUAL));
    }

    /// The block ends here: the interpreter executes the current instruction.
    public void endWithInterpreter() {
        flushStackPointer();
        bringFlags();
        writeNote();
        w.callFar(stubs.interpret);
        w.short2(offset);
    }

    /// Writes the stubs. Nothing but [#begin] may follow.
    public void finish() {
        shared.finish(exits);
        exits.finish(w, stubs);
        for (int i = 0; i < stubCount; i++) {
            w.here(stubJump[i]);
            if (stubNote[i] != NONE) {
                writeNote(stubNote[i]);
            }
            if (stubKind[i] == INTERPRET) {
                w.callFar(stubs.interpret);
                w.short2(stubOffset[i]);
            } else {
                w.callFar(
                        switch (stubKind[i]) {
                            case POP, PUSH -> stubs.stackMiss(mode, stubKind[i] == PUSH);
                            default -> stubs.miss(context, stubKind[i] == WRITE);
                        });
                int returned = w.size();
                w.short2(stubOffset[i]);
                w.short2(returned - stubRetry[i]);
                w.short2(stubFaults[i] && returned <= FURTHEST ? returned : 0);
                w.short2(stubCrosses[i] ? returned - stubJump[i] : 0);
            }
        }
    }

    /// Writes the instruction as it is, with registers mapped and the memory operand checked. False, and nothing is
    /// written, if that cannot be done.
    public boolean reencode(Instruction insn) {
        return reencoding.emit(insn);
    }
}

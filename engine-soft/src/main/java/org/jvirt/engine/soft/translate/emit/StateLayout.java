package org.jvirt.engine.soft.translate.emit;

/// Where things are in a processor's state block, as displacements from RSP while translated code runs.
///
/// ```
/// below 0     the stack of generated code (return addresses of stubs) and of signal handlers
/// 0 .. 127    what generated code uses most: short displacements
/// 128 ..      registers on entry and exit
/// TLB         for each set of rights a table for reads and one for writes
/// JUMPS       for each set of rights and code size a table of code addresses by the low 16 bits of RIP
/// ```
public final class StateLayout {
    /// Guest R13, R14, R15: what host registers have no room for.
    public static final int R13 = 0;

    public static final int R14 = 8;
    public static final int R15 = 16;
    /// Not zero: leave at the next opportunity (int). With the word after it it is also read as a long.
    public static final int REQUEST = 24;
    /// Not zero: the vector registers do not hold the guest's (int).
    public static final int VECTORS_ABSENT = 28;
    /// Live flags while checks overwrite the host's: AX as LAHF and SETO AL leave it (int).
    public static final int SAVED_FLAGS = 32;
    /// The last indirect branch, as an offset in the code cache (int).
    public static final int BRANCH = 36;
    /// RAX while flags are restored.
    public static final int TEMPORARY = 40;
    /// A value between two checks of one instruction.
    public static final int HELD = 48;
    public static final int HELD_2 = 56;
    public static final int FS_BASE = 64;
    public static final int GS_BASE = 72;
    /// Return address of the stub that was called: what left, and where.
    public static final int EXIT_SITE = 80;
    /// The linear address of an access that missed.
    public static final int MISS_ADDRESS = 88;
    /// Target of an indirect branch whose code is not known, and what to take from it.
    public static final int EXIT_TARGET = 1456;

    public static final int EXIT_TARGET_BIAS = 1464;
    /// Half the width of canonical addresses, and the bits that are zero in the sum of it and such an address.
    public static final int CANONICAL_BIAS = 96;

    public static final int CANONICAL_MASK = 104;
    /// The bits of an address that number its TLB entry.
    public static final int INDEX_MASK = 112;
    public static final int HOST_STACK = 312;
    /// Where to begin.
    public static final int ENTRY = 1344;
    /// The bits of a distance from the stack's page that are zero for an aligned word on it.
    public static final int STACK_MASK = 120;
    /// The same for words of 4 bytes.
    public static final int STACK_MASK_32 = 3704;
    /// RAX to R12 in encoding order.
    public static final int REGISTERS = 128;
    /// Flags on entry and exit, like [#SAVED_FLAGS] (int).
    public static final int FLAGS = 256;
    /// An [ExitReason] (int).
    public static final int EXIT_REASON = 260;
    public static final int GUEST_MXCSR = 264;
    public static final int HOST_MXCSR = 268;
    /// DF at its place in RFLAGS, or zero (int).
    public static final int BACKWARD = 272;
    /// IF at its place in RFLAGS, or zero (int).
    public static final int INTERRUPTS_ENABLED = 276;
    /// The rest of RFLAGS as PUSHF shows it (int).
    public static final int SYSTEM_FLAGS = 280;
    /// Not zero: an interrupt may wait for IF (int).
    public static final int INTERRUPT_WAITS = 284;
    /// ES, CS, SS, DS, FS, GS (int each).
    public static final int SELECTORS = 288;
    /// 16 registers of 32 bytes.
    public static final int YMM = 320;
    /// The x87 unit while generated code has it but the host does not: as XSAVE writes it, aligned to 64.
    public static final int X87 = 3072;
    /// Not zero: the host's x87 unit is not the guest's while generated code runs (int).
    public static final int X87_ABSENT = 3648;
    /// Not zero: [#X87] is the guest's unit, which translated code may use, unless the host's is (int).
    public static final int X87_READY = 3652;
    /// The host's own control word (short).
    public static final int HOST_X87_CONTROL = 3656;
    /// The last x87 instruction: opcode and selector of its code (int each), offset; selector (int) and offset of
    /// its operand.
    public static final int X87_OPCODE = 3660;

    public static final int X87_CODE_SELECTOR = 3664;
    public static final int X87_DATA_SELECTOR = 3668;
    public static final int X87_INSTRUCTION = 3672;
    public static final int X87_DATA = 3680;
    /// RAX and RDX while the unit is loaded.
    public static final int X87_SCRATCH = 3688;

    // ---------------------------------------------------------------- the system's part

    /// Not zero: generated code has changed its rights, or flags of [#SYSTEM_FLAGS] (int).
    public static final int RIGHTS_CHANGED = 2560;
    /// What CS and SS are since then, an int: one of the following, or zero for what they were.
    public static final int SEGMENTS_CHANGED = RIGHTS_CHANGED + 4;
    /// Flat ones of level 0.
    public static final int TO_KERNEL = 1;
    /// Flat code of level 0, and no SS.
    public static final int TO_KERNEL_WITHOUT_STACK = 2;
    /// Flat ones of level 3.
    public static final int TO_USER = 3;

    public static final int KERNEL_GS_BASE = RIGHTS_CHANGED + 8;
    public static final int CR2 = RIGHTS_CHANGED + 16;
    public static final int CR3 = RIGHTS_CHANGED + 24;
    /// Where SYSCALL finds its code: displacement of an entry in a jump table, or zero if it is not for generated
    /// code (int).
    public static final int CALL_ENTRY = RIGHTS_CHANGED + 32;
    /// Bits of RFLAGS that SYSCALL does not clear (int), and the same of status flags as [#FLAGS] has them (int).
    public static final int CALL_KEEPS = RIGHTS_CHANGED + 36;

    public static final int CALL_KEEPS_STATUS = RIGHTS_CHANGED + 40;
    /// CS and SS after SYSCALL, and after SYSRET (ints).
    public static final int CALL_SELECTORS = RIGHTS_CHANGED + 44;

    public static final int RETURN_SELECTORS = RIGHTS_CHANGED + 52;
    /// Not zero: SYSRET is defined (int).
    public static final int RETURNS_FAST = RIGHTS_CHANGED + 60;
    /// LSTAR.
    public static final int CALL_TARGET = RIGHTS_CHANGED + 64;
    /// Not zero: an IRET does no more than return (int).
    public static final int RETURNS = RIGHTS_CHANGED + 72;
    /// Not zero: a return to level 3 leaves the data segments as they are (int).
    public static final int KEEPS_DATA_SEGMENTS = RIGHTS_CHANGED + 76;
    /// Not zero: SMAP is on (int).
    public static final int PROTECTS_PROGRAMS = RIGHTS_CHANGED + 80;
    /// Not zero: RDFSBASE and its like are defined (int).
    public static final int BASE_INSTRUCTIONS = RIGHTS_CHANGED + 84;
    public static final int GDT_BASE = RIGHTS_CHANGED + 88;
    /// As an int.
    public static final int GDT_LIMIT = RIGHTS_CHANGED + 96;
    /// Not zero: generated code can read the time-stamp counter, at level 0 and at level 3 (ints).
    public static final int COUNTS = RIGHTS_CHANGED + 100;

    public static final int COUNTS_FOR_PROGRAMS = RIGHTS_CHANGED + 104;
    /// The four descriptors of flat segments: code and data of level 0, of level 3.
    public static final int FLAT_DESCRIPTORS = RIGHTS_CHANGED + 112;
    /// What IRET has popped: RIP, CS, RFLAGS, RSP, SS.
    public static final int FRAME = RIGHTS_CHANGED + 144;
    /// Where a descriptor is.
    public static final int DESCRIPTOR_ADDRESS = RIGHTS_CHANGED + 184;
    /// Nanoseconds that guest time is ahead of the host's clock.
    public static final int CLOCK_AHEAD = RIGHTS_CHANGED + 192;
    /// Ticks of the time-stamp counter a second, and what to add to it.
    public static final int COUNTER_HZ = RIGHTS_CHANGED + 200;

    public static final int COUNTER_ADJUST = RIGHTS_CHANGED + 208;
    public static final int COUNTER_AUX = RIGHTS_CHANGED + 216;
    /// Address of the host's `clock_gettime`.
    public static final int CLOCK_FUNCTION = RIGHTS_CHANGED + 224;
    /// Seconds and nanoseconds that it answers.
    public static final int CLOCK_ANSWER = RIGHTS_CHANGED + 232;
    /// 10^9.
    public static final int NANOS_PER_SECOND = RIGHTS_CHANGED + 248;
    /// 16 registers of 16 bytes, while the host's clock is asked.
    public static final int HELD_VECTORS = RIGHTS_CHANGED + 256;

    // ---------------------------------------------------------------- shared checks

    /// What shared checks of a block have found, 8 bytes each.
    static final int SHARED = 2048;
    /// Turns of a loop until its steady checks are due again (int), and what a register holds then.
    static final int TURNS = SHARED + 8 * AccessPlan.MAX_CHECKS;

    static final int LAST_TURN = TURNS + 8;

    // ---------------------------------------------------------------- page walks

    /// Not zero: generated code may walk the page tables, which have four levels (int).
    public static final int WALKS = LAST_TURN + 8;
    /// How often it has filled an entry so (int).
    public static final int WALKED = WALKS + 4;
    /// Bits of an entry of a page table that are an address.
    public static final int WALK_ADDRESS = WALKS + 8;
    /// The bit of an entry that makes a page global, or zero (int).
    public static final int WALK_GLOBAL = WALKS + 16;
    /// Not zero: there are pages of 1 GiB (int).
    public static final int WALK_HUGE = WALKS + 20;
    /// [#WALK_SLOTS] ranges of guest-physical memory that can be written: where each begins, its length in bytes,
    /// its offset in the backing memory.
    public static final int WALK_SLOT = WALKS + 24;

    public static final int WALK_SLOTS = 2;
    public static final int WALK_SLOT_BYTES = 24;
    /// Addresses of the backing memory, and of its bits that say which pages hold code.
    public static final int WALK_BACKING = WALK_SLOT + WALK_SLOTS * WALK_SLOT_BYTES;

    public static final int WALK_CODE_PAGES = WALK_BACKING + 8;
    /// RAX, RDX, RBX, and the last entry of a walk.
    static final int WALK_HELD = WALK_BACKING + 16;
    /// Flags during a walk, like [#FLAGS] (int).
    static final int WALK_FLAGS = WALK_HELD + 32;
    /// How many places are in [#LOCAL_LOG] and [#GLOBAL_LOG] (ints).
    public static final int LOCAL_COUNT = WALK_HELD + 40;

    public static final int GLOBAL_COUNT = LOCAL_COUNT + 4;
    /// The same of [#JUMP_LOG] (int).
    public static final int JUMP_COUNT = LOCAL_COUNT + 8;
    /// The generations that hold now: of code on global pages, and in this address space.
    public static final int GLOBAL_GENERATION = LOCAL_COUNT + 16;

    public static final int LOCAL_GENERATION = LOCAL_COUNT + 24;

    /// Not zero: tables have five levels (int).
    public static final int WALK_FIVE_LEVELS = 3712;
    /// Half the width of the addresses that are translated, and the bits that are zero in the sum of it and such an
    /// address.
    public static final int WALK_BIAS = WALK_FIVE_LEVELS + 8;

    public static final int WALK_CANONICAL = WALK_FIVE_LEVELS + 16;
    /// Address of the words that say which lines of the backing memory hold code, or zero.
    public static final int CODE_LINES = 3880;
    /// Bytes of such a line: no access without alignment exceeds them.
    public static final int CODE_LINE_BYTES = 64;
    /// Not zero: it is the second page of an access that is walked to (int).
    static final int SECOND_PAGE = CODE_LINES + 8;
    /// How many stores have been done beside code (int).
    public static final int PASSED = CODE_LINES + 12;

    // ---------------------------------------------------------------- page faults

    /// Not zero: generated code may deliver page faults (int).
    public static final int FAULTS = WALK_FIVE_LEVELS + 24;
    /// How many it has delivered (int).
    public static final int FAULTED = FAULTS + 4;
    /// Address of the gate, and of the first stack pointer in the task state.
    public static final int FAULT_GATE = FAULTS + 8;

    public static final int FAULT_STACKS = FAULTS + 16;
    /// What is for a system's rights: the table of the TLB for reads, as the number of a word in this block, and
    /// the number of the first entry in the jump tables (ints).
    public static final int FAULT_TABLES = FAULTS + 24;

    public static final int FAULT_JUMPS = FAULTS + 28;
    /// What is pushed: error code, RIP; RFLAGS (int).
    static final int FAULT_CODE = FAULTS + 32;

    static final int FAULT_RIP = FAULTS + 40;
    static final int FAULT_IMAGE = FAULTS + 48;
    /// Where to: CS and the number of a stack in the task state (ints), RIP, RSP.
    static final int FAULT_SELECTOR = FAULTS + 52;

    static final int FAULT_STACK = FAULTS + 56;
    static final int FAULT_TARGET = FAULTS + 64;
    static final int FAULT_FRAME = FAULTS + 72;
    /// Pages of the system's, apart from the TLB: the linear page, or [#NO_PAGE_NUMBER], and what to add to an
    /// address on it to get the host's. They have the gate, the descriptor, the task state, and the end of the
    /// stack.
    private static final int FAULT_PAGES = FAULTS + 80;

    public static final int GATE_PAGE_NUMBER = 0;
    public static final int DESCRIPTOR_PAGE_NUMBER = 1;
    public static final int TASK_PAGE_NUMBER = 2;
    public static final int STACK_PAGE_NUMBER = 3;
    public static final int MOST_FAULT_PAGES = 4;
    /// The number of no page.
    public static final int NO_PAGE_NUMBER = 1;

    // ---------------------------------------------------------------- tables

    /// Sets of rights that have tables: see [#read].
    public static final int CONTEXTS = 3;
    /// Kinds of code that have jump tables: 64-bit code under each set of rights, then 32-bit code.
    public static final int JUMP_TABLES = 2 * CONTEXTS;

    public static final int TLB_ENTRIES = 4096;
    /// A table is an array of tags (linear pages), and then one of what to add to a linear address to get the
    /// host's.
    public static final int DELTAS = TLB_ENTRIES * 8;

    public static final int TABLE_BYTES = 2 * DELTAS;
    private static final int TLB = 4096;
    private static final int STACK_PAGES = 1360;
    /// A page that nobody looks at: what an empty entry of a stack page leads to.
    public static final int NOWHERE = 400 << 10;
    /// Not zero: some access in a loop has a page in its own entry (int).
    public static final int SITES_FILLED = 1472;
    /// Not zero: the upper halves of vector registers may be other than zero (int).
    public static final int UPPER_HALVES = 1476;
    /// Entries of accesses in loops: the linear page, what to add to an address on it, the page's host address, and
    /// how often the entry has been filled.
    private static final int SITES = 416 << 10;

    public static final int SITE_BYTES = 32;
    public static final int SITE_DISTANCE = 8;
    public static final int SITE_PAGE = 16;
    public static final int SITE_FILLS = 24;
    /// Entries for reads or writes under one set of rights.
    public static final int SITES_OF_A_KIND = 256;
    /// An entry as in the tables of the TLB, [#DELTAS] included, for one store that goes beside code.
    static final int PASSING = 464 << 10;

    /// The first of the jump tables.
    public static final int JUMPS = 1 << 19;
    /// Entries of a jump table.
    public static final int JUMP_ENTRIES = 1 << 16;

    /// Places of TLB entries (ints) that have been filled for one address space, and for all; some more than once.
    public static final int LOCAL_LOG = JUMPS + JUMP_TABLES * JUMP_ENTRIES * 8;

    /// Ints in a log: more than there are entries.
    public static final int LOG = 1 << 15;

    public static final int GLOBAL_LOG = LOCAL_LOG + 4 * LOG;
    /// A bit for the number of each GiB, modulo [#LARGE_REGIONS], in which a piece of a larger page has an entry.
    public static final int LARGE = GLOBAL_LOG + 4 * LOG;

    public static final int LARGE_REGIONS = 1 << 12;

    /// Targets of 64-bit code whose place in a jump table is empty or another's: for each set of rights a table of
    /// RIP, the generation in which it means this code, the code's address, and the page of the guest's code.
    private static final int TARGETS = LARGE + LARGE_REGIONS / 8;

    public static final int TARGET_BITS = 16;
    /// What spreads the low 32 bits of RIP.
    static final int TARGET_FACTOR = 0x9E37_79B1;
    public static final int TARGET_BYTES = 32;
    public static final int TARGET_GENERATION = 8;
    public static final int TARGET_CODE = 16;
    /// The backing page that the code is a translation of, plus one, or zero if it depends on more.
    public static final int TARGET_PAGE = 24;
    public static final int TARGETS_BYTES = TARGET_BYTES << TARGET_BITS;
    /// Entries of jump tables (ints, counted through all tables) that generated code has filled.
    public static final int JUMP_LOG = TARGETS + CONTEXTS * TARGETS_BYTES;

    public static final int MOST_JUMPS = 1 << 14;
    /// Pages that have been fetched: for each set of rights, by the number of the linear page, a table of its
    /// address, the generation in which it is there, and the backing page plus one.
    private static final int CODE_PAGES = JUMP_LOG + 4 * MOST_JUMPS;

    static final int CODE_PAGE_BITS = 7;
    static final int CODE_PAGE_SHIFT = 5;
    public static final int CODE_PAGE_GENERATION = 8;
    public static final int CODE_PAGE_BACKING = 16;
    private static final int CODE_PAGES_BYTES = 1 << CODE_PAGE_BITS + CODE_PAGE_SHIFT;

    /// Bytes from RSP upwards.
    public static final int SIZE = CODE_PAGES + CONTEXTS * CODE_PAGES_BYTES;
    /// In the code cache, each block has its RIP so many bytes before it.
    public static final int BLOCK_HEADER_BYTES = 8;
    /// Bytes below RSP.
    public static final int STACK = 1 << 18;

    private StateLayout() {}

    /// The table for reads under a set of rights: 0 user, 1 supervisor under SMAP, 2 supervisor without.
    public static int read(int context) {
        return TLB + 2 * context * TABLE_BYTES;
    }

    /// The table for writes.
    public static int write(int context) {
        return read(context) + TABLE_BYTES;
    }

    /// The page of the stack, once more for short checks: its negated linear address, and 8 bytes on what to add to
    /// an address to get the host's. Reads and writes have entries of their own.
    public static int stackPage(int context, boolean write) {
        return STACK_PAGES + 32 * context + (write ? 16 : 0);
    }

    /// The entry of a page that page faults are delivered by.
    public static int faultPage(int number) {
        return FAULT_PAGES + 16 * number;
    }

    /// An entry of an access in a loop.
    ///
    /// @param kind twice the set of rights, one more for writes
    public static int site(int kind, int number) {
        return SITES + (kind * SITES_OF_A_KIND + number) * SITE_BYTES;
    }

    /// The place in the table of [#TARGETS] for 64-bit code under a set of rights.
    public static int target(int context, long rip) {
        return targets(context) + ((int) rip * TARGET_FACTOR >>> 32 - TARGET_BITS) * TARGET_BYTES;
    }

    /// The place in the table of [#CODE_PAGES] for the page of an address under a set of rights.
    public static int codePage(int context, long rip) {
        int number = (int) (rip >>> 12) & (1 << CODE_PAGE_BITS) - 1;
        return codePages(context) + (number << CODE_PAGE_SHIFT);
    }

    static int codePages(int context) {
        return CODE_PAGES + context * CODE_PAGES_BYTES;
    }

    static int targets(int context) {
        return TARGETS + context * TARGETS_BYTES;
    }

    /// The jump table for a [CodeMode].
    public static int jumps(int mode) {
        return JUMPS + CodeMode.jumpTable(mode) * JUMP_ENTRIES * 8;
    }

    /// The place of guest register 13, 14 or 15.
    public static int spilled(int register) {
        return (register - 13) * 8;
    }
}

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
    public static final int EXIT_TARGET = 96;

    public static final int EXIT_TARGET_BIAS = 104;
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
    /// The last x87 instruction: opcode and selector of its code (int each), offset; selector (int) and offset of its
    /// operand.
    public static final int X87_OPCODE = 3660;

    public static final int X87_CODE_SELECTOR = 3664;
    public static final int X87_DATA_SELECTOR = 3668;
    public static final int X87_INSTRUCTION = 3672;
    public static final int X87_DATA = 3680;
    /// RAX and RDX while the unit is loaded.
    public static final int X87_SCRATCH = 3688;

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
    /// The first of the jump tables.
    public static final int JUMPS = 1 << 19;
    /// Entries of a jump table.
    public static final int JUMP_ENTRIES = 1 << 16;

    /// Bytes from RSP upwards.
    public static final int SIZE = JUMPS + JUMP_TABLES * JUMP_ENTRIES * 8;
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

    /// The jump table for a [CodeMode].
    public static int jumps(int mode) {
        return JUMPS + CodeMode.jumpTable(mode) * JUMP_ENTRIES * 8;
    }

    /// The place of guest register 13, 14 or 15.
    public static int spilled(int register) {
        return (register - 13) * 8;
    }
}

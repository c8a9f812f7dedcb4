package org.jvirt.engine.soft.cpu;

import org.jspecify.annotations.Nullable;
import org.jvirt.core.ExitHandler;
import org.jvirt.core.cpu.Activity;
import org.jvirt.core.cpu.CpuFeature;
import org.jvirt.core.cpu.CpuidTable;
import org.jvirt.core.cpu.Segment;
import org.jvirt.engine.soft.fp.Mxcsr;
import org.jvirt.engine.soft.fp.X87;
import org.jvirt.x86.CodeSize;

/// One processor: its registers, its mode, and its units.
///
/// Operations work on the public registers and units directly. [#blockRip] and an operation's offset make the
/// address of the next instruction; [#rip] itself is right only between blocks, and inside one after a control
/// transfer. Faults are thrown as `throw cpu.gp(0)`.
///
/// All state belongs to the thread that runs the processor; other threads reach it through [#signals] only.
public final class Cpu {
    /// Register numbers in [#r].
    public static final int RAX = 0;

    public static final int RCX = 1;
    public static final int RDX = 2;
    public static final int RBX = 3;
    public static final int RSP = 4;
    public static final int RBP = 5;
    public static final int RSI = 6;
    public static final int RDI = 7;
    /// A slot of [#r] that is always zero, for addresses without base or index.
    public static final int ZERO = 16;
    /// A slot of [#r] that holds [#blockRip], for RIP-relative addresses.
    public static final int BLOCK_RIP = 17;

    /// Bits of RFLAGS that are not in [Flags].
    public static final int TF = 1 << 8;

    public static final int IF = 1 << 9;
    public static final int DF = 1 << 10;
    public static final int IOPL = 3 << 12;
    public static final int NT = 1 << 14;
    public static final int RF = 1 << 16;
    public static final int VM = 1 << 17;
    public static final int AC = 1 << 18;
    public static final int VIF = 1 << 19;
    public static final int VIP = 1 << 20;
    public static final int ID = 1 << 21;
    static final int SYSTEM_FLAGS = TF | IF | DF | IOPL | NT | RF | VM | AC | VIF | VIP | ID;

    /// Bits of [#modeKey].
    private static final int KEY_STACK_SHIFT = 2;

    private static final int KEY_PROTECTED = 1 << 4;
    private static final int KEY_VIRTUAL8086 = 1 << 5;
    private static final int KEY_USER = 1 << 6;
    /// How many values [#modeKey] can take.
    public static final int MODE_KEYS = 1 << 7;

    /// The general registers in encoding order, then [#ZERO] and [#BLOCK_RIP].
    public final long[] r = new long[18];

    public final Flags flags = new Flags();
    public final Segments segments = new Segments(this);
    public final Mmu mmu;
    /// `xmm[2 * i]` is the low half of XMMi, `xmm[2 * i + 1]` the high half.
    public final long[] xmm = new long[32];
    /// Bits 128 to 255 of YMMi, laid out like [#xmm].
    public final long[] ymmHigh = new long[32];
    public final X87 x87 = new X87();
    public final Mxcsr mxcsr = new Mxcsr();

    public final Control control;
    public final Debug debug;
    public final Segmentation segmentation;
    public final Interrupts interrupts;
    public final FarTransfers far;
    public final FlatTransfers flat;
    public final TaskSwitch tasks;
    public final Msrs msrs;
    public final CpuidUnit cpuidUnit;
    public final XsaveUnit xsave;
    public final Signals signals;
    public final Paravirtual paravirtual;

    /// Address of the first instruction of the running block.
    public long blockRip;
    /// Address of the next instruction; see the class comment.
    public long rip;
    /// The running block must be left after the current instruction.
    public boolean leave;
    /// Guest instructions executed.
    public long instructions;

    /// GDTR and IDTR.
    long gdtBase;

    int gdtLimit;
    long idtBase;
    int idtLimit;

    int systemFlags;
    int cpl;
    Activity activity = Activity.RUNNING;
    /// Interrupts (after STI) or interrupts and debug traps (after a load of SS) wait for one instruction.
    Shadow shadow = Shadow.NONE;

    private final int index;
    private final Processors processors;
    private final ExitHandler io;
    private final GuestFault fault = new GuestFault();
    private CodeObserver codeObserver = (at, size) -> {};
    private @Nullable VectorHolder vectorHolder;
    private @Nullable VectorHolder x87Holder;

    private int systemGeneration;
    private boolean protectedMode;
    private boolean long64;
    private CodeSize codeSize = CodeSize.CODE16;
    private long stackMask = 0xFFFF;
    private int modeKey;
    /// CS outside 64-bit mode, as the jump caches know it.
    private long fetchBase = -1;

    private long fetchLimit = -1;

    /// What an instruction puts off.
    enum Shadow {
        NONE,
        INTERRUPTS,
        ALL
    }

    /// Has the vector registers and MXCSR somewhere else, or the x87 unit: in the host's.
    @FunctionalInterface
    public interface VectorHolder {
        /// Puts them into [#xmm], [#ymmHigh] and [#mxcsr], or into [#x87], and has them no more.
        void giveBack();
    }

    /// Told of stores to pages that hold decoded code.
    @FunctionalInterface
    public interface CodeObserver {
        /// @param at offset in the guest's backing memory
        void written(long at, long size);
    }

    Cpu(Processors processors, int index, ExitHandler io) {
        this.processors = processors;
        this.index = index;
        this.io = io;
        control = new Control(this);
        debug = new Debug(this);
        mmu = new Mmu(this, processors, io);
        segmentation = new Segmentation(this);
        interrupts = new Interrupts(this);
        far = new FarTransfers(this);
        flat = new FlatTransfers(this);
        tasks = new TaskSwitch(this);
        msrs = new Msrs(this);
        cpuidUnit = new CpuidUnit(this);
        xsave = new XsaveUnit(this);
        signals = new Signals(this);
        paravirtual = new Paravirtual(this);
    }

    public int index() {
        return index;
    }

    public Processors processors() {
        return processors;
    }

    /// Ports and device registers.
    public ExitHandler io() {
        return io;
    }

    public CpuidTable cpuid() {
        return processors.cpuid();
    }

    public boolean has(CpuFeature feature) {
        return processors.cpuid().has(feature);
    }

    // ---------------------------------------------------------------- flags

    /// The whole register. VM and RF are there as they are; PUSHF hides them itself.
    public long rflags() {
        return flags.pack() | systemFlags | 2;
    }

    /// Loads the whole register without any check of privilege. A change of VM needs [#updateMode] as well.
    public void setRflags(long value) {
        flags.unpack((int) value);
        setSystemFlags((int) value & SYSTEM_FLAGS);
    }

    /// The bits of RFLAGS that are not in [Flags].
    public int systemFlags() {
        return systemFlags;
    }

    /// Loads all of them.
    public void setSystemFlags(int value) {
        int changed = systemFlags ^ value;
        systemFlags = value;
        if ((changed & TF) != 0 || (changed & value & IF) != 0) {
            leave = true;
        }
        if ((changed & AC) != 0) {
            selectRights();
        }
    }

    public boolean df() {
        return (systemFlags & DF) != 0;
    }

    public void setDf(boolean value) {
        systemFlags = value ? systemFlags | DF : systemFlags & ~DF;
    }

    public boolean interruptsEnabled() {
        return (systemFlags & IF) != 0;
    }

    public int iopl() {
        return systemFlags >> 12 & 3;
    }

    // ---------------------------------------------------------------- mode

    /// The current privilege level; 0 in real mode, 3 in virtual-8086 mode.
    public int cpl() {
        return cpl;
    }

    /// Whether the processor executes 64-bit code.
    public boolean longMode64() {
        return long64;
    }

    /// Whether EFER.LMA is set: 64-bit or compatibility mode.
    public boolean longModeActive() {
        return control.longModeActive();
    }

    /// CR0.PE is set and EFLAGS.VM is not.
    public boolean protectedMode() {
        return protectedMode;
    }

    public boolean virtual8086() {
        return (systemFlags & VM) != 0;
    }

    /// CR0.PE is clear.
    public boolean realMode() {
        return !protectedMode && (systemFlags & VM) == 0;
    }

    public CodeSize codeSize() {
        return codeSize;
    }

    /// 0xFFFF, 0xFFFF_FFFF or -1.
    public long stackMask() {
        return stackMask;
    }

    /// Changes whenever something may have changed that [FlatTransfers] tells of.
    public int systemGeneration() {
        return systemGeneration;
    }

    void newSystemGeneration() {
        systemGeneration++;
    }

    /// A small number for all that decoding depends on.
    public int modeKey() {
        return modeKey;
    }

    /// The same in words.
    public OpContext opContext() {
        int stackBytes = stackMask == -1 ? 8 : stackMask == 0xFFFF ? 2 : 4;
        return new OpContext(codeSize, stackBytes, protectedMode, virtual8086(), cpl == 3, cpuid());
    }

    /// Brings everything in line that follows from CR0, CR4, EFER, CS, SS and EFLAGS.VM.
    void updateMode() {
        boolean virtual = virtual8086();
        boolean protectedBefore = protectedMode;
        protectedMode = control.protectionEnabled() && !virtual;
        int csAttributes = segments.attributes[Segments.CS];
        long64 = control.longModeActive() && (csAttributes & Segment.LONG) != 0;
        codeSize = long64
                ? CodeSize.CODE64
                : (csAttributes & Segment.BIG) != 0 && !virtual ? CodeSize.CODE32 : CodeSize.CODE16;
        stackMask = long64 ? -1 : (segments.attributes[Segments.SS] & Segment.BIG) != 0 ? 0xFFFF_FFFFL : 0xFFFF;
        if (protectedMode != protectedBefore) {
            segments.updateAllRanges();
        }
        modeKey = codeSize.ordinal()
                | (stackMask == -1 ? 2 : stackMask == 0xFFFF ? 0 : 1) << KEY_STACK_SHIFT
                | (protectedMode ? KEY_PROTECTED : 0)
                | (virtual ? KEY_VIRTUAL8086 : 0)
                | (cpl == 3 ? KEY_USER : 0);
        selectRights();
        if (!long64 && (segments.base[Segments.CS] != fetchBase || segments.limit[Segments.CS] != fetchLimit)) {
            fetchBase = segments.base[Segments.CS];
            fetchLimit = segments.limit[Segments.CS];
            mmu.tlb.newFetchGeneration();
        }
        leave = true;
    }

    /// Changes the privilege level alone: SYSCALL and its like follow with [#updateMode].
    void setCpl(int level) {
        cpl = level;
    }

    private void selectRights() {
        boolean ac = (systemFlags & AC) != 0;
        int context;
        if (cpl == 3) {
            context = ac && control.alignmentMask() ? Tlb.USER_ALIGNED : Tlb.USER;
        } else {
            context = smapEnabled() && !ac ? Tlb.SUPERVISOR_SMAP : Tlb.SUPERVISOR;
        }
        mmu.tlb.select(context);
    }

    boolean paging() {
        return control.paging();
    }

    boolean smapEnabled() {
        return control.smap();
    }

    boolean smepEnabled() {
        return control.smep();
    }

    boolean writeProtect() {
        return control.writeProtect();
    }

    boolean fetchIsReported() {
        return control.smep() || control.noExecuteEnabled() && control.pae();
    }

    boolean noExecuteEnabled() {
        return control.noExecuteEnabled();
    }

    boolean pae() {
        return control.pae();
    }

    boolean globalPages() {
        return control.globalPages();
    }

    boolean pageSizeExtension() {
        return control.pageSizeExtension();
    }

    boolean fiveLevels() {
        return control.fiveLevels();
    }

    boolean hugePages() {
        return control.hugePages();
    }

    long cr3() {
        return control.cr3();
    }

    long pageDirectoryPointer(int i) {
        return control.pageDirectoryPointer(i);
    }

    /// All bits that a physical address may have.
    long physicalMask() {
        return control.physicalMask();
    }

    /// Whether `la` is canonical for the number of levels in use; outside long mode every address is.
    public boolean isCanonical(long la) {
        if (!control.longModeActive()) {
            return true;
        }
        int unused = control.fiveLevels() ? 7 : 16;
        return la << unused >> unused == la;
    }

    /// Whether `la` may be the base of a segment or table, or an address in an MSR: what counts is how wide
    /// addresses can be, not how many levels are in use (Intel SDM volume 1, 3.3.7.1).
    public boolean isCanonicalBase(long la) {
        int unused = has(CpuFeature.LA57) ? 7 : has(CpuFeature.LM) ? 16 : 0;
        return la << unused >> unused == la;
    }

    // ---------------------------------------------------------------- control flow

    /// Ends the block at `target`, cut to the operand size (2, 4 or 8).
    ///
    /// @throws GuestFault `#GP(0)` when it is outside CS or not canonical
    public void branchNear(long target, int operandSize) {
        if (long64) {
            if (target << 16 >> 16 != target && !isCanonical(target)) {
                throw gp(0);
            }
            rip = target;
            return;
        }
        long cut = target & (operandSize == 2 ? 0xFFFF : 0xFFFF_FFFFL);
        if (cut > segments.limit[Segments.CS]) {
            throw gp(0);
        }
        rip = cut;
    }

    /// The running block must be left after this operation: modes, mappings or code may have changed.
    public void endBlock() {
        leave = true;
    }

    /// Makes the current instruction, `offset` bytes into the block, the next one again: a string instruction that
    /// stops between iterations because [#interruptRequested].
    public void stayAt(int offset) {
        rip = blockRip + offset;
        leave = true;
    }

    /// Whether a long string instruction should stop between iterations and call [#stayAt].
    public boolean interruptRequested() {
        return signals.requested() || (systemFlags & TF) != 0 || leave;
    }

    /// What Signals wants done at the next block boundary.
    public boolean attention() {
        return signals.requested();
    }

    /// Cuts the instruction pointer to its width after it has run on past it.
    public void normaliseRip() {
        if (!long64) {
            rip &= 0xFFFF_FFFFL;
        }
    }

    /// The linear address of the next instruction.
    public long linearRip() {
        return long64 ? rip : segments.base[Segments.CS] + rip & 0xFFFF_FFFFL;
    }

    /// The start of the linear page after the one that `la` is on.
    public long nextPage(long la) {
        long next = (la & -4096L) + 4096;
        return long64 ? next : next & 0xFFFF_FFFFL;
    }

    /// Whether `size` bytes of code at `offset` are inside CS.
    public boolean codeAllows(long offset, int size) {
        return long64 || offset + size - 1 <= segments.limit[Segments.CS];
    }

    /// The generation of what is known now about the code at [#rip], which has just been fetched: see [#isCurrent].
    public long fetchGeneration() {
        return mmu.tlb.fetchGeneration(linearRip());
    }

    /// Whether addresses mean the same code as in a generation, or again.
    public boolean isCurrent(long generation) {
        return mmu.tlb.isCurrent(generation);
    }

    /// HLT: nothing is executed until an interrupt.
    public void halt() {
        activity = Activity.HALTED;
        leave = true;
    }

    /// STI: interrupts wait for one more instruction.
    public void shadowInterrupts() {
        shadow = Shadow.INTERRUPTS;
        leave = true;
    }

    /// A load of SS: interrupts and debug traps wait for one more instruction.
    public void shadowAll() {
        shadow = Shadow.ALL;
        leave = true;
    }

    /// CR8.
    public long taskPriority() {
        return processors.local(index).taskPriority();
    }

    /// MOV to CR8.
    ///
    /// @throws GuestFault `#GP(0)` above 15
    public void setTaskPriority(long value) {
        if ((value & ~15L) != 0) {
            throw gp(0);
        }
        processors.local(index).setTaskPriority((int) value);
        interrupts.reported();
        leave = true;
    }

    // ---------------------------------------------------------------- stack

    /// The stack pointer, cut to its width.
    public long sp() {
        return r[RSP] & stackMask;
    }

    /// Sets the part of RSP that the stack's width covers.
    public void setSp(long value) {
        r[RSP] = stackMask == 0xFFFF ? r[RSP] & ~0xFFFFL | value & 0xFFFF : value & stackMask;
    }

    /// The linear address of `size` bytes at `offset` in the stack segment; the offset is cut to the stack's width.
    public long stackLinear(long offset, int size, boolean write) {
        if (stackMask == -1) {
            if (offset << 16 >> 16 != offset && !isCanonical(offset)) {
                throw ss(0);
            }
            return offset;
        }
        return segments.linear(Segments.SS, offset & stackMask, size, write);
    }

    public void push64(long value) {
        long sp = r[RSP] - 8;
        mmu.store64(stackLinear(sp, 8, true), value);
        r[RSP] = sp;
    }

    public long pop64() {
        long sp = r[RSP];
        long value = mmu.load64(stackLinear(sp, 8, false));
        r[RSP] = sp + 8;
        return value;
    }

    /// Pushes the low `size` bytes (2, 4 or 8).
    public void push(long value, int size) {
        long sp = r[RSP] - size;
        mmu.store(stackLinear(sp, size, true), size, value);
        setSp(sp);
    }

    /// Zero-extended.
    public long pop(int size) {
        long sp = r[RSP];
        long value = mmu.load(stackLinear(sp, size, false), size);
        setSp(sp + size);
        return value;
    }

    // ---------------------------------------------------------------- availability of the floating-point units

    /// Says who has the vector registers from now on.
    public void holdVectors(VectorHolder holder) {
        vectorHolder = holder;
    }

    /// Before the vector registers or what may be done with them are read or changed.
    public void takeVectors() {
        VectorHolder holder = vectorHolder;
        if (holder != null) {
            vectorHolder = null;
            holder.giveBack();
        }
    }

    /// Says who has the x87 unit from now on.
    public void holdX87(VectorHolder holder) {
        x87Holder = holder;
    }

    /// Before [#x87] or what may be done with it is read or changed.
    public void takeX87() {
        VectorHolder holder = x87Holder;
        if (holder != null) {
            x87Holder = null;
            holder.giveBack();
        }
    }

    /// Before anything of either is.
    public void takeExtended() {
        takeVectors();
        takeX87();
    }

    /// For x87 instructions other than FWAIT: `#NM` if CR0.EM or CR0.TS is set.
    public void useX87() {
        if (x87Holder != null) {
            takeX87();
        }
        if (control.x87Trapped()) {
            throw nm();
        }
    }

    /// For FWAIT: `#NM` if CR0.MP and CR0.TS are set.
    public void useFwait() {
        if (x87Holder != null) {
            takeX87();
        }
        if (control.fwaitTrapped()) {
            throw nm();
        }
    }

    /// For MMX: `#UD` if CR0.EM is set, `#NM` if CR0.TS is, `#MF` if an x87 exception waits.
    public void useMmx() {
        if (x87Holder != null) {
            takeX87();
        }
        if (control.x87Trapped()) {
            throw control.emulation() ? ud() : nm();
        }
        if (x87.pending()) {
            throw mf();
        }
    }

    /// For SSE: `#UD` if CR0.EM is set or CR4.OSFXSR is not, `#NM` if CR0.TS is set.
    public void useSse() {
        if (vectorHolder != null) {
            takeVectors();
        }
        if (control.sseTrapped()) {
            throw control.sseUndefined() ? ud() : nm();
        }
    }

    /// For AVX: `#UD` unless CR4.OSXSAVE and XCR0 allow it in protected mode, `#NM` if CR0.TS is set.
    public void useAvx() {
        if (vectorHolder != null) {
            takeVectors();
        }
        if (control.avxTrapped() || !protectedMode) {
            throw control.avxUndefined() || !protectedMode ? ud() : nm();
        }
    }

    // ---------------------------------------------------------------- faults

    /// `#DE`.
    public GuestFault de() {
        return fault(0);
    }

    /// `#BR`.
    public GuestFault br() {
        return fault(5);
    }

    /// `#UD`.
    public GuestFault ud() {
        return fault(6);
    }

    /// `#NM`.
    public GuestFault nm() {
        return fault(7);
    }

    /// `#TS`.
    public GuestFault ts(int errorCode) {
        return fault.fill(10, errorCode, 0);
    }

    /// `#NP`.
    public GuestFault np(int errorCode) {
        return fault.fill(11, errorCode, 0);
    }

    /// `#SS`.
    public GuestFault ss(int errorCode) {
        return fault.fill(12, errorCode, 0);
    }

    /// `#GP`.
    public GuestFault gp(int errorCode) {
        return fault.fill(13, errorCode, 0);
    }

    /// `#PF`; CR2 changes when it is delivered.
    public GuestFault pf(long la, int errorCode) {
        return fault.fill(14, errorCode, la);
    }

    /// `#MF`.
    public GuestFault mf() {
        return fault(16);
    }

    /// `#AC(0)`.
    public GuestFault ac() {
        return fault.fill(17, 0, 0);
    }

    /// `#XM`, or `#UD` where CR4.OSXMMEXCPT is clear.
    public GuestFault xm() {
        return fault(control.simdExceptions() ? 19 : 6);
    }

    /// `#DB` as a fault (INT1 is a trap and not this), with bits to set in DR6.
    GuestFault db(long dr6) {
        return fault.fill(1, GuestFault.NO_ERROR_CODE, dr6);
    }

    private GuestFault fault(int vector) {
        return fault.fill(vector, GuestFault.NO_ERROR_CODE, 0);
    }

    // ---------------------------------------------------------------- decoded code

    /// Says who keeps decoded code.
    public void observeCode(CodeObserver observer) {
        codeObserver = observer;
    }

    /// This processor has stored to a page that holds decoded code.
    void codeWritten(long at, long size) {
        codeObserver.written(at, size);
        processors.codeWrittenBy(this, at, size);
    }

    /// As seen from elsewhere: another processor or a device has.
    void foreignCodeWritten(long at, long size) {
        codeObserver.written(at, size);
    }

    /// Whether data breakpoints need to see accesses to this linear page.
    boolean watchesData(long page) {
        return debug.watchesData(page);
    }
}

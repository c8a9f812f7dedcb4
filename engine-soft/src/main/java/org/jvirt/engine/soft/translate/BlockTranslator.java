package org.jvirt.engine.soft.translate;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.jspecify.annotations.Nullable;
import org.jvirt.engine.soft.translate.emit.AccessPlan;
import org.jvirt.engine.soft.translate.emit.BlockEmitter;
import org.jvirt.engine.soft.translate.emit.BranchCode;
import org.jvirt.engine.soft.translate.emit.CodeMode;
import org.jvirt.engine.soft.translate.emit.Exits;
import org.jvirt.engine.soft.translate.emit.FlagUse;
import org.jvirt.engine.soft.translate.emit.IntegerCode;
import org.jvirt.engine.soft.translate.emit.Sites;
import org.jvirt.engine.soft.translate.emit.StackCode;
import org.jvirt.engine.soft.translate.emit.StringCode;
import org.jvirt.engine.soft.translate.emit.Stubs;
import org.jvirt.engine.soft.translate.emit.SystemCode;
import org.jvirt.engine.soft.translate.emit.TransferCode;
import org.jvirt.engine.soft.translate.emit.X87Code;
import org.jvirt.engine.soft.translate.vector.HostCpu;
import org.jvirt.engine.soft.translate.vector.VectorInstructions;
import org.jvirt.engine.soft.translate.vector.VectorUse;
import org.jvirt.engine.soft.translate.vector.X87Instructions;
import org.jvirt.x86.CodeSize;
import org.jvirt.x86.CodeWriter;
import org.jvirt.x86.CpuFeature;
import org.jvirt.x86.DecodeResult;
import org.jvirt.x86.Decoder;
import org.jvirt.x86.FlagMask;
import org.jvirt.x86.Instruction;
import org.jvirt.x86.Mnemonic;
import org.jvirt.x86.OperandKind;

/// Translates one run of guest instructions: decodes, finds out which flags are live, and emits.
///
/// What cannot be translated ends the block; the interpreter executes it.
final class BlockTranslator {
    private static final int PAGE = 4096;
    private static final int MAX_INSTRUCTIONS = 48;
    /// Conditional branches in a loop that is one block, beside the last.
    private static final int MAX_WAYS_OUT = 6;
    private static final long LAST_PAGE_32 = 0xFFFF_F000L;
    /// Prefixes.
    private static final int REPEAT = 0xF3;

    private static final int REPEAT_NOT = 0xF2;
    private static final int REX = 0x40;

    private final MemorySegment ram;
    private final CodePlace cache;
    private final CodeWriter writer;
    private final BlockEmitter emitter;
    private final BranchCode branches;
    private final StackCode stack;
    private final IntegerCode integers;
    private final StringCode strings;
    private final SystemCode system;
    private final X87Code x87;
    private final TransferCode transfers;
    private final HostCpu host;
    private final GuestFeatures guest;
    private final Sites sites;
    private final AccessPlan plan = new AccessPlan();
    private final Decoder decoder = new Decoder();
    private final Instruction[] instructions = new Instruction[MAX_INSTRUCTIONS];
    private final int[] offsets = new int[MAX_INSTRUCTIONS + 1];
    private final int[] live = new int[MAX_INSTRUCTIONS + 1];
    private final boolean[] isVector = new boolean[MAX_INSTRUCTIONS];
    /// A page of guest code, and room for the rest of an instruction on the next.
    private final byte[] page = new byte[PAGE + Decoder.MAX_LENGTH];
    private final Instruction probe = new Instruction();
    /// An instruction without some of its prefixes.
    private final byte[] plain = new byte[Decoder.MAX_LENGTH];
    /// Offset in the page of the instruction that is being emitted.
    private int at;
    private long pageRip;
    private int mode;
    private final FlagForecast forecast = new FlagForecast();
    private int emitted;
    private boolean effects = true;

    BlockTranslator(
            MemorySegment ram,
            CodePlace cache,
            CodeWriter writer,
            Stubs stubs,
            Sites sites,
            HostCpu host,
            GuestFeatures guest) {
        this.sites = sites;
        this.guest = guest;
        this.ram = ram;
        this.cache = cache;
        this.writer = writer;
        this.host = host;
        emitter = new BlockEmitter(writer, stubs, hasFastPext(host));
        stack = new StackCode(emitter);
        branches = new BranchCode(emitter, stack, this::crosses);
        integers = new IntegerCode(emitter);
        strings = new StringCode(emitter);
        system = new SystemCode(emitter);
        x87 = new X87Code(emitter);
        transfers = new TransferCode(emitter, branches);
        for (int i = 0; i < MAX_INSTRUCTIONS; i++) {
            instructions[i] = new Instruction();
        }
    }

    /// PEXT is slow on AMD's first processors that have it; those do not have INVPCID.
    private static boolean hasFastPext(HostCpu host) {
        return host.has(CpuFeature.BMI2) && host.has(CpuFeature.INVPCID);
    }

    /// First and last offset in the page that the last translation looked at beyond its own code; the last is -1
    /// for nothing.
    int forecastFrom() {
        return forecast.from();
    }

    int forecastTo() {
        return forecast.to();
    }

    /// The page that the last translation is of, and as much of the next.
    byte[] page() {
        return page;
    }

    /// Translates for a [CodeMode] up to `limit` instructions at backing offset `at`, all on one page or a single
    /// one that goes on on `secondPage` (-1 for none), and puts the code into the cache.
    /// Null if not even the first can be translated.
    ///
    /// @param apart each access is to be checked by itself
    @Nullable
    TranslatedBlock translate(long at, long secondPage, long rip, int context, int limit, boolean apart) {
        mode = context;
        if (CodeMode.is32(context) && rip >= LAST_PAGE_32) {
            // what follows is at address 0
            return null;
        }
        int start = (int) (at & PAGE - 1);
        MemorySegment.copy(ram, ValueLayout.JAVA_BYTE, at - start, page, 0, PAGE);
        int end = PAGE;
        if (secondPage >= 0) {
            MemorySegment.copy(ram, ValueLayout.JAVA_BYTE, secondPage << 12, page, PAGE, Decoder.MAX_LENGTH);
            end = page.length;
        }
        pageRip = rip - start;
        int most = Math.min(limit, MAX_INSTRUCTIONS);
        int count = decode(start, end, 0, most);
        if (count == 0) {
            return null;
        }
        if (!apart && effects && secondPage < 0) {
            count = wholeLoop(start, end, count, most);
        }
        forecast.begin(page, CodeMode.codeSize(mode));
        analyse(start, count);
        VectorUse vectors = VectorUse.NONE;
        boolean usesX87 = false;
        for (int i = 0; i < count; i++) {
            boolean isX87 = effects && X87Instructions.isNative(instructions[i], host);
            usesX87 |= isX87;
            VectorUse use =
                    isX87 ? X87Instructions.vectors(instructions[i]) : VectorInstructions.use(instructions[i], host);
            isVector[i] = !isX87 && (use == VectorUse.SSE || use == VectorUse.AVX);
            if (use == VectorUse.SSE || use == VectorUse.AVX) {
                vectors = use.ordinal() > vectors.ordinal() ? use : vectors;
            }
        }
        writer.begin(cache.end());
        boolean loop = isLoop(count) && sites.isWorthWhile(rip, context);
        if (apart || !effects || CodeMode.is32(context)) {
            plan.clear();
        } else {
            plan.plan(instructions, offsets, rip, live, isVector, count, loop);
        }
        emitter.begin(context, rip, plan, sites, loop, live[0]);
        branches.enter(vectors != VectorUse.NONE, usesX87, effects);
        if (!emit(rip, count)) {
            return null;
        }
        int stubs = writer.size();
        branches.finish();
        emitter.finish();
        TranslatedBlock block = add(at >>> 12, rip, context);
        block.crosses = secondPage >= 0;
        block.apart = apart;
        block.sites = emitter.sites();
        block.guestBytes = (short) offsets[count];
        block.instructions = (short) emitted;
        block.ends(stubs, writer.size());
        return block;
    }

    /// Whether the instruction at a linear address of the page goes on on the next: its block can only be found
    /// through the jump table, which forgets when the next page becomes another.
    private boolean crosses(long rip) {
        int position = (int) (rip - pageRip);
        return position > PAGE - Decoder.MAX_LENGTH
                && decoder.decode(page, position, PAGE, CodeMode.codeSize(mode), probe) == DecodeResult.NEEDS_MORE;
    }

    /// Whether the block ends with a branch to its beginning.
    private boolean isLoop(int count) {
        Instruction last = instructions[count - 1];
        return last.row().branch()
                && last.operandCount() > 0
                && last.kind(0) == OperandKind.RELATIVE
                && offsets[count] + last.immediate() == 0;
    }

    /// Goes on behind the conditional branch that ends the first `first` instructions, and behind others, if that
    /// leads to a branch to the beginning: a loop is one block, with ways out.
    private int wholeLoop(int start, int end, int first, int limit) {
        int count = first;
        for (int ways = 0; ways < MAX_WAYS_OUT && !isLoop(count); ways++) {
            if (!isConditional(instructions[count - 1])) {
                break;
            }
            int more = decode(start, end, count, limit);
            if (more == count) {
                break;
            }
            count = more;
        }
        if (isLoop(count)) {
            return count;
        }
        return first;
    }

    private static boolean isConditional(Instruction insn) {
        return switch (insn.mnemonic()) {
            case JO, JNO, JB, JAE, JE, JNE, JBE, JA, JS, JNS, JP, JNP, JL, JGE, JLE, JG -> true;
            default -> false;
        };
    }

    /// Decodes instructions from the one numbered `first` to one that ends a block; answers how many there are
    /// then.
    private int decode(int start, int end, int first, int limit) {
        int count = first;
        int position = start + (first == 0 ? 0 : offsets[first]);
        while (count < limit && position < PAGE) {
            Instruction insn = instructions[count];
            if (decoder.decode(page, position, end, CodeMode.codeSize(mode), insn) != DecodeResult.OK) {
                break;
            }
            if (!guest.available().test(insn)) {
                break;
            }
            offsets[count++] = position - start;
            position += insn.length();
            if (insn.row().endsBlock() && !goesOn(insn.mnemonic())) {
                break;
            }
        }
        offsets[count] = position - start;
        return count;
    }

    /// Whether what ends a block for the interpreter does not for generated code.
    private static boolean goesOn(Mnemonic mnemonic) {
        return switch (mnemonic) {
            case STI, SWAPGS, RDTSC, RDTSCP, POPF, WRMSR -> true;
            default -> false;
        };
    }

    /// Finds the flags that are live before each instruction and at the end.
    private void analyse(int start, int count) {
        Instruction last = instructions[count - 1];
        long next = (long) start + offsets[count];
        int after = FlagMask.STATUS;
        if (!last.row().endsBlock()) {
            after = forecast.at(next);
        } else if (last.operandCount() > 0 && last.kind(0) == OperandKind.RELATIVE) {
            long target = next + last.immediate();
            after = switch (last.mnemonic()) {
                case JMP, CALL -> forecast.at(target);
                default -> forecast.at(next) | forecast.at(target);
            };
        }
        live[count] = after;
        for (int i = count - 1; i >= 0; i--) {
            int afterThis = live[i + 1];
            if (i + 1 < count && isConditional(instructions[i])) {
                afterThis |= forecast.at((long) start + offsets[i + 1] + instructions[i].immediate());
            }
            live[i] = FlagUse.before(instructions[i], afterThis);
        }
    }

    /// Emits all instructions; false if not even the first can be.
    private boolean emit(long rip, int count) {
        for (int i = 0; i < count; i++) {
            Instruction insn = instructions[i];
            emitter.next(i, offsets[i], live[i]);
            boolean plain = effects && !CodeMode.is32(mode) && PlainFaults.has(insn);
            emitter.faultsPlainly(plain, plain && PlainFaults.mayCross(insn));
            at = (int) (rip - pageRip) + offsets[i];
            emitted = i;
            if (!emitter.hasRoom()) {
                emitter.writeNote();
                branches.goOn(rip + offsets[i]);
                return true;
            }
            if (insn.row().endsBlock()) {
                emitter.writeNote();
            }
            boolean possible = isPossible(insn) && (effects || isPure(insn));
            if (possible && transfers.emit(insn)) {
                emitted = i + 1;
                return true;
            }
            if (i + 1 < count && possible && isConditional(insn) && branches.emitWayOut(insn)) {
                continue;
            }
            if (insn.row().branch()) {
                if (possible && branches.emit(insn)) {
                    emitted = i + 1;
                    return true;
                }
            } else if (possible && emit(insn, i + 1 < count ? instructions[i + 1] : null)) {
                continue;
            }
            if (i == 0) {
                return false;
            }
            emitter.endWithInterpreter();
            return true;
        }
        emitted = count;
        emitter.end(offsets[count], live[count]);
        emitter.writeNote();
        branches.goOn(rip + offsets[count]);
        return true;
    }

    /// From now on leaves to the interpreter what reaches further than registers, flags and memory: time, rights,
    /// model-specific registers, the x87 unit.
    void leaveEffects() {
        effects = false;
    }

    private boolean isPure(Instruction insn) {
        return switch (insn.mnemonic()) {
            case SYSCALL, SYSRET, IRET, STAC, CLAC, SWAPGS, RDTSC, RDTSCP, WRMSR, WRFSBASE, WRGSBASE -> false;
            default -> !X87Instructions.isNative(insn, host);
        };
    }

    /// Whether the instruction does in 64-bit host code what it does in the guest's.
    private boolean isPossible(Instruction insn) {
        if (!CodeMode.is32(mode)) {
            return true;
        }
        return CodeMode.isAddressable(mode, insn)
                && switch (insn.mnemonic()) {
                    // one byte of 32-bit code
                    case INC, DEC -> true;
                    // half of the registers there
                    case VZEROUPPER, VZEROALL -> false;
                    default -> insn.row().validIn(CodeSize.CODE64);
                };
    }

    /// @param next the instruction after it in the block
    private boolean emit(Instruction insn, @Nullable Instruction next) {
        if (X87Instructions.isNative(insn, host)) {
            return x87.emit(insn, X87Instructions.isNoted(insn));
        }
        return switch (VectorInstructions.use(insn, host)) {
            case SSE, AVX -> VectorInstructions.emit(emitter, insn);
            case UNSUPPORTED -> false;
            case NONE -> {
                if (!host.has(insn.row().feature())) {
                    yield false;
                }
                yield switch (insn.mnemonic()) {
                    case LZCNT, TZCNT -> guest.countsZeros() ? integers.emit(insn) : scan(insn);
                    case PUSHF,
                            POPF,
                            CLI,
                            STI,
                            CLD,
                            STD,
                            SWAPGS,
                            RDTSC,
                            RDTSCP,
                            WRMSR,
                            RDFSBASE,
                            RDGSBASE,
                            WRFSBASE,
                            WRGSBASE -> system.emit(insn, next);
                    case MOV -> system.emit(insn, next) || !insn.row().endsBlock() && integers.emit(insn);
                    case PUSH, POP, LEAVE -> stack.emit(insn);
                    case MOVS, STOS, LODS, SCAS, CMPS -> strings.emit(insn);
                    default -> integers.emit(insn);
                };
            }
        };
    }

    /// BSF and BSR are what the encodings of TZCNT and LZCNT mean to a processor without these: the prefix counts
    /// for nothing.
    private boolean scan(Instruction insn) {
        if (insn.memoryOperand() >= 0 && insn.base() == Instruction.RIP) {
            // relative to the end of an instruction of another length
            return false;
        }
        int length = 0;
        boolean wide = false;
        boolean opcode = false;
        for (int i = 0; i < insn.length(); i++) {
            int value = page[at + i] & 0xFF;
            opcode |= value == 0x0F;
            if (opcode || value != REPEAT && value != REPEAT_NOT) {
                plain[length++] = page[at + i];
                wide |= !opcode && (value & 0xF0) == REX;
            } else if (wide) {
                // it makes the prefix before it ineffective
                return false;
            }
        }
        return decoder.decode(plain, 0, length, CodeMode.codeSize(mode), probe) == DecodeResult.OK
                && (probe.mnemonic() == Mnemonic.BSF || probe.mnemonic() == Mnemonic.BSR)
                && integers.emit(probe);
    }

    private TranslatedBlock add(long guestPage, long rip, int context) {
        Exits exits = emitter.exits();
        var block = new TranslatedBlock(
                rip, guestPage, context, cache.end(), branches.entryBehind(), branches.entryAhead(), exits.count());
        block.entries(branches.entryAgain(), branches.entryFirst());
        block.branchOffset = (short) branches.branchOffset();
        block.branchReleases = branches.branchReleases();
        cache.add(block, writer);
        for (int i = 0; i < exits.count(); i++) {
            block.addExit(i, exits.target(i) - rip, exits.jump(i), exits.unlinked(i), exits.isApart(i));
        }
        return block;
    }
}

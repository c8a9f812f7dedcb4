package org.jvirt.engine.soft.translate.verify;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.jvirt.engine.soft.code.OperationsForTests;
import org.jvirt.engine.soft.translate.emit.FlagUse;
import org.jvirt.x86.Assembler;
import org.jvirt.x86.FlagMask;
import org.jvirt.x86.Imm;
import org.jvirt.x86.Instruction;
import org.jvirt.x86.InstructionGenerator;
import org.jvirt.x86.Mnemonic;
import org.jvirt.x86.OpcodeRow;
import org.jvirt.x86.OpcodeTable;
import org.jvirt.x86.OperandKind;
import org.jvirt.x86.Reg;

/// Makes the program of a seed: instructions, branches, functions, data and entry states. The same seed and number
/// of entry states make the same program.
final class ProgramGenerator {
    private static final Mnemonic[] CONDITIONS = {
        Mnemonic.JO, Mnemonic.JNO, Mnemonic.JB, Mnemonic.JAE, Mnemonic.JE, Mnemonic.JNE, Mnemonic.JBE, Mnemonic.JA,
        Mnemonic.JS, Mnemonic.JNS, Mnemonic.JP, Mnemonic.JNP, Mnemonic.JL, Mnemonic.JGE, Mnemonic.JLE, Mnemonic.JG
    };
    /// Profiles as often as they matter.
    private static final Profile[] PROFILES = {
        Profile.INTEGER,
        Profile.INTEGER,
        Profile.INTEGER,
        Profile.INTEGER,
        Profile.STRING,
        Profile.SSE,
        Profile.SSE,
        Profile.AVX,
        Profile.X87,
        Profile.MMX,
        Profile.SYSTEM,
        Profile.MIXED
    };
    /// Kinds likewise.
    private static final CodeKind[] KINDS = {
        CodeKind.USER32,
        CodeKind.SUPERVISOR32,
        CodeKind.SUPERVISOR64,
        CodeKind.SUPERVISOR64,
        CodeKind.SUPERVISOR64,
        CodeKind.USER64,
        CodeKind.USER64,
        CodeKind.USER64,
        CodeKind.USER64
    };
    private static final int RCX = 1;
    private static final int RDX = 2;
    private static final int STRING_POINTERS = 1 << 6 | 1 << 7;

    private final SplittableRandom random;
    private final long seed;
    private final CodeKind kind;
    private final Profile profile;
    private final Roles roles;
    private final SystemSequences sequences;
    private final InstructionGenerator usual;
    private final InstructionGenerator wild;
    private final InstructionGenerator direct;
    private final Instruction insn = new Instruction();
    private final List<Item> items = new ArrayList<>();
    private final boolean writesCode;
    /// Whether most instructions are to succeed, so that programs get somewhere.
    private final boolean calm;

    private boolean hasFunctions;
    private int loops;
    private int nextId;

    private ProgramGenerator(long seed, Profile[] profiles, CodeKind... kinds) {
        this.seed = seed;
        random = new SplittableRandom(seed);
        kind = kinds[random.nextInt(kinds.length)];
        profile = profiles[random.nextInt(profiles.length)];
        roles = Roles.choose(random, kind, profile == Profile.STRING || random.nextInt(8) == 0);
        sequences = new SystemSequences(random, kind, roles);
        writesCode = random.nextInt(8) == 0;
        calm = random.nextInt(4) != 0;
        usual = generator(roles.data(), roles.pointers() | 1 << 4, roles.indexes(), -256, 255)
                .relativeAddresses(false)
                .alignDisplacements(true);
        wild = generator(-1, roles.pointers() | 1 << 4, roles.indexes(), -256, 255)
                .allPrefixes(true)
                .relativeAddresses(false);
        direct = generator(
                        roles.data(),
                        0,
                        roles.indexes(),
                        Layout.DATA + (calm ? DataPage.FIRST.offset() + 0x800 : 0),
                        Layout.DATA + (calm ? DataPage.SECOND.offset() + 0x700 : DataPage.SEVENTH.offset()))
                .alignDisplacements(true);
    }

    private InstructionGenerator generator(int registers, int bases, int indexes, long lowest, long highest) {
        return new InstructionGenerator(random.nextLong())
                .registers(kind.long64() ? registers : registers & 0xFF)
                .bases(bases)
                .indexes(indexes)
                .displacements(lowest, highest);
    }

    static Program program(long seed, int entries) {
        return new ProgramGenerator(seed, PROFILES, KINDS).make(entries);
    }

    /// The program of a seed is 32-bit code.
    static Program program32(long seed, int entries) {
        return new ProgramGenerator(seed, PROFILES, CodeKind.USER32, CodeKind.USER32, CodeKind.SUPERVISOR32)
                .make(entries);
    }

    /// The program of a seed is mostly made of one kind.
    static Program program(long seed, int entries, Profile profile) {
        return new ProgramGenerator(seed, new Profile[] {profile}, KINDS).make(entries);
    }

    private Program make(int entries) {
        int functions = random.nextInt(4) == 0 ? 1 + random.nextInt(2) : 0;
        int length = 4 + random.nextInt(random.nextInt(3) == 0 ? 100 : 30);
        hasFunctions = functions > 0;
        int[] functionIds = new int[functions];
        for (int i = 0; i < functions; i++) {
            functionIds[i] = 10_000 * (i + 1);
        }
        sequence(length, functionIds);
        if (calm && random.nextInt(3) != 0) {
            items.add(new Item.Repeat(nextId++, 2 + random.nextInt(12), 0));
        }
        items.add(new Item.End(nextId++));
        for (int id : functionIds) {
            nextId = id;
            items.add(new Item.Function(nextId++));
            sequence(1 + random.nextInt(8), new int[0]);
            items.add(new Item.Return(nextId++, random.nextInt(6) == 0 ? 8 : 0));
        }
        boolean high = kind == CodeKind.SUPERVISOR64 && random.nextBoolean();
        var states = new StateGenerator(random.nextLong(), kind, roles, calm);
        long address = high ? Layout.CODE_HIGH : Layout.CODE;
        int start = random.nextInt(3) == 0 ? Layout.PAGE - random.nextInt(200) : random.nextInt(64);
        return new Program(
                seed,
                kind,
                address,
                start,
                writesCode,
                false,
                List.copyOf(items),
                states.data(),
                states.entries(entries, address + start));
    }

    private void sequence(int length, int[] functions) {
        int first = nextId;
        int end = first + length;
        while (nextId < end) {
            int before = nextId;
            switch (random.nextInt(40)) {
                case 0, 1, 2 -> branch(end);
                case 3 -> {
                    if (random.nextInt(3) == 0) {
                        indirect(end);
                    }
                }
                case 4 -> {
                    if (loops < 3 && nextId > first) {
                        loops++;
                        int back = Math.max(first, nextId - 1 - random.nextInt(16));
                        items.add(new Item.Repeat(nextId++, 1 + random.nextInt(4), back));
                    }
                }
                case 5 -> {
                    if (functions.length > 0) {
                        int register = random.nextInt(3) == 0 && kind.long64() ? Roles.any(random, roles.data()) : -1;
                        items.add(new Item.Call(nextId++, register, functions[random.nextInt(functions.length)]));
                    }
                }
                case 6 -> {
                    if (writesCode) {
                        patch(end);
                    }
                }
                case 7 -> {
                    boolean often = profile == Profile.SYSTEM || profile == Profile.MIXED;
                    if (kind.long64() && (often || random.nextInt(4) == 0)) {
                        items.add(sequences.next(nextId++));
                    }
                }
                default -> instruction();
            }
            if (nextId == before) {
                instruction();
            }
        }
    }

    private int later(int end) {
        return nextId + 1 + random.nextInt(Math.max(1, end - nextId));
    }

    private void branch(int end) {
        Mnemonic mnemonic;
        int reads = 0;
        switch (random.nextInt(8)) {
            case 0 -> mnemonic = Mnemonic.JMP;
            case 1 -> {
                mnemonic = switch (random.nextInt(4)) {
                    case 0 -> Mnemonic.LOOP;
                    case 1 -> Mnemonic.LOOPE;
                    case 2 -> Mnemonic.LOOPNE;
                    default -> Mnemonic.JRCXZ;
                };
                reads = OpcodeTable.rows(mnemonic).getFirst().flagsRead();
            }
            default -> {
                mnemonic = CONDITIONS[random.nextInt(16)];
                reads = OpcodeTable.rows(mnemonic).getFirst().flagsRead();
            }
        }
        items.add(new Item.Branch(nextId, mnemonic, reads, later(end)));
        nextId++;
    }

    private void indirect(int end) {
        int register = random.nextBoolean() && kind.long64() ? Roles.any(random, roles.data()) : -1;
        items.add(new Item.Indirect(nextId, register, later(end)));
        nextId++;
    }

    private void patch(int end) {
        int target = later(end);
        if (random.nextInt(4) == 0 && !items.isEmpty()) {
            // what has been executed already; matters when there is a loop
            for (Item item : items) {
                if (item instanceof Item.Patched patched) {
                    target = patched.id();
                }
            }
            items.add(new Item.Patch(nextId++, target, random.nextInt()));
            return;
        }
        items.add(new Item.Patch(nextId, nextId + 1 + random.nextInt(2), random.nextInt()));
        nextId++;
        if (random.nextBoolean()) {
            instruction();
        }
        int low = roles.data() & 0xFF;
        if (low != 0) {
            items.add(new Item.Patched(nextId++, Roles.any(random, low), random.nextInt()));
        }
    }

    private void instruction() {
        Profile from = random.nextInt(4) == 0 ? random.nextInt(4) == 0 ? Profile.MIXED : Profile.INTEGER : profile;
        List<OpcodeRow> rows = from.rows(kind);
        OpcodeRow row = rows.get(random.nextInt(rows.size()));
        InstructionGenerator generator =
                !calm && random.nextInt(16) == 0 ? wild : random.nextInt(8) == 0 ? direct : usual;
        if (!generator.generate(row, kind.codeSize, insn) || endsProgram() || calm && isRisky()) {
            return;
        }
        prepare();
        int reads = Profile.showsFlags(insn.mnemonic()) ? FlagMask.STATUS : row.flagsRead() & FlagMask.STATUS;
        int defines = Profile.definesFlagsSometimes(row) ? 0 : row.flagsWritten() & FlagMask.STATUS;
        items.add(new Item.Plain(
                nextId++,
                generator.bytes(),
                reads,
                defines,
                row.flagsUndefined() & FlagMask.STATUS,
                FlagUse.replaced(insn) & ~reads));
    }

    /// Whether a wild operand or an interrupt would end most programs here: only some may. Beside functions, whose
    /// return addresses stay in the stack's memory, a stray `RET` could make an endless loop.
    private boolean endsProgram() {
        if (hasFunctions && insn.row().branch()) {
            return true;
        }
        boolean likely = switch (insn.mnemonic()) {
            case INT, INT1, UD0, UD1, UD2, JMP, CALL, RET, POPF, IRET, RETF, BOUND, INTO, CALLF, JMPF -> true;
            default -> insn.row().privileged() && kind.user();
        };
        return likely && (calm || random.nextInt(6) != 0);
    }

    /// Whether random operands make it fault more often than not.
    private boolean isRisky() {
        OpcodeRow row = insn.row();
        boolean memory = insn.memoryOperand() >= 0;
        boolean moffs = row.operandCount() > 1
                && (row.operand(0).toString().startsWith("O")
                        || row.operand(1).toString().startsWith("O"));
        if (!OperationsForTests.offered(row.feature())
                || moffs && insn.displacement() >>> 28 != Layout.DATA >>> 28
                || row.bitBase() && memory
                || insn.vectorIndexSize() != 0
                || row.privileged() && kind.user()
                || row.portAccess() && kind.user()
                || row.repeatable() && !row.portAccess() && (roles.pointers() & STRING_POINTERS) != STRING_POINTERS) {
            return true;
        }
        return switch (insn.mnemonic()) {
            case LEAVE -> !roles.isPointer(5);
            case XLAT -> !roles.isPointer(3);
            case MASKMOVQ, MASKMOVDQU, VMASKMOVDQU -> !roles.isPointer(7);
            case LDMXCSR, VLDMXCSR, FLDCW, FLDENV, FRSTOR, FXRSTOR, XRSTOR, POPF, WRFSBASE, WRGSBASE -> true;
            case CLI, STI -> kind.user();
            case SYSENTER, SYSEXIT, RDPMC, MOVNTSS, MOVNTSD -> true;
            case XSAVE, XSAVEC, XSAVEOPT, XSAVES, XGETBV, RSM, ENTER -> true;
            case MOV, POP -> insn.kind(0) == OperandKind.SEGMENT;
            case LSS, LFS, LGS, LDS, LES, INT3 -> true;
            default -> false;
        };
    }

    /// Puts small numbers where an instruction needs them to do anything.
    private void prepare() {
        if ((insn.rep() || insn.repne()) && (calm || random.nextInt(8) != 0)) {
            load(RCX, random.nextInt(40));
        }
        boolean divides = insn.mnemonic() == Mnemonic.DIV || insn.mnemonic() == Mnemonic.IDIV;
        if (divides && (calm || random.nextInt(4) != 0)) {
            if (random.nextBoolean()) {
                load(RDX, random.nextInt(3));
            } else {
                var asm = new Assembler(kind.codeSize);
                plain(!kind.long64() || random.nextBoolean() ? asm.cdq() : asm.cqo());
            }
        }
    }

    private void load(int register, int value) {
        plain(new Assembler(kind.codeSize).emit(Mnemonic.MOV, new Reg(OperandKind.GPR, register, 4), new Imm(value)));
    }

    private void plain(Assembler asm) {
        items.add(new Item.Plain(nextId++, asm.assemble(), 0, 0, 0, 0));
    }
}

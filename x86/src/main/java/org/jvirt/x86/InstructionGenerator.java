package org.jvirt.x86;

import java.util.SplittableRandom;

/// Makes random valid instructions of given opcode rows, for tests that compare two executions. The same seed and
/// settings give the same sequence. Not thread-safe.
///
/// The settings say what operands may be: which general registers, which of them address memory and with what
/// displacements. Registers that a row fixes (`CL`, `rAX`) or uses implicitly (`MUL`'s rDX, the string pointers)
/// are not under its control. What it returns always decodes to the same row: each candidate is encoded and
/// decoded.
///
/// ```java
/// var generator = new InstructionGenerator(42).registers(0b1111).bases(1 << 6).displacements(0, 4096);
/// if (generator.generate(row, CodeSize.CODE64, instruction)) { … generator.bytes() … }
/// ```
public final class InstructionGenerator {
    /// Whether operands that may be memory or register become memory.
    public enum MemoryForm {
        NEVER,
        EITHER,
        ALWAYS
    }

    private static final int ATTEMPTS = 60;

    private final SplittableRandom random;
    private final Encoder encoder = new Encoder();
    private final Decoder decoder = new Decoder();
    private final Instruction check = new Instruction();
    private final byte[] bytes = new byte[Decoder.MAX_LENGTH + 9];
    private int registers = 0xFFFF;
    private int vectors = 0xFFFF;
    private int bases = 0xFFFF;
    private int indexes = 0xFFFF;
    private long lowest = Integer.MIN_VALUE;
    private long highest = Integer.MAX_VALUE;
    private MemoryForm memoryForm = MemoryForm.EITHER;
    private boolean relative = true;
    private boolean prefixes;
    private boolean aligned;

    public InstructionGenerator(long seed) {
        random = new SplittableRandom(seed);
    }

    /// General registers that operands may be, as a mask of bits 0 to 15.
    public InstructionGenerator registers(int mask) {
        registers = nonEmpty(mask);
        return this;
    }

    /// XMM and YMM registers that operands may be.
    public InstructionGenerator vectorRegisters(int mask) {
        vectors = nonEmpty(mask);
        return this;
    }

    /// General registers that memory operands may be based on; 0: none, only direct addresses.
    public InstructionGenerator bases(int mask) {
        bases = mask;
        return this;
    }

    /// General (for gathers: vector) registers that may be an index; 0: none.
    public InstructionGenerator indexes(int mask) {
        indexes = mask;
        return this;
    }

    /// Displacements of memory operands, both ends included.
    public InstructionGenerator displacements(long lowest, long highest) {
        if (lowest > highest) {
            throw new IllegalArgumentException("No displacement between " + lowest + " and " + highest);
        }
        this.lowest = lowest;
        this.highest = highest;
        return this;
    }

    /// Rounds displacements up to the alignment that the row demands.
    public InstructionGenerator alignDisplacements(boolean aligned) {
        this.aligned = aligned;
        return this;
    }

    public InstructionGenerator memory(MemoryForm form) {
        memoryForm = form;
        return this;
    }

    /// Whether operands may be RIP-relative or direct addresses when [#bases] leaves the choice (default yes).
    public InstructionGenerator relativeAddresses(boolean allowed) {
        relative = allowed;
        return this;
    }

    /// Whether segment overrides and the other address size are used, too (default no).
    public InstructionGenerator allPrefixes(boolean allowed) {
        prefixes = allowed;
        return this;
    }

    private static int nonEmpty(int mask) {
        if ((mask & 0xFFFF) == 0) {
            throw new IllegalArgumentException("No register in mask " + mask);
        }
        return mask & 0xFFFF;
    }

    /// Fills `into` with a random instruction of the row.
    ///
    /// @return false when the row has none in this code size under the settings
    public boolean generate(OpcodeRow row, CodeSize mode, Instruction into) {
        if (!row.validIn(mode)) {
            return false;
        }
        for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
            if (candidate(row, mode, into)) {
                int length = encoder.encode(into, bytes, 0);
                if (length > 0
                        && decoder.decode(bytes, 0, length, mode, check) == DecodeResult.OK
                        && check.row == row
                        && check.length == length
                        && check.operandSize == into.operandSize) {
                    into.set(check);
                    return true;
                }
            }
        }
        return false;
    }

    /// The bytes of the last instruction generated.
    public byte[] bytes() {
        return java.util.Arrays.copyOf(bytes, check.length);
    }

    private boolean candidate(OpcodeRow row, CodeSize mode, Instruction into) {
        boolean longMode = mode == CodeSize.CODE64;
        int operandSize = mode.operandSize();
        if (row.variesWithOperandSize()) {
            operandSize = longMode ? 2 << random.nextInt(3) : 2 << random.nextInt(2);
        } else if (longMode && row.variesWithWidth() && random.nextBoolean()) {
            operandSize = 8;
        }
        int addressSize = mode.addressSize();
        if (prefixes && row.variesWithAddressSize() && random.nextInt(8) == 0) {
            addressSize = addressSize == 4 ? 2 : 4;
        }
        if (row.vsib && addressSize == 2) {
            addressSize = 4;
        }
        int vectorLength = 16;
        if (row.attributes.l == 1 || row.attributes.l < 0 && !row.attributes.has(RowAttributes.LIG)) {
            vectorLength = row.attributes.l == 1 || random.nextBoolean() ? 32 : 16;
        }
        into.shape(row, mode, operandSize, addressSize, vectorLength);
        boolean memory = switch (memoryForm) {
            case NEVER -> !row.registerForm;
            case ALWAYS -> row.memoryForm;
            case EITHER -> row.memoryForm && (!row.registerForm || random.nextBoolean());
        };
        if (memory && memoryForm == MemoryForm.NEVER) {
            return false;
        }
        if (!memory && !row.variesWithoutMemory()) {
            into.addressSize = mode.addressSize();
        }
        boolean hasMemory = false;
        for (int i = 0; i < into.operandCount; i++) {
            OperandSpec spec = row.operands[i];
            if (spec.method == OperandSpec.Method.O) {
                if (memoryForm == MemoryForm.NEVER) {
                    return false;
                }
                hasMemory = true;
                into.displacement = displacement(row, into) & (addressSize == 8 ? -1L : (1L << 8 * addressSize) - 1);
            } else if (memory && spec.inModRmRm()) {
                hasMemory = true;
                into.setForm(i, true);
                address(row, into, longMode);
            } else {
                registerOperand(into, i, longMode);
            }
            immediate(into, i);
        }
        if (row.lockable() && hasMemory && into.kind[0] == OperandKind.MEMORY) {
            into.lock = random.nextInt(4) == 0;
        }
        if (row.repeatable()) {
            into.repeatPrefix = switch (random.nextInt(3)) {
                case 0 -> 0xF3;
                case 1 -> row.repeatsConditionally() ? 0xF2 : 0xF3;
                default -> 0;
            };
        }
        if (prefixes && hasMemory && random.nextInt(6) == 0) {
            into.segmentOverridden = true;
            into.segment = longMode ? 4 + random.nextInt(2) : random.nextInt(6);
        }
        return true;
    }

    private int choose(int mask, int limit) {
        int allowed = mask & (1 << limit) - 1;
        if (allowed == 0) {
            return -1;
        }
        int nth = random.nextInt(Integer.bitCount(allowed));
        for (int i = 0; i < nth; i++) {
            allowed &= allowed - 1;
        }
        return Integer.numberOfTrailingZeros(allowed);
    }

    private void registerOperand(Instruction into, int i, boolean longMode) {
        OperandSpec spec = into.row.operands[i];
        if (spec.method == OperandSpec.Method.FIXED) {
            return;
        }
        int files = longMode ? 16 : 8;
        switch (into.kind[i]) {
            case GPR -> {
                int register = Math.max(0, choose(registers, files));
                into.register[i] = register;
                if (into.size[i] == 1 && register < 4 && random.nextInt(4) == 0) {
                    into.kind[i] = OperandKind.GPR8_HIGH;
                } else if (into.size[i] == 1 && register >= 4 && !longMode) {
                    into.kind[i] = OperandKind.GPR8_HIGH;
                    into.register[i] = register - 4;
                }
            }
            case XMM, YMM -> into.register[i] = Math.max(0, choose(vectors, files));
            case MMX -> into.register[i] = Math.max(0, choose(vectors, 8));
            case X87 -> into.register[i] = random.nextInt(8);
            case SEGMENT -> into.register[i] = random.nextInt(6);
            case CONTROL -> into.register[i] = choose(longMode ? 0b1_0001_1101 : 0b1_1101, 16);
            case DEBUG -> into.register[i] = random.nextInt(8);
            case GPR8_HIGH, MEMORY, IMMEDIATE, RELATIVE, FAR -> {
                // not a register, or made above
            }
        }
    }

    private void immediate(Instruction into, int i) {
        OperandSpec spec = into.row.operands[i];
        switch (spec.method) {
            case I -> {
                int bytes = spec.encodedSize(into.operandSize, into.addressSize);
                long value = value(bytes);
                boolean unsigned = spec.type == OperandSpec.Type.B || spec.type == OperandSpec.Type.W;
                if (unsigned) {
                    value &= (1L << 8 * bytes) - 1;
                }
                boolean second = false;
                for (int k = 0; k < i; k++) {
                    second |= into.kind[k] == OperandKind.IMMEDIATE;
                }
                if (second) {
                    into.immediate2 = (int) value;
                } else {
                    into.immediate = value;
                }
            }
            case SIGNED_I -> into.immediate = value(1);
            case J -> into.immediate = value(spec.encodedSize(into.operandSize, into.addressSize));
            case ONE -> into.immediate = 1;
            case A -> {
                into.immediate = value(into.operandSize) & (into.operandSize == 2 ? 0xFFFFL : 0xFFFF_FFFFL);
                into.immediate2 = random.nextInt(0x1_0000);
            }
            default -> {
                // no immediate
            }
        }
    }

    /// A signed value of so many bytes; small, large and extreme ones are all likely.
    private long value(int bytes) {
        int shift = 64 - 8 * bytes;
        long value = switch (random.nextInt(5)) {
            case 0 -> random.nextInt(256) - 128;
            case 1 -> 1L << random.nextInt(8 * bytes);
            case 2 -> -1L << random.nextInt(8 * bytes);
            default -> random.nextLong();
        };
        return value << shift >> shift;
    }

    private long displacement(OpcodeRow row, Instruction into) {
        long value = lowest + random.nextLong(highest - lowest + 1);
        if (random.nextBoolean() && lowest <= 127 && highest >= -128) {
            long low = Math.max(lowest, -128);
            long high = Math.min(highest, 127);
            value = low + random.nextLong(high - low + 1);
        }
        int alignment = row.alignment(into.vectorLength);
        if (aligned && alignment > 1) {
            long down = value & -alignment;
            value = down >= lowest ? down : down + alignment;
        }
        return value;
    }

    private void address(OpcodeRow row, Instruction into, boolean longMode) {
        long displacement = displacement(row, into);
        int files = longMode ? 16 : 8;
        if (into.addressSize == 2) {
            into.displacement = (short) displacement;
            int form = random.nextInt(relative ? 9 : 8);
            switch (form) {
                case 0 -> pair(into, 3, 6);
                case 1 -> pair(into, 3, 7);
                case 2 -> pair(into, 5, 6);
                case 3 -> pair(into, 5, 7);
                case 4 -> pair(into, 6, -1);
                case 5 -> pair(into, 7, -1);
                case 6 -> pair(into, 5, -1);
                case 7 -> pair(into, 3, -1);
                default -> pair(into, -1, -1);
            }
            return;
        }
        into.displacement = (int) displacement;
        into.base = choose(bases, files);
        if (relative && random.nextInt(6) == 0) {
            into.base = longMode && !row.vsib && random.nextBoolean() ? Instruction.RIP : -1;
        }
        boolean indexed = row.vsib || into.base != Instruction.RIP && random.nextInt(3) == 0;
        if (indexed) {
            into.index = choose(row.vsib ? indexes : indexes & ~(1 << 4), files);
            into.scale = into.index < 0 ? 0 : random.nextInt(4);
        }
        boolean stack = (into.base == 4 || into.base == 5) && into.addressSize != 2;
        into.segment = stack ? Instruction.SS : Instruction.DS;
    }

    private void pair(Instruction into, int base, int index) {
        boolean allowed = (base < 0 || (bases >> base & 1) != 0) && (index < 0 || (indexes >> index & 1) != 0);
        into.base = allowed ? base : 3;
        into.index = allowed ? index : -1;
        into.segment = into.base == 5 ? Instruction.SS : Instruction.DS;
    }
}

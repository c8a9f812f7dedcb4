package org.jvirt.x86;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// Assembles x86 code from method calls, choosing the shortest encoding in the opcode table. Not thread-safe.
///
/// ```java
/// Assembler asm = new Assembler(CodeSize.CODE64, 0x1000);
/// asm.mov(ECX, 10).xor(EAX, EAX);
/// asm.label("loop").add(EAX, ECX).dec(ECX).jnz("loop");
/// asm.mov(mem("sum"), EAX).hlt();
/// asm.align(8).label("sum").dd(0);
/// byte[] code = asm.assemble();
/// ```
///
/// Any instruction goes through [#emit]; [IntegerVerbs], [SystemVerbs] and [VectorVerbs] add readable names for the
/// usual ones. Labels may be used before they are defined: branches to them then take the long form, unless the
/// instruction has only a short one or [LabelRef#asShort()] asks for it. An instruction that needs a prefix is
/// preceded by [#lock()], [#rep()] or [#repne()].
public final class Assembler implements IntegerVerbs, SystemVerbs, VectorVerbs {
    private enum FixupKind {
        RELATIVE,
        ABSOLUTE
    }

    /// A field to fill in once the label is known.
    private record Fixup(int at, int bytes, FixupKind kind, int nextOffset, long addend, String label, String what) {}

    private final Encoder encoder = new Encoder();
    private final Instruction pending = encoder.pending();
    private final byte[] scratch = new byte[32];
    private final Map<String, Long> labels = new HashMap<>();
    private final List<Fixup> fixups = new ArrayList<>();
    private byte[] code = new byte[256];
    private int length;
    private long origin;
    private CodeSize mode;
    private boolean lockNext;
    private int repeatNext;

    // the best encoding found so far for the current instruction
    private int bestLength;
    private OpcodeRow bestRow = OpcodeTable.nop();
    private int bestOperandSize;
    private int bestVectorLength;
    private int memorySizes;

    public Assembler(CodeSize mode) {
        this(mode, 0);
    }

    /// Code that will run at `origin`.
    public Assembler(CodeSize mode, long origin) {
        this.mode = mode;
        this.origin = origin;
    }

    /// Switches the code size for what follows.
    public Assembler mode(CodeSize size) {
        mode = size;
        return this;
    }

    /// Continues at `address`, filling with zeros; before any code it sets the origin.
    public Assembler org(long address) {
        if (length == 0) {
            origin = address;
            return this;
        }
        long gap = address - here();
        if (gap < 0 || gap > Integer.MAX_VALUE / 2) {
            throw new AssemblerException("Cannot continue at 0x%x: code has reached 0x%x".formatted(address, here()));
        }
        reserve((int) gap);
        length += (int) gap;
        return this;
    }

    /// Fills up to a multiple of `bytes`: with `NOP`s of the longest kind.
    public Assembler align(int bytes) {
        int gap = (int) Long.remainderUnsigned(-here(), bytes);
        if (gap < 0 || Integer.bitCount(bytes) != 1) {
            throw new AssemblerException("Alignment " + bytes + " is not a power of two");
        }
        reserve(gap);
        while (gap > 0) {
            int step = mode == CodeSize.CODE16 ? 1 : Math.min(gap, 9);
            length += nop(code, length, step);
            gap -= step;
        }
        return this;
    }

    /// Writes one no-operation of 1 to 9 bytes, as Intel's optimization manual recommends for 32- and 64-bit code.
    private static int nop(byte[] code, int at, int bytes) {
        Arrays.fill(code, at, at + bytes, (byte) 0);
        switch (bytes) {
            case 1 -> code[at] = (byte) 0x90;
            case 2 -> {
                code[at] = 0x66;
                code[at + 1] = (byte) 0x90;
            }
            default -> {
                int start = at;
                if (bytes == 6 || bytes == 9) {
                    code[start++] = 0x66;
                }
                code[start] = 0x0F;
                code[start + 1] = 0x1F;
                code[start + 2] = switch (at + bytes - start) {
                    case 3 -> 0x00;
                    case 4 -> 0x40;
                    case 5 -> 0x44;
                    case 7 -> (byte) 0x80;
                    default -> (byte) 0x84;
                };
            }
        }
        return bytes;
    }

    /// The address of the next byte.
    public long here() {
        return origin + length;
    }

    /// Bytes so far.
    public int size() {
        return length;
    }

    /// Defines a label here.
    public Assembler label(String name) {
        if (labels.putIfAbsent(name, here()) != null) {
            throw new AssemblerException("Label " + name + " is defined twice");
        }
        return this;
    }

    /// The address of a label that has been defined.
    public long address(String label) {
        Long address = labels.get(label);
        if (address == null) {
            throw new AssemblerException("Label " + label + " is not defined");
        }
        return address;
    }

    /// LOCK for the next instruction.
    public Assembler lock() {
        lockNext = true;
        return this;
    }

    /// REP or REPE for the next instruction.
    public Assembler rep() {
        repeatNext = 0xF3;
        return this;
    }

    /// REPNE for the next instruction.
    public Assembler repne() {
        repeatNext = 0xF2;
        return this;
    }

    /// Data bytes.
    public Assembler db(int... values) {
        for (int value : values) {
            put(value, 1);
        }
        return this;
    }

    /// Data bytes.
    public Assembler db(byte[] bytes) {
        reserve(bytes.length);
        System.arraycopy(bytes, 0, code, length, bytes.length);
        length += bytes.length;
        return this;
    }

    /// The characters of an ASCII text, without a terminator.
    public Assembler db(String text) {
        return db(text.getBytes(StandardCharsets.US_ASCII));
    }

    /// Data words of 2 bytes.
    public Assembler dw(int... values) {
        for (int value : values) {
            put(value, 2);
        }
        return this;
    }

    /// Data words of 4 bytes.
    public Assembler dd(long... values) {
        for (long value : values) {
            put(value, 4);
        }
        return this;
    }

    /// Data words of 8 bytes.
    public Assembler dq(long... values) {
        for (long value : values) {
            put(value, 8);
        }
        return this;
    }

    /// The address of a label as data of 2, 4 or 8 bytes.
    public Assembler address(String label, int bytes) {
        fixups.add(new Fixup(length, bytes, FixupKind.ABSOLUTE, 0, 0, label, "data"));
        put(0, bytes);
        return this;
    }

    /// Fills with zeros.
    public Assembler zero(int bytes) {
        reserve(bytes);
        length += bytes;
        return this;
    }

    private void put(long value, int bytes) {
        reserve(bytes);
        for (int i = 0; i < bytes; i++) {
            code[length++] = (byte) (value >> 8 * i);
        }
    }

    private void reserve(int bytes) {
        if (length + bytes > code.length) {
            code = Arrays.copyOf(code, Math.max(2 * code.length, length + bytes));
        }
    }

    /// The code, with all labels filled in.
    public byte[] assemble() {
        for (Fixup fixup : fixups) {
            Long target = labels.get(fixup.label);
            if (target == null) {
                throw new AssemblerException("Label " + fixup.label + ", used by " + fixup.what + ", is not defined");
            }
            long value = target + fixup.addend;
            if (fixup.kind == FixupKind.RELATIVE) {
                value -= origin + fixup.nextOffset;
            }
            if (!fits(value, fixup.bytes, fixup.kind)) {
                throw new AssemblerException("Label %s is out of reach of %s: %d bytes cannot hold %d"
                        .formatted(fixup.label, fixup.what, fixup.bytes, value));
            }
            for (int i = 0; i < fixup.bytes; i++) {
                code[fixup.at + i] = (byte) (value >> 8 * i);
            }
        }
        return Arrays.copyOf(code, length);
    }

    private static boolean fits(long value, int bytes, FixupKind kind) {
        if (bytes == 8) {
            return true;
        }
        long limit = 1L << 8 * bytes - 1;
        long highest = kind == FixupKind.ABSOLUTE ? 2 * limit : limit;
        return value >= -limit && value < highest;
    }

    /// Assembles one instruction.
    ///
    /// @throws AssemblerException when the operands fit no row, or leave the size of memory open
    @Override
    public Assembler emit(Mnemonic mnemonic, Operand... operands) {
        return emitSized(mnemonic, 0, operands);
    }

    /// Assembles one instruction with a given operand size in bytes, for those whose operands do not tell (`IRET`,
    /// `PUSHF`, string instructions); 0 leaves it to the operands.
    ///
    /// @throws AssemblerException when the operands fit no row, or leave the size of memory open
    @Override
    public Assembler emitSized(Mnemonic mnemonic, int operandSize, Operand... operands) {
        bestLength = 0;
        memorySizes = 0;
        for (OpcodeRow row : OpcodeTable.rowsOf(mnemonic)) {
            if (row.operands.length == operands.length && !row.alias() && row.validIn(mode)) {
                tryRow(row, operandSize, operands);
            }
        }
        if (bestLength == 0) {
            throw new AssemblerException("No encoding in " + mode + " for " + describe(mnemonic, operands));
        }
        if (Integer.bitCount(memorySizes) > 1 && openMemory(operands)) {
            throw new AssemblerException("Give the size of the memory operand of " + describe(mnemonic, operands)
                    + ", for instance with dword()");
        }
        fit(bestRow, bestOperandSize, bestVectorLength, operands);
        write(operands);
        lockNext = false;
        repeatNext = 0;
        return this;
    }

    private static boolean openMemory(Operand[] operands) {
        for (Operand operand : operands) {
            if (operand instanceof Mem mem && mem.size() == 0) {
                return true;
            }
        }
        return false;
    }

    private void tryRow(OpcodeRow row, int wanted, Operand[] operands) {
        int standard = mode.operandSize();
        boolean bytes = row.attributes.has(RowAttributes.BYTE);
        if (wanted != 0 && (bytes || row.variesWithOperandSize() || row.variesWithWidth())) {
            if (bytes == (wanted == 1)) {
                trySize(row, wanted, operands, wanted);
            }
            return;
        }
        trySize(row, standard, operands, 0);
        if (row.variesWithOperandSize() || row.variesWithWidth()) {
            for (int size = 2; size <= 8; size *= 2) {
                if (size != standard && (size < 8 || mode.isLong()) && pins(row, size, operands)) {
                    trySize(row, size, operands, 0);
                }
            }
        }
    }

    /// Whether an operand of a type that varies asks for this size, so that it is not chosen for brevity alone.
    private static boolean pins(OpcodeRow row, int size, Operand[] operands) {
        if (row.attributes.w >= 0 || row.attributes.operandSizes != 0) {
            return true;
        }
        for (int i = 0; i < operands.length; i++) {
            int given = switch (operands[i]) {
                case Reg register -> register.size();
                case Mem mem -> mem.size();
                case Imm _, LabelRef _, FarPointer _ -> 0;
            };
            OperandSpec.Type type = row.operands[i].type;
            boolean varies = switch (type) {
                case V, Z, Y, VW -> given == size;
                case P -> given == size + 2;
                case A -> given == 2 * size;
                case E, F -> given != 0;
                default -> false;
            };
            if (varies) {
                return true;
            }
        }
        return false;
    }

    private void trySize(OpcodeRow row, int size, Operand[] operands, int wanted) {
        if (row.attributes.operandSizes != 0 && (row.attributes.operandSizes & size) == 0) {
            // the row names its sizes: CBW, CWDE, CDQE
            if (wanted != 0 || Integer.bitCount(row.attributes.operandSizes) != 1) {
                return;
            }
            size = row.attributes.operandSizes;
        }
        if (size == 8 && !mode.isLong()) {
            return;
        }
        if (row.attributes.w == 1 && mode.isLong() && !row.map.isVex()) {
            size = 8;
        }
        boolean bothLengths = row.map.isVex() && row.attributes.l < 0 && !row.attributes.has(RowAttributes.LIG);
        if (row.attributes.l != 1) {
            tryEncoding(row, size, 16, operands, wanted);
        }
        if (row.attributes.l == 1 || bothLengths) {
            tryEncoding(row, size, 32, operands, wanted);
        }
    }

    private void tryEncoding(OpcodeRow row, int size, int vectorLength, Operand[] operands, int wanted) {
        if (!fit(row, size, vectorLength, operands)) {
            return;
        }
        if (wanted != 0 && pending.operandSize != wanted) {
            return;
        }
        int bytes = encode(operands, scratch, 0);
        if (bytes == 0) {
            return;
        }
        int memory = pending.memoryOperand();
        if (memory >= 0) {
            int memorySize = pending.size[memory];
            memorySizes |= memorySize == 0 ? 0 : 1 << Integer.numberOfTrailingZeros(Integer.highestOneBit(memorySize));
        }
        if (bestLength == 0 || bytes < bestLength) {
            bestLength = bytes;
            bestRow = row;
            bestOperandSize = size;
            bestVectorLength = vectorLength;
        }
    }

    private int encode(Operand[] operands, byte[] out, int at) {
        for (Operand operand : operands) {
            if (operand instanceof Mem mem && !mem.label().isEmpty()) {
                return encoder.encodeWide(pending, out, at);
            }
        }
        return encoder.encode(pending, out, at);
    }

    /// Fills `pending` with the operands, if they fit the row at these sizes.
    private boolean fit(OpcodeRow row, int size, int vectorLength, Operand[] operands) {
        int addressSize = mode.addressSize();
        for (Operand operand : operands) {
            if (operand instanceof Mem mem && mem.addressSize() != 0) {
                addressSize = mem.addressSize();
            } else if (operand instanceof Mem mem && mem.vectorIndexSize() != 0) {
                addressSize = Math.max(addressSize, 4);
            }
        }
        pending.shape(row, mode, size, addressSize, vectorLength);
        pending.lock = lockNext;
        pending.repeatPrefix = repeatNext;
        if (lockNext && !row.lockable()) {
            return false;
        }
        for (int i = 0; i < operands.length; i++) {
            boolean fits = switch (operands[i]) {
                case Reg register -> fitRegister(row.operands[i], i, register);
                case Mem mem -> fitMemory(row, i, mem);
                case Imm immediate -> fitImmediate(row.operands[i], i, immediate.value(), false);
                case LabelRef label -> fitLabel(row.operands[i], label);
                case FarPointer pointer -> fitFar(row.operands[i], pointer);
            };
            if (!fits) {
                return false;
            }
        }
        return true;
    }

    private boolean fitRegister(OperandSpec spec, int i, Reg register) {
        if (spec.method == OperandSpec.Method.FIXED) {
            return spec.fixedKind == register.kind()
                    && spec.fixedRegister == register.number()
                    && (register.kind() != OperandKind.GPR || pending.size[i] == register.size());
        }
        if (spec.memoryOnly() || spec.method == OperandSpec.Method.O) {
            return false;
        }
        boolean general = pending.kind[i] == OperandKind.GPR;
        if (register.kind() == OperandKind.GPR8_HIGH) {
            if (!general || pending.size[i] != 1) {
                return false;
            }
            pending.kind[i] = OperandKind.GPR8_HIGH;
        } else if (pending.kind[i] != register.kind() || general && pending.size[i] != register.size()) {
            return false;
        }
        pending.register[i] = register.number();
        return true;
    }

    private boolean fitMemory(OpcodeRow row, int i, Mem mem) {
        OperandSpec spec = row.operands[i];
        boolean direct = spec.method == OperandSpec.Method.O;
        if (!spec.mayBeMemory()
                || direct
                        && (mem.base() >= 0 || mem.index() >= 0 || !mem.label().isEmpty())) {
            return false;
        }
        if (row.vsib != (mem.vectorIndexSize() != 0) || row.vsib && mem.vectorIndexSize() != pending.vectorIndexSize) {
            return false;
        }
        pending.setForm(i, true);
        if (mem.size() != 0 && pending.size[i] != 0 && mem.size() != pending.size[i]) {
            return false;
        }
        pending.base = mem.base();
        pending.index = mem.index();
        pending.scale = mem.scale();
        pending.displacement = mem.displacement();
        if (mem.index() == 4 && mem.vectorIndexSize() == 0) {
            if (mem.scale() != 0 || mem.base() == 4) {
                return false;
            }
            // rSP cannot be an index: swap it with the base
            pending.base = 4;
            pending.index = mem.base();
        }
        if (pending.addressSize == 2 && pending.index >= 0 && (pending.base == 6 || pending.base == 7)) {
            int swapped = pending.base;
            pending.base = pending.index;
            pending.index = swapped;
        }
        if (!mem.label().isEmpty() && mode.isLong() && mem.base() < 0 && mem.index() < 0) {
            pending.base = Instruction.RIP;
        }
        if (mem.segment() >= 0) {
            pending.segment = mem.segment();
            pending.segmentOverridden = true;
        }
        if (pending.addressSize != 8 && !direct) {
            long mask = pending.addressSize == 4 ? 0xFFFF_FFFFL : 0xFFFF;
            if (pending.displacement > mask || pending.displacement < -mask) {
                return false;
            }
            pending.displacement = pending.addressSize == 4 ? (int) pending.displacement : (short) pending.displacement;
        }
        return true;
    }

    private boolean fitImmediate(OperandSpec spec, int i, long value, boolean label) {
        int bytes = spec.encodedSize(pending.operandSize, pending.addressSize);
        int operandBytes = pending.size[i];
        switch (spec.method) {
            case ONE -> {
                return value == 1 && !label;
            }
            case J -> {
                return fitTarget(spec, value);
            }
            case SIGNED_I -> {
                if (label || !inRange(value, operandBytes)) {
                    return false;
                }
                long extended = extend(value, operandBytes);
                pending.immediate = extended;
                return extended == (byte) extended;
            }
            case I -> {
                if (!inRange(value, operandBytes)) {
                    return false;
                }
                long extended = extend(value, operandBytes);
                if (bytes < operandBytes && extended != extend(extended, bytes)) {
                    return false;
                }
                boolean second = false;
                for (int k = 0; k < i; k++) {
                    second |= pending.kind[k] == OperandKind.IMMEDIATE;
                }
                if (second) {
                    pending.immediate2 = (int) extended;
                } else {
                    pending.immediate = extended;
                }
                return true;
            }
            default -> {
                return false;
            }
        }
    }

    /// A branch to an absolute address: the displacement depends on the length, which does not depend on it.
    private boolean fitTarget(OperandSpec spec, long target) {
        int bytes = spec.encodedSize(pending.operandSize, pending.addressSize);
        pending.immediate = 0;
        long next = here() + encoder.encode(pending, scratch, 0);
        // the instruction pointer wraps at the operand size
        long distance = pending.operandSize == 8 ? target - next : extend(target - next, pending.operandSize);
        pending.immediate = extend(distance, bytes);
        return pending.immediate == distance;
    }

    private static boolean inRange(long value, int bytes) {
        return bytes >= 8 || value >= -(1L << 8 * bytes - 1) && value < 1L << 8 * bytes;
    }

    private static long extend(long value, int bytes) {
        int shift = 64 - 8 * bytes;
        return value << shift >> shift;
    }

    private boolean fitLabel(OperandSpec spec, LabelRef label) {
        if (spec.method == OperandSpec.Method.J) {
            Long target = labels.get(label.name());
            if (target != null) {
                return fitTarget(spec, target);
            }
            boolean shortForm = spec.type == OperandSpec.Type.B;
            return !shortForm || !label.near() || onlyShort(pending.row.mnemonic);
        }
        boolean wide = spec.method == OperandSpec.Method.I
                && (spec.type == OperandSpec.Type.V || spec.type == OperandSpec.Type.Z && pending.operandSize < 8);
        return wide && pending.operandSize != 1;
    }

    private static boolean onlyShort(Mnemonic mnemonic) {
        return switch (mnemonic) {
            case LOOP, LOOPE, LOOPNE, JRCXZ -> true;
            default -> false;
        };
    }

    private boolean fitFar(OperandSpec spec, FarPointer pointer) {
        if (spec.method != OperandSpec.Method.A || !inRange(pointer.offset(), pending.operandSize)) {
            return false;
        }
        pending.immediate = pointer.offset();
        pending.immediate2 = pointer.selector();
        return true;
    }

    private void write(Operand[] operands) {
        reserve(scratch.length);
        int start = length;
        int bytes = encode(operands, code, start);
        length += bytes;
        for (int i = 0; i < operands.length; i++) {
            OperandSpec spec = bestRow.operands[i];
            switch (operands[i]) {
                case LabelRef label -> {
                    boolean relative = spec.method == OperandSpec.Method.J;
                    int width = spec.encodedSize(pending.operandSize, pending.addressSize);
                    fixups.add(new Fixup(
                            encoder.immediateAt(),
                            width,
                            relative ? FixupKind.RELATIVE : FixupKind.ABSOLUTE,
                            length,
                            0,
                            label.name(),
                            what(start)));
                }
                case FarPointer pointer
                when !pointer.label().isEmpty() ->
                    fixups.add(new Fixup(
                            encoder.immediateAt(),
                            pending.operandSize,
                            FixupKind.ABSOLUTE,
                            length,
                            pointer.offset(),
                            pointer.label(),
                            what(start)));
                case Mem mem
                when !mem.label().isEmpty() -> {
                    boolean relative = pending.base == Instruction.RIP;
                    fixups.add(new Fixup(
                            encoder.displacementAt(),
                            encoder.displacementBytes(),
                            relative ? FixupKind.RELATIVE : FixupKind.ABSOLUTE,
                            length,
                            mem.displacement(),
                            mem.label(),
                            what(start)));
                }
                case Reg _, Mem _, Imm _, FarPointer _ -> {
                    // complete
                }
            }
        }
    }

    private String what(int start) {
        return bestRow.mnemonic.name() + " at 0x" + Long.toHexString(origin + start);
    }

    private static String describe(Mnemonic mnemonic, Operand[] operands) {
        StringBuilder text = new StringBuilder(mnemonic.name());
        for (int i = 0; i < operands.length; i++) {
            text.append(i == 0 ? " " : ", ");
            text.append(
                    switch (operands[i]) {
                        case Reg register -> register.toString();
                        case Mem mem -> "memory" + (mem.size() == 0 ? "" : " of " + mem.size() + " bytes");
                        case Imm immediate -> Long.toString(immediate.value());
                        case LabelRef label -> "label " + label.name();
                        case FarPointer pointer -> "far " + pointer.selector() + ":" + pointer.offset();
                    });
        }
        return text.toString();
    }
}

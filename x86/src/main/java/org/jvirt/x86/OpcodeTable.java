package org.jvirt.x86;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The opcode table: every instruction encoding that jvirt knows, in one place. Decoder, disassembler, assembler
/// and instruction generator all read it.
///
/// The rows stand in one text per opcode map ([OneByteMap], [X87Map], [TwoByteMap], [TwoByteSimdMap], [Map0F38],
/// [Map0F3A], [VexMap0F], [VexMap0F38], [VexMap0F3A]), a line per row:
///
/// ```
/// 81/0      ADD             Ev*,Iz               lock arith
/// F3.B8     POPCNT          Gv=,Ev               w:oszapc
/// D9:E8     FLD1            -
/// ```
///
/// - *Opcode.* A hexadecimal byte, `+` when a register is in its low bits, `/n` when ModRM.reg extends it, `:xx`
///   when the whole ModRM byte does. A prefix before it is mandatory (`66.`, `F3.`, `F2.`; `NP.`: none of them
///   may be there; `NF.`: neither F2 nor F3). Without one, prefixes keep their general meaning or are ignored.
/// - *Operands* as in the manual (see [OperandSpec]); `=` marks a written one, `*` one that is read and written.
/// - *Attributes:* `lock` may be locked · `rep`, `repz` repeats · `i64`, `only64` invalid, or valid only, in 64-bit
///   mode · `d64`, `f64` operand size 64 by default, or always, in 64-bit mode · `nat` operand size is 64 or 32
///   bits by mode alone · `os16`, `os32`, `os64` only with this operand size · `byte`, `max32` element sizes ·
///   `cpl0`, `iopl`, `io`, `umip` privileges · `prot` not in real mode · `branch`, `end` end a block · `W0`,
///   `W1`, `L0`, `L1`, `lig` VEX and REX bits · `reg` register form only · `modany` ModRM.mod is ignored ·
///   `rexb0` only without REX.B · `ua` 16-byte operand may be unaligned · `align`, `align16`, `align64` must be
///   aligned · `bitbase` bit string · `hint` · `alias` · `t:`, `w:`, `u:` flags tested, written, undefined;
///   `arith` and `logic` abbreviate the usual sets.
/// - `@NAME` names the [CpuFeature] of the rows that follow.
///
/// Building it parses some 1,500 lines by hand-written scanning: no regular expressions, no streams.
public final class OpcodeTable {
    private static final OpcodeRow[] ROWS;
    private static final List<OpcodeRow> LIST;
    private static final OpcodeRow NOP;
    /// First index: 0 for 16- and 32-bit code, 1 for 64-bit code; second: map × 256 + opcode.
    private static final @Nullable OpcodeNode[][] NODES;
    private static final OpcodeRow[][] BY_MNEMONIC;

    static {
        ROWS = new Parser().parse();
        LIST = Collections.unmodifiableList(Arrays.asList(ROWS));
        @Nullable OpcodeNode[] longNodes = OpcodeNode.build(ROWS);
        NODES = new @Nullable OpcodeNode[][] {OpcodeNode.buildLegacy(ROWS, longNodes), longNodes};
        BY_MNEMONIC = byMnemonic();
        NOP = BY_MNEMONIC[Mnemonic.NOP.ordinal()][0];
    }

    private OpcodeTable() {}

    /// All rows, in table order: map by map, ascending by opcode as far as the grouping by subject allows.
    public static List<OpcodeRow> rows() {
        return LIST;
    }

    /// The rows of one mnemonic, in table order; never empty.
    public static List<OpcodeRow> rows(Mnemonic mnemonic) {
        return Collections.unmodifiableList(Arrays.asList(BY_MNEMONIC[mnemonic.ordinal()]));
    }

    static OpcodeRow[] rowsOf(Mnemonic mnemonic) {
        return BY_MNEMONIC[mnemonic.ordinal()];
    }

    static OpcodeRow nop() {
        return NOP;
    }

    static @Nullable OpcodeNode[] nodes(CodeSize size) {
        return NODES[size == CodeSize.CODE64 ? 1 : 0];
    }

    private static OpcodeRow[][] byMnemonic() {
        int mnemonics = Mnemonic.values().length;
        int[] counts = new int[mnemonics];
        for (OpcodeRow row : ROWS) {
            counts[row.mnemonic.ordinal()]++;
        }
        OpcodeRow[][] result = new OpcodeRow[mnemonics][];
        for (OpcodeRow row : ROWS) {
            int at = row.mnemonic.ordinal();
            if (result[at] == null) {
                result[at] = new OpcodeRow[counts[at]];
                counts[at] = 0;
            }
            result[at][counts[at]++] = row;
        }
        return result;
    }

    /// Turns the map texts into rows.
    private static final class Parser {
        private final NameTable<Mnemonic> mnemonics = new NameTable<>(4096);
        private final NameTable<CpuFeature> features = new NameTable<>(256);
        private final NameTable<OperandList> lists = new NameTable<>(2048);
        private final NameTable<RowAttributes> attributes = new NameTable<>(1024);
        private final HashMap<String, OperandSpec> specs = new HashMap<>(256);
        private OpcodeRow[] rows = new OpcodeRow[2048];
        private int count;
        private byte[] text = new byte[0];

        OpcodeRow[] parse() {
            for (Mnemonic mnemonic : Mnemonic.values()) {
                mnemonics.put(mnemonic.name(), mnemonic);
            }
            for (CpuFeature feature : CpuFeature.values()) {
                features.put(feature.name(), feature);
            }
            parse(OpcodeMap.ONE_BYTE, OneByteMap.ROWS);
            parse(OpcodeMap.ONE_BYTE, X87Map.ROWS);
            parse(OpcodeMap.MAP_0F, TwoByteMap.ROWS);
            parse(OpcodeMap.MAP_0F, TwoByteSimdMap.ROWS);
            parse(OpcodeMap.MAP_0F38, Map0F38.ROWS);
            parse(OpcodeMap.MAP_0F3A, Map0F3A.ROWS);
            parse(OpcodeMap.VEX_0F, VexMap0F.ROWS);
            parse(OpcodeMap.VEX_0F38, VexMap0F38.ROWS);
            parse(OpcodeMap.VEX_0F3A, VexMap0F3A.ROWS);
            return Arrays.copyOf(rows, count);
        }

        private void parse(OpcodeMap map, String rowsOfMap) {
            text = rowsOfMap.getBytes(StandardCharsets.ISO_8859_1);
            CpuFeature feature = CpuFeature.BASE;
            int at = 0;
            while (at < text.length) {
                int end = at;
                while (end < text.length && text[end] != '\n') {
                    end++;
                }
                if (end > at) {
                    switch (text[at]) {
                        case '#' -> {
                            // a heading
                        }
                        case '@' -> feature = known(features, at + 1, end);
                        default -> row(map, at, end, feature);
                    }
                }
                at = end + 1;
            }
        }

        private void row(OpcodeMap map, int start, int end, CpuFeature feature) {
            int opcodeEnd = wordEnd(start, end);
            int nameStart = wordStart(opcodeEnd, end);
            int nameEnd = wordEnd(nameStart, end);
            int listStart = wordStart(nameEnd, end);
            int listEnd = wordEnd(listStart, end);
            int restStart = wordStart(listEnd, end);
            int at = start;
            int prefix = OpcodeRow.ANY_PREFIX;
            if (text[at + 2] == '.') {
                prefix = switch (text[at] << 8 | text[at + 1]) {
                    case 'N' << 8 | 'P' -> 0;
                    case '6' << 8 | '6' -> 1;
                    case 'F' << 8 | '3' -> 2;
                    case 'F' << 8 | '2' -> 3;
                    case 'N' << 8 | 'F' -> OpcodeRow.NO_REPEAT;
                    default -> throw malformed(start, end);
                };
                at += 3;
            }
            int opcode = hex(at);
            at += 2;
            int digit = -1;
            int exact = -1;
            boolean low = false;
            while (at < opcodeEnd) {
                switch (text[at]) {
                    case '/' -> {
                        digit = text[at + 1] - '0';
                        at += 2;
                    }
                    case ':' -> {
                        exact = hex(at + 1);
                        at += 3;
                    }
                    case '+' -> {
                        low = true;
                        at++;
                    }
                    default -> throw malformed(start, end);
                }
            }
            OperandList list = lists.get(text, listStart, listEnd);
            if (list == null) {
                String name = string(listStart, listEnd);
                list = OperandList.parse(name, specs);
                lists.put(name, list);
            }
            RowAttributes attribute = attributes.get(text, restStart, end);
            if (attribute == null) {
                String name = string(restStart, end);
                attribute = RowAttributes.parse(name);
                attributes.put(name, attribute);
            }
            Mnemonic mnemonic = known(mnemonics, nameStart, nameEnd);
            if (count == rows.length) {
                rows = Arrays.copyOf(rows, 2 * count);
            }
            rows[count] =
                    new OpcodeRow(count, map, opcode, prefix, digit, exact, low, mnemonic, list, attribute, feature);
            count++;
        }

        private String string(int from, int to) {
            return new String(text, from, to - from, StandardCharsets.ISO_8859_1);
        }

        private IllegalStateException malformed(int start, int end) {
            return new IllegalStateException("opcode table: cannot read " + string(start, end));
        }

        private <T> T known(NameTable<T> names, int from, int to) {
            T value = names.get(text, from, to);
            if (value == null) {
                throw new IllegalStateException("opcode table: no name " + string(from, to));
            }
            return value;
        }

        private int wordEnd(int at, int end) {
            byte[] bytes = text;
            int stop = at;
            while (stop < end && bytes[stop] != ' ') {
                stop++;
            }
            return stop;
        }

        private int wordStart(int at, int end) {
            byte[] bytes = text;
            int start = at;
            while (start < end && bytes[start] == ' ') {
                start++;
            }
            return start;
        }

        private int hex(int at) {
            return digit(text[at]) << 4 | digit(text[at + 1]);
        }

        private static int digit(int character) {
            return character <= '9' ? character - '0' : character - 'A' + 10;
        }
    }
}

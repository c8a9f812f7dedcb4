package org.jvirt.images.qcow2;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/// The feature bits of version 3, with the names that images carry for programs that do not know them.
enum Feature {
    DIRTY(0, 0, "dirty bit"),
    CORRUPT(0, 1, "corrupt bit"),
    DATA_FILE(0, 2, "external data file"),
    COMPRESSION_TYPE(0, 3, "compression type"),
    EXTENDED_L2(0, 4, "extended L2 entries"),
    LAZY_REFCOUNTS(1, 0, "lazy refcounts"),
    BITMAPS(2, 0, "bitmaps"),
    RAW_DATA_FILE(2, 1, "raw external data");

    private static final int NAME_BYTES = 46;
    private static final int ENTRY_BYTES = 2 + NAME_BYTES;

    private final int kind;
    private final int bit;
    private final String label;

    Feature(int kind, int bit, String label) {
        this.kind = kind;
        this.bit = bit;
        this.label = label;
    }

    long mask() {
        return 1L << bit;
    }

    /// All incompatible bits that are known here.
    static long knownIncompatible() {
        long known = 0;
        for (Feature feature : values()) {
            known |= feature.kind == 0 ? feature.mask() : 0;
        }
        return known;
    }

    static long knownAutoclear() {
        return BITMAPS.mask() | RAW_DATA_FILE.mask();
    }

    /// The feature name table.
    static byte[] nameTable() {
        ByteBuffer table = ByteBuffer.allocate(values().length * ENTRY_BYTES);
        for (Feature feature : values()) {
            table.put((byte) feature.kind).put((byte) feature.bit);
            byte[] name = feature.label.getBytes(StandardCharsets.US_ASCII);
            table.put(name).position(table.position() + NAME_BYTES - name.length);
        }
        return table.array();
    }

    /// What the image's own table calls an incompatible bit.
    static String nameOfIncompatible(int bit, byte[] table) {
        for (int at = 0; at + ENTRY_BYTES <= table.length; at += ENTRY_BYTES) {
            if (table[at] == 0 && table[at + 1] == bit) {
                String name = new String(table, at + 2, NAME_BYTES, StandardCharsets.UTF_8);
                int end = name.indexOf('\0');
                return printable(end < 0 ? name : name.substring(0, end));
            }
        }
        return "unknown feature bit " + bit;
    }

    private static String printable(String name) {
        return name.codePoints()
                .map(c -> Character.isISOControl(c) ? '?' : c)
                .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
                .toString();
    }
}

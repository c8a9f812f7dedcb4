package org.jvirt.images.qcow2;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/// One entry of the bitmap directory.
///
/// ```
/// 0 table  8 table entries  12 flags  16 type  17 granularity bits  18 name length  20 extra length  extra  name
/// padding
/// ```
record BitmapEntry(long tableOffset, int tableSize, int flags, int granularityBits, byte[] extra, byte[] nameBytes) {
    static final int IN_USE = 1;
    static final int AUTO = 2;
    static final int EXTRA_DATA_COMPATIBLE = 4;
    static final int MAX_NAME_BYTES = 1023;
    static final int MIN_GRANULARITY_BITS = 9;
    static final int MAX_GRANULARITY_BITS = 31;
    static final int MAX_BITMAPS = 65535;
    static final int MAX_TABLE_SIZE = 0x800_0000;
    static final long MAX_DIRECTORY_BYTES = 64 << 20;
    private static final int FIXED_BYTES = 24;
    private static final int TYPE_DIRTY_TRACKING = 1;

    static List<BitmapEntry> decode(String image, byte[] directory, int count) {
        List<BitmapEntry> entries = new ArrayList<>();
        Set<String> names = new HashSet<>();
        ByteBuffer in = ByteBuffer.wrap(directory);
        int at = 0;
        for (int i = 0; i < count; i++) {
            if (at + FIXED_BYTES > directory.length) {
                throw damaged(image, "it ends within entry " + i);
            }
            int nameBytes = in.getShort(at + 18) & 0xffff;
            long extraBytes = Integer.toUnsignedLong(in.getInt(at + 20));
            if (extraBytes + nameBytes > directory.length - at - FIXED_BYTES
                    || nameBytes == 0
                    || nameBytes > MAX_NAME_BYTES) {
                throw damaged(image, "entry %d has a name of %d bytes".formatted(i, nameBytes));
            }
            int extraEnd = at + FIXED_BYTES + (int) extraBytes;
            int granularity = in.get(at + 17);
            var entry = new BitmapEntry(
                    in.getLong(at),
                    in.getInt(at + 8),
                    in.getInt(at + 12),
                    granularity,
                    Arrays.copyOfRange(directory, at + FIXED_BYTES, extraEnd),
                    Arrays.copyOfRange(directory, extraEnd, extraEnd + nameBytes));
            if (in.get(at + 16) != TYPE_DIRTY_TRACKING
                    || granularity < MIN_GRANULARITY_BITS
                    || granularity > MAX_GRANULARITY_BITS
                    || (entry.flags & ~(IN_USE | AUTO | EXTRA_DATA_COMPATIBLE)) != 0
                    || entry.tableSize < 0
                    || entry.tableSize > MAX_TABLE_SIZE
                    || !names.add(entry.name())) {
                throw damaged(image, "entry %d makes no sense".formatted(i));
            }
            entries.add(entry);
            at += entry.storedBytes();
        }
        return entries;
    }

    private static org.jvirt.core.UserErrorException damaged(String image, String how) {
        return new org.jvirt.core.UserErrorException(
                "The bitmap directory of %s is damaged: %s; check tells more".formatted(image, how));
    }

    int storedBytes() {
        return FIXED_BYTES + extra.length + nameBytes.length + 7 & ~7;
    }

    static byte[] encode(List<BitmapEntry> entries) {
        var out = new ByteArrayOutputStream();
        for (BitmapEntry entry : entries) {
            ByteBuffer bytes = ByteBuffer.allocate(entry.storedBytes());
            bytes.putLong(entry.tableOffset).putInt(entry.tableSize).putInt(entry.flags);
            bytes.put((byte) TYPE_DIRTY_TRACKING).put((byte) entry.granularityBits);
            bytes.putShort((short) entry.nameBytes.length).putInt(entry.extra.length);
            bytes.put(entry.extra).put(entry.nameBytes);
            out.writeBytes(bytes.array());
        }
        return out.toByteArray();
    }

    String name() {
        return new String(nameBytes, StandardCharsets.UTF_8);
    }

    boolean inUse() {
        return (flags & IN_USE) != 0;
    }

    boolean auto() {
        return (flags & AUTO) != 0;
    }

    /// Whether its extra data, none of which is known here, forbids to use it.
    boolean unusable() {
        return extra.length > 0 && (flags & EXTRA_DATA_COMPATIBLE) == 0;
    }

    BitmapEntry withFlags(int newFlags) {
        return new BitmapEntry(tableOffset, tableSize, newFlags, granularityBits, extra, nameBytes);
    }

    BitmapEntry withTable(long offset, int size) {
        return new BitmapEntry(offset, size, flags, granularityBits, extra, nameBytes);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof BitmapEntry that && Arrays.equals(encode(List.of(this)), encode(List.of(that)));
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(nameBytes);
    }

    @Override
    public String toString() {
        return "BitmapEntry[%s, flags %d]".formatted(name(), flags);
    }
}

package org.jvirt.images.qcow2;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalLong;
import org.jvirt.images.file.ImageFile;
import org.jvirt.images.format.ImageInfo;

/// One entry of the snapshot table.
///
/// ```
///  0 L1 table  8 L1 entries  12 id length  14 name length  16 seconds  20 nanoseconds  24 VM clock
/// 32 VM state (32 bits)  36 extra length  40 VM state  48 disk size  56 instructions  … id  name  padding to 8
/// ```
///
/// @param extra all extra data, kept as it is but for the fields known here
record SnapshotEntry(
        long l1Offset,
        int l1Size,
        byte[] id,
        byte[] name,
        int seconds,
        int nanoseconds,
        long vmClockNanos,
        int vmStateLow,
        byte[] extra) {
    private static final int FIXED_BYTES = 40;
    private static final int MAX_EXTRA_BYTES = 1024;
    private static final int EXTRA_BYTES = 24;
    static final long MAX_TABLE_BYTES = 64 << 20;

    static SnapshotEntry of(
            long l1Offset,
            int l1Size,
            String id,
            String name,
            Instant date,
            long vmClockNanos,
            OptionalLong instructions,
            long vmStateBytes,
            long diskBytes) {
        byte[] extra = ByteBuffer.allocate(EXTRA_BYTES)
                .putLong(vmStateBytes)
                .putLong(diskBytes)
                .putLong(instructions.orElse(-1))
                .array();
        return new SnapshotEntry(
                l1Offset,
                l1Size,
                id.getBytes(StandardCharsets.UTF_8),
                name.getBytes(StandardCharsets.UTF_8),
                (int) date.getEpochSecond(),
                date.getNano(),
                vmClockNanos,
                (int) Math.min(vmStateBytes, 0xffff_ffffL),
                extra);
    }

    /// Reads the table.
    static List<SnapshotEntry> readTable(ImageFile file, long offset, int count) throws IOException {
        List<SnapshotEntry> entries = new ArrayList<>();
        long at = offset;
        for (int i = 0; i < count; i++) {
            ByteBuffer fixed = ByteBuffer.wrap(BigEndian.read(file, at, FIXED_BYTES));
            int idBytes = fixed.getShort(12) & 0xffff;
            int nameBytes = fixed.getShort(14) & 0xffff;
            long extraBytes = Integer.toUnsignedLong(fixed.getInt(36));
            if (extraBytes > MAX_EXTRA_BYTES || at - offset > MAX_TABLE_BYTES) {
                throw Qcow2Header.unsound(file.name(), "entry %d of its snapshot table is too long".formatted(i));
            }
            byte[] rest = BigEndian.read(file, at + FIXED_BYTES, extraBytes + idBytes + nameBytes);
            int extra = (int) extraBytes;
            entries.add(new SnapshotEntry(
                    fixed.getLong(0),
                    fixed.getInt(8),
                    Arrays.copyOfRange(rest, extra, extra + idBytes),
                    Arrays.copyOfRange(rest, extra + idBytes, rest.length),
                    fixed.getInt(16),
                    fixed.getInt(20),
                    fixed.getLong(24),
                    fixed.getInt(32),
                    Arrays.copyOf(rest, extra)));
            at += entries.getLast().storedBytes();
        }
        return entries;
    }

    int storedBytes() {
        return FIXED_BYTES + extra.length + id.length + name.length + 7 & ~7;
    }

    static byte[] encodeTable(List<SnapshotEntry> entries) {
        var out = new ByteArrayOutputStream();
        for (SnapshotEntry entry : entries) {
            out.writeBytes(entry.encode());
        }
        return out.toByteArray();
    }

    private byte[] encode() {
        ByteBuffer out = ByteBuffer.allocate(storedBytes());
        out.putLong(l1Offset).putInt(l1Size).putShort((short) id.length).putShort((short) name.length);
        out.putInt(seconds)
                .putInt(nanoseconds)
                .putLong(vmClockNanos)
                .putInt(vmStateLow)
                .putInt(extra.length);
        return out.put(extra).put(id).put(name).array();
    }

    String idText() {
        return new String(id, StandardCharsets.UTF_8);
    }

    String nameText() {
        return new String(name, StandardCharsets.UTF_8);
    }

    private long extra(int at, long otherwise) {
        return extra.length >= at + 8 ? ByteBuffer.wrap(extra).getLong(at) : otherwise;
    }

    long vmStateBytes() {
        return extra(0, Integer.toUnsignedLong(vmStateLow));
    }

    /// @param imageBytes of the disk now, for entries that do not tell
    long diskBytes(long imageBytes) {
        return extra(8, imageBytes);
    }

    ImageInfo.Snapshot info(long imageBytes) {
        long instructions = extra(16, -1);
        return new ImageInfo.Snapshot(
                idText(),
                nameText(),
                vmStateBytes(),
                Instant.ofEpochSecond(Integer.toUnsignedLong(seconds), nanoseconds & 0xffff_ffffL),
                vmClockNanos,
                instructions == -1 ? OptionalLong.empty() : OptionalLong.of(instructions),
                diskBytes(imageBytes));
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof SnapshotEntry that && Arrays.equals(encode(), that.encode());
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(encode());
    }

    @Override
    public String toString() {
        return "SnapshotEntry[%s, %s]".formatted(idText(), nameText());
    }
}

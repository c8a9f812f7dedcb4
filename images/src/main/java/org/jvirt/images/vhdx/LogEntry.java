package org.jvirt.images.vhdx;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Optional;
import org.jvirt.images.blocks.Patch;

/// One entry of the log: MS-VHDX section 2.3.1.
///
/// ```
/// header (64 bytes)        "loge", checksum, length, tail, number, descriptors, log GUID, flushed and last file
/// size descriptors (32 each)    "desc", last 4 bytes, first 8 bytes, offset, number
///                      or  "zero", 0, length, offset, number
/// data sectors (4 KiB)     "data", number's high half, the 4084 bytes between, number's low half
/// ```
///
/// @param bytes the whole entry
record LogEntry(ByteBuffer bytes) {
    static final int SECTOR_BYTES = 4096;
    static final int HEADER_BYTES = 64;
    static final int DESCRIPTOR_BYTES = 32;
    static final int SIGNATURE = 0x65676f6c; // "loge"
    private static final int DATA_DESCRIPTOR = 0x63736564; // "desc"
    private static final int ZERO_DESCRIPTOR = 0x6f72657a; // "zero"
    private static final int DATA_SECTOR = 0x61746164; // "data"

    /// What one descriptor wants done: zeroes if there is no content.
    ///
    /// @param content a sector
    record Change(long offset, long length, Optional<byte[]> content) {}

    static long lengthOf(ByteBuffer header) {
        return Integer.toUnsignedLong(header.getInt(8));
    }

    long length() {
        return bytes.capacity();
    }

    /// Where the oldest entry lies that was not yet in the file when this one was written.
    long tail() {
        return Integer.toUnsignedLong(bytes.getInt(12));
    }

    long number() {
        return bytes.getLong(16);
    }

    private int descriptors() {
        return bytes.getInt(24);
    }

    /// How long the file was for certain.
    long flushedFileOffset() {
        return bytes.getLong(48);
    }

    /// How long the file has to be.
    long lastFileOffset() {
        return bytes.getLong(56);
    }

    /// Whether all parts of it are there and belong to it.
    boolean valid(Guid logGuid) {
        if (bytes.getInt(0) != SIGNATURE
                || number() == 0
                || !Guid.read(bytes, 32).equals(logGuid)
                || descriptors() < 0
                || tail() % SECTOR_BYTES != 0
                || !Checksum.matches(bytes)) {
            return false;
        }
        long dataAt = dataOffset(descriptors());
        for (int i = 0; i < descriptors(); i++) {
            int at = HEADER_BYTES + i * DESCRIPTOR_BYTES;
            if (at + DESCRIPTOR_BYTES > length() || bytes.getLong(at + 24) != number()) {
                return false;
            }
            int kind = bytes.getInt(at);
            if (kind == DATA_DESCRIPTOR) {
                if (dataAt + SECTOR_BYTES > length() || !dataBelongs((int) dataAt)) {
                    return false;
                }
                dataAt += SECTOR_BYTES;
            } else if (kind != ZERO_DESCRIPTOR) {
                return false;
            }
        }
        return true;
    }

    private boolean dataBelongs(int at) {
        return bytes.getInt(at) == DATA_SECTOR
                && bytes.getInt(at + 4) == (int) (number() >>> 32)
                && bytes.getInt(at + SECTOR_BYTES - 4) == (int) number();
    }

    private static long dataOffset(long descriptors) {
        return Math.ceilDiv(HEADER_BYTES + descriptors * DESCRIPTOR_BYTES, (long) SECTOR_BYTES) * SECTOR_BYTES;
    }

    /// What a valid entry changes, in order.
    void forEachChange(ChangeTaker taker) throws IOException {
        int dataAt = (int) dataOffset(descriptors());
        for (int i = 0; i < descriptors(); i++) {
            int at = HEADER_BYTES + i * DESCRIPTOR_BYTES;
            long offset = bytes.getLong(at + 16);
            if (bytes.getInt(at) == ZERO_DESCRIPTOR) {
                taker.take(new Change(offset, bytes.getLong(at + 8), Optional.empty()));
                continue;
            }
            byte[] sector = new byte[SECTOR_BYTES];
            ByteBuffer content = ByteBuffer.wrap(sector).order(ByteOrder.LITTLE_ENDIAN);
            content.putLong(0, bytes.getLong(at + 8)).putInt(SECTOR_BYTES - 4, bytes.getInt(at + 4));
            bytes.get(dataAt + 8, sector, 8, SECTOR_BYTES - 12);
            dataAt += SECTOR_BYTES;
            taker.take(new Change(offset, SECTOR_BYTES, Optional.of(sector)));
        }
    }

    /// Gets changes.
    interface ChangeTaker {
        void take(Change change) throws IOException;
    }

    /// How many sectors an entry in a log of this length can carry.
    static int mostSectors(long logLength) {
        // Half of the log, so that the entry before stays whole while the next one is written.
        return (int) Math.min(logLength / SECTOR_BYTES / 2 - 2, 120);
    }

    /// An entry that stands for itself: everything before is in the file already.
    ///
    /// @param at       where in the log it will lie
    /// @param sectors  whole sectors, at offsets that are multiples of their size
    /// @param fileSize of the file, whose content is durable
    static LogEntry of(Guid logGuid, long number, long at, List<Patch> sectors, long fileSize) {
        long data = dataOffset(sectors.size());
        ByteBuffer out =
                ByteBuffer.allocate((int) data + sectors.size() * SECTOR_BYTES).order(ByteOrder.LITTLE_ENDIAN);
        out.putInt(0, SIGNATURE).putInt(8, out.capacity()).putInt(12, (int) at).putLong(16, number);
        out.putInt(24, sectors.size());
        logGuid.write(out, 32);
        out.putLong(48, fileSize).putLong(56, fileSize);
        for (int i = 0; i < sectors.size(); i++) {
            Patch sector = sectors.get(i);
            ByteBuffer content = ByteBuffer.wrap(sector.bytes()).order(ByteOrder.LITTLE_ENDIAN);
            int descriptor = HEADER_BYTES + i * DESCRIPTOR_BYTES;
            out.putInt(descriptor, DATA_DESCRIPTOR).putInt(descriptor + 4, content.getInt(SECTOR_BYTES - 4));
            out.putLong(descriptor + 8, content.getLong(0)).putLong(descriptor + 16, sector.offsetBytes());
            out.putLong(descriptor + 24, number);
            int at4k = (int) data + i * SECTOR_BYTES;
            out.putInt(at4k, DATA_SECTOR).putInt(at4k + 4, (int) (number >>> 32));
            out.put(at4k + 8, sector.bytes(), 8, SECTOR_BYTES - 12).putInt(at4k + SECTOR_BYTES - 4, (int) number);
        }
        Checksum.put(out);
        return new LogEntry(out);
    }
}

package org.jvirt.images.vhdx;

import static org.jvirt.images.blocks.HeaderReader.broken;
import static org.jvirt.images.blocks.HeaderReader.unsupported;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.jvirt.images.blocks.HeaderReader;
import org.jvirt.images.file.ImageFile;

/// Where table and metadata are: MS-VHDX section 2.2.3. All parts of the file have whole mebibytes of their own.
record VhdxRegions(Region table, Region metadata, Region log) {
    static final long UNIT_BYTES = 1 << 20;
    static final int TABLE_BYTES = 64 << 10;
    static final long[] OFFSETS = {192 << 10, 256 << 10};
    private static final int SIGNATURE = 0x69676572; // "regi"
    private static final int MOST_ENTRIES = 2047;
    private static final int REQUIRED = 1;
    private static final Guid BAT = Guid.of("2dc27766-f623-4200-9d64-115e9bfd4a08");
    private static final Guid METADATA = Guid.of("8b7ca206-4790-4b9a-b8fe-575f050f886e");

    /// A part of the file.
    record Region(long offset, long length) {
        boolean overlaps(long otherOffset, long otherLength) {
            return otherOffset < offset + length && offset < otherOffset + otherLength;
        }
    }

    static VhdxRegions read(ImageFile file, VhdxHeader header) throws IOException {
        for (long offset : OFFSETS) {
            ByteBuffer in = HeaderReader.read(file, offset, TABLE_BYTES, ByteOrder.LITTLE_ENDIAN);
            if (in.getInt(0) == SIGNATURE && Checksum.matches(in)) {
                return parse(file, in, new Region(header.logOffset(), header.logLength()));
            }
        }
        throw broken(file, "neither of its region tables is valid");
    }

    private static VhdxRegions parse(ImageFile file, ByteBuffer in, Region log) throws IOException {
        int count = in.getInt(8);
        if (count < 0 || count > MOST_ENTRIES) {
            throw broken(file, "%d regions".formatted(Integer.toUnsignedLong(count)));
        }
        @Nullable Region table = null;
        @Nullable Region metadata = null;
        List<Region> all = new ArrayList<>(List.of(log));
        for (int i = 0; i < count; i++) {
            int at = 16 + i * 32;
            Guid guid = Guid.read(in, at);
            var region = new Region(in.getLong(at + 16), Integer.toUnsignedLong(in.getInt(at + 24)));
            boolean known = guid.equals(BAT) || guid.equals(METADATA);
            if (!known && (in.getInt(at + 28) & REQUIRED) != 0) {
                throw unsupported(file, "a region that is required and unknown");
            }
            check(file, region, all);
            all.add(region);
            if (guid.equals(BAT)) {
                table = region;
            } else if (guid.equals(METADATA)) {
                metadata = region;
            }
        }
        if (table == null || metadata == null) {
            throw broken(file, "it has no block allocation table, or no metadata");
        }
        return new VhdxRegions(table, metadata, log);
    }

    private static void check(ImageFile file, Region region, List<Region> others) throws IOException {
        boolean placed = region.offset() >= UNIT_BYTES
                && region.offset() % UNIT_BYTES == 0
                && region.length() > 0
                && region.length() % UNIT_BYTES == 0
                && region.offset() <= file.sizeBytes() - region.length();
        if (!placed || others.stream().anyMatch(other -> other.overlaps(region.offset(), region.length()))) {
            throw broken(
                    file,
                    "a region of %d bytes at %s is outside of the file, or where another is"
                            .formatted(region.length(), Long.toUnsignedString(region.offset())));
        }
    }

    /// Whether bytes are neither header nor table nor log.
    boolean mayHoldData(long offset, long length) {
        return offset >= UNIT_BYTES
                && !table.overlaps(offset, length)
                && !metadata.overlaps(offset, length)
                && !log.overlaps(offset, length);
    }

    byte[] encode() {
        ByteBuffer out = ByteBuffer.allocate(TABLE_BYTES).order(ByteOrder.LITTLE_ENDIAN);
        out.putInt(0, SIGNATURE).putInt(8, 2);
        put(out, 16, BAT, table);
        put(out, 48, METADATA, metadata);
        Checksum.put(out);
        return out.array();
    }

    private static void put(ByteBuffer out, int at, Guid guid, Region region) {
        guid.write(out, at);
        out.putLong(at + 16, region.offset())
                .putInt(at + 24, (int) region.length())
                .putInt(at + 28, REQUIRED);
    }
}

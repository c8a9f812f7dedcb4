package org.jvirt.images.vhd;

import static org.jvirt.images.blocks.HeaderReader.unsupported;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Arrays;
import java.util.Set;
import java.util.UUID;
import org.jvirt.images.file.ImageFile;

/// The last 512 bytes of every VHD, big-endian; dynamic and differencing ones have a copy at the start.
///
/// ```
///  0 cookie   8 features  12 version  16 header offset  24 time     28 creator  36 host   40 original size
/// 48 current size         56 cylinders, heads, sectors  60 type     64 checksum 68 UUID   84 saved state
/// ```
///
/// @param creator what made the image, which decides how its size is to be read
record VhdFooter(Type type, long headerOffset, String creator, long currentBytes, DiskGeometry geometry, UUID uuid) {
    static final int BYTES = 512;

    /// 2040 GiB.
    static final long MOST_SECTORS = 0xff00_0000L;

    /// Readers look the creator up, to know what the size means: these are the names for the two meanings.
    static final String CREATOR_BY_GEOMETRY = "qemu";

    static final String CREATOR_BY_SIZE = "qem2";

    private static final byte[] COOKIE = "conectix".getBytes(StandardCharsets.US_ASCII);
    private static final int CHECKSUM_OFFSET = 64;
    private static final Instant EPOCH = Instant.parse("2000-01-01T00:00:00Z");

    /// Who relies on the size; everybody else means the geometry.
    private static final Set<String> BY_SIZE = Set.of("win ", "qem2", "d2v ", "tap\0", "CTXS", "wa\0\0");

    /// How the content is laid out.
    enum Type {
        FIXED(2),
        DYNAMIC(3),
        DIFFERENCING(4);

        final int code;

        Type(int code) {
            this.code = code;
        }
    }

    /// Whether 512 bytes are a footer with a right checksum.
    static boolean matches(byte[] bytes) {
        return hasCookie(bytes)
                && checksum(bytes, BYTES, CHECKSUM_OFFSET)
                        == ByteBuffer.wrap(bytes).getInt(CHECKSUM_OFFSET);
    }

    static boolean hasCookie(byte[] bytes) {
        return bytes.length >= COOKIE.length && Arrays.equals(bytes, 0, COOKIE.length, COOKIE, 0, COOKIE.length);
    }

    /// @param bytes what [#matches]
    static VhdFooter parse(ImageFile file, byte[] bytes) {
        ByteBuffer in = ByteBuffer.wrap(bytes);
        int code = in.getInt(60);
        Type type = Arrays.stream(Type.values())
                .filter(each -> each.code == code)
                .findFirst()
                .orElseThrow(() -> unsupported(
                        file, "VHD type %d, only fixed (2), dynamic (3), differencing (4)".formatted(code)));
        int version = in.getInt(12);
        if (version >>> 16 != 1) {
            throw unsupported(file, "VHD version %d.%d, only 1.0".formatted(version >>> 16, version & 0xffff));
        }
        byte[] creator = new byte[4];
        in.get(28, creator);
        var footer = new VhdFooter(
                type,
                in.getLong(16),
                new String(creator, StandardCharsets.ISO_8859_1),
                in.getLong(48),
                new DiskGeometry(in.getShort(56) & 0xffff, in.get(58) & 0xff, in.get(59) & 0xff),
                new UUID(in.getLong(68), in.getLong(76)));
        if (footer.currentBytes < 0 || footer.sectors() > MOST_SECTORS) {
            throw unsupported(file, "a disk of more than 2040 GiB");
        }
        return footer;
    }

    /// How large the disk is. Virtual PC goes by the geometry, Hyper-V by the size; who made the image tells which
    /// is meant, unless the geometry can say no more.
    long sectors() {
        boolean byGeometry = !BY_SIZE.contains(creator) && !geometry.equals(DiskGeometry.MAX);
        return byGeometry ? geometry.sectors() : currentBytes / 512;
    }

    byte[] encode() {
        ByteBuffer out = ByteBuffer.allocate(BYTES);
        out.put(0, COOKIE).putInt(8, 2).putInt(12, 0x0001_0000).putLong(16, headerOffset);
        out.putInt(24, (int) (Instant.now().getEpochSecond() - EPOCH.getEpochSecond()));
        out.put(28, creator.getBytes(StandardCharsets.ISO_8859_1)).putInt(32, 0x0005_0003);
        out.put(36, "Wi2k".getBytes(StandardCharsets.US_ASCII));
        out.putLong(40, currentBytes).putLong(48, currentBytes);
        out.putShort(56, (short) geometry.cylinders()).put(58, (byte) geometry.heads());
        out.put(59, (byte) geometry.sectorsPerTrack()).putInt(60, type.code);
        out.putLong(68, uuid.getMostSignificantBits()).putLong(76, uuid.getLeastSignificantBits());
        out.putInt(CHECKSUM_OFFSET, checksum(out.array(), BYTES, CHECKSUM_OFFSET));
        return out.array();
    }

    /// The complement of the sum of all bytes but the checksum's own.
    static int checksum(byte[] bytes, int length, int checksumOffset) {
        int sum = 0;
        for (int i = 0; i < length; i++) {
            if (i < checksumOffset || i >= checksumOffset + 4) {
                sum += bytes[i] & 0xff;
            }
        }
        return ~sum;
    }

    /// Of a disk with at least so many bytes.
    ///
    /// @param forceSize whether it has exactly as many, which Virtual PC would not see
    static VhdFooter plan(Type type, long sizeBytes, boolean forceSize) {
        long sectors = Math.ceilDiv(sizeBytes, 512);
        DiskGeometry geometry = forceSize ? DiskGeometry.MAX : DiskGeometry.atLeast(sectors);
        long planned = geometry.equals(DiskGeometry.MAX) ? sectors : geometry.sectors();
        return new VhdFooter(
                type,
                type == Type.FIXED ? -1 : BYTES,
                forceSize ? CREATOR_BY_SIZE : CREATOR_BY_GEOMETRY,
                planned * 512,
                geometry,
                UUID.randomUUID());
    }
}

package org.jvirt.images.qcow2;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.jvirt.core.UserErrorException;
import org.jvirt.images.file.ImageFile;

/// The first cluster of an image, in memory. Not thread-safe; an open image changes it only where [Volume] says.
///
/// ```
///   0 magic "QFI\xfb"   24 size                  48 refcount table, clusters   72 incompatible  ┐
///   4 version           32 encryption method     60 snapshots                  80 compatible    │ version 3
///   8 backing name      36 L1 entries            64 snapshot table             88 autoclear     │
///  20 cluster bits      40 L1 table                                            96 refcount order│
///                                                                             100 header length │
/// 104 compression type, further fields (kept)                                                   ┘
/// then extensions: type, length, data, padded to 8; type 0 ends them; then the name of the backing file
/// ```
///
/// Source: QEMU, *docs/interop/qcow2*, "Header".
final class Qcow2Header {
    static final int MAGIC = 0x5146_49fb;
    static final int V2_BYTES = 72;
    static final int V3_MIN_BYTES = 104;
    static final int V3_BYTES = 112;
    static final int FIELDS_FROM = 20;
    static final int MAX_BACKING_NAME_BYTES = 1023;
    static final long MAX_L1_BYTES = 32 << 20;
    static final long MAX_REFCOUNT_TABLE_BYTES = 8 << 20;
    static final int MAX_SNAPSHOTS = 65536;
    /// Bits 9 to 55: what L1, L2 and bitmap tables can point to.
    static final long OFFSET_MASK = 0x00ff_ffff_ffff_fe00L;

    static final int CRYPT_NONE = 0;
    static final int CRYPT_AES = 1;
    static final int CRYPT_LUKS = 2;

    int version;
    int clusterBits;
    long size;
    int cryptMethod;
    int l1Size;
    long l1Offset;
    long refcountTableOffset;
    int refcountTableClusters;
    int snapshotCount;
    long snapshotsOffset;
    long incompatible;
    long compatible;
    long autoclear;
    int refcountOrder = 4;
    int headerLength = V2_BYTES;
    int compressionType;
    /// Fields behind the compression type that are not known here.
    private byte[] furtherFields = {};
    /// Without the feature names, which are made anew.
    private final List<HeaderExtension> extensions = new ArrayList<>();
    private byte @Nullable [] backingName;

    static Qcow2Header read(ImageFile file) throws IOException {
        byte[] start = bytes(file, V3_BYTES);
        ByteBuffer in = ByteBuffer.wrap(start);
        String name = file.name();
        if (in.getInt(0) != MAGIC) {
            throw unsound(name, "it does not begin with QFI\\xfb");
        }
        var header = new Qcow2Header();
        header.version = in.getInt(4);
        if (header.version != 2 && header.version != 3) {
            throw unsound(
                    name,
                    "version %d is unknown; 2 and 3 are supported".formatted(Integer.toUnsignedLong(header.version)));
        }
        header.clusterBits = in.getInt(20);
        if (header.clusterBits < Geometry.MIN_CLUSTER_BITS || header.clusterBits > Geometry.MAX_CLUSTER_BITS) {
            throw unsound(
                    name,
                    "clusters of 2^%d bytes are not supported; 2^9 to 2^21 are"
                            .formatted(Integer.toUnsignedLong(header.clusterBits)));
        }
        header.readFixed(in, name);
        byte[] cluster = bytes(file, 1 << header.clusterBits);
        header.readFurther(cluster, name);
        header.validate(file);
        return header;
    }

    Qcow2Header copy() {
        var copy = new Qcow2Header();
        copy.version = version;
        copy.clusterBits = clusterBits;
        copy.size = size;
        copy.cryptMethod = cryptMethod;
        copy.l1Size = l1Size;
        copy.l1Offset = l1Offset;
        copy.refcountTableOffset = refcountTableOffset;
        copy.refcountTableClusters = refcountTableClusters;
        copy.snapshotCount = snapshotCount;
        copy.snapshotsOffset = snapshotsOffset;
        copy.incompatible = incompatible;
        copy.compatible = compatible;
        copy.autoclear = autoclear;
        copy.refcountOrder = refcountOrder;
        copy.headerLength = headerLength;
        copy.compressionType = compressionType;
        copy.furtherFields = furtherFields;
        copy.extensions.addAll(extensions);
        copy.backingName = backingName;
        return copy;
    }

    private static byte[] bytes(ImageFile file, int count) throws IOException {
        byte[] bytes = new byte[count];
        file.readPadded(0, MemorySegment.ofArray(bytes));
        return bytes;
    }

    private void readFixed(ByteBuffer in, String name) {
        size = in.getLong(24);
        cryptMethod = in.getInt(32);
        l1Size = in.getInt(36);
        l1Offset = in.getLong(40);
        refcountTableOffset = in.getLong(48);
        refcountTableClusters = in.getInt(56);
        snapshotCount = in.getInt(60);
        snapshotsOffset = in.getLong(64);
        if (version == 2) {
            return;
        }
        incompatible = in.getLong(72);
        compatible = in.getLong(80);
        autoclear = in.getLong(88);
        refcountOrder = in.getInt(96);
        headerLength = in.getInt(100);
        if (headerLength < V3_MIN_BYTES || headerLength > 1 << clusterBits) {
            throw unsound(
                    name,
                    "a header of %d bytes does not fit; it takes 104 bytes to a cluster"
                            .formatted(Integer.toUnsignedLong(headerLength)));
        }
        compressionType = headerLength > V3_MIN_BYTES ? in.get(104) & 0xff : 0;
    }

    private void readFurther(byte[] cluster, String name) {
        if (headerLength > V3_BYTES) {
            furtherFields = java.util.Arrays.copyOfRange(cluster, V3_BYTES, headerLength);
        }
        ByteBuffer in = ByteBuffer.wrap(cluster);
        long nameOffset = in.getLong(8);
        int nameBytes = in.getInt(16);
        if (nameOffset < 0 || nameOffset > cluster.length) {
            throw unsound(name, "the name of the backing file lies outside of the first cluster");
        }
        int end = nameOffset == 0 ? cluster.length : (int) nameOffset;
        byte[] featureNames = readExtensions(in, end, name);
        long unknown = incompatible & ~Feature.knownIncompatible();
        if (unknown != 0) {
            var names = new ArrayList<String>();
            for (int bit = 0; bit < 64; bit++) {
                if ((unknown >>> bit & 1) != 0) {
                    names.add(Feature.nameOfIncompatible(bit, featureNames));
                }
            }
            throw new UserErrorException(
                    "Cannot open %s: it uses %s, which is not supported; convert it with a program that knows that"
                            .formatted(name, String.join(", ", names)));
        }
        if (nameOffset != 0) {
            if (nameBytes < 0 || nameBytes > MAX_BACKING_NAME_BYTES || nameOffset + nameBytes > cluster.length) {
                throw unsound(
                        name,
                        "the name of the backing file has %d bytes; 1023 and the first cluster are the limit"
                                .formatted(Integer.toUnsignedLong(nameBytes)));
            }
            backingName = java.util.Arrays.copyOfRange(cluster, end, end + nameBytes);
        }
    }

    /// Answers the feature names.
    private byte[] readExtensions(ByteBuffer in, int end, String name) {
        byte[] featureNames = {};
        int at = headerLength;
        while (at + 8 <= end) {
            int type = in.getInt(at);
            int length = in.getInt(at + 4);
            if (type == HeaderExtension.END) {
                return featureNames;
            }
            if (length < 0 || length > end - at - 8) {
                throw unsound(
                        name,
                        "header extension 0x%08x at %d has %d bytes, more than there is room for"
                                .formatted(type, at, Integer.toUnsignedLong(length)));
            }
            byte[] data = new byte[length];
            in.get(at + 8, data);
            if (type == HeaderExtension.FEATURE_NAMES) {
                featureNames = data;
            } else {
                extensions.add(new HeaderExtension(type, data));
            }
            at += 8 + (length + 7 & ~7);
        }
        return featureNames;
    }

    private void validate(ImageFile file) {
        String name = file.name();
        if (refcountOrder < 0 || refcountOrder > 6) {
            throw unsound(
                    name,
                    "refcounts of 2^%d bits are not supported; 1 to 64 bits are"
                            .formatted(Integer.toUnsignedLong(refcountOrder)));
        }
        if (cryptMethod < CRYPT_NONE || cryptMethod > CRYPT_LUKS) {
            throw unsound(
                    name,
                    "encryption method %d is unknown; 1 (AES) and 2 (LUKS) are supported"
                            .formatted(Integer.toUnsignedLong(cryptMethod)));
        }
        if (has(Feature.EXTENDED_L2) && clusterBits < Geometry.MIN_EXTENDED_CLUSTER_BITS) {
            throw unsound(name, "extended L2 entries need clusters of 16 KiB at least");
        }
        if (has(Feature.COMPRESSION_TYPE) != (compressionType != 0)) {
            throw unsound(name, "its compression type %d and its feature bit do not agree".formatted(compressionType));
        }
        if (compressionType > 1) {
            throw unsound(
                    name,
                    "compression type %d is unknown; 0 (zlib) and 1 (zstd) are supported".formatted(compressionType));
        }
        Geometry geometry = geometry();
        if (size < 0 || size > 1L << 62) {
            throw unsound(name, "a disk of %s bytes is too large".formatted(Long.toUnsignedString(size)));
        }
        if (l1Size < 0 || l1Size * 8L > MAX_L1_BYTES) {
            throw unsound(
                    name,
                    "its L1 table has %d entries; 32 MiB are the limit".formatted(Integer.toUnsignedLong(l1Size)));
        }
        if (geometry.l1Entries(size) > l1Size) {
            throw unsound(name, "its L1 table has %d entries, too few for %d bytes".formatted(l1Size, size));
        }
        table(name, "L1 table", l1Offset, l1Size * 8L);
        if (refcountTableClusters < 0
                || (long) refcountTableClusters << clusterBits
                        > Math.max(MAX_REFCOUNT_TABLE_BYTES, 1L << clusterBits)) {
            throw unsound(
                    name,
                    "its refcount table has %d clusters; 8 MiB are the limit"
                            .formatted(Integer.toUnsignedLong(refcountTableClusters)));
        }
        table(name, "refcount table", refcountTableOffset, (long) refcountTableClusters << clusterBits);
        if (snapshotCount < 0 || snapshotCount > MAX_SNAPSHOTS) {
            throw unsound(
                    name, "it has %d snapshots; 65536 are the limit".formatted(Integer.toUnsignedLong(snapshotCount)));
        }
        if (snapshotCount > 0) {
            table(name, "snapshot table", snapshotsOffset, 0);
        }
        if (!dataFile() && (autoclear & Feature.RAW_DATA_FILE.mask()) != 0) {
            autoclear &= ~Feature.RAW_DATA_FILE.mask();
        }
        if (dataFileRaw() && backingName != null) {
            throw unsound(name, "a raw external data file and a backing file exclude each other");
        }
    }

    private void table(String name, String what, long offset, long bytes) {
        if (geometry().inCluster(offset) != 0 || offset < 0 || offset > (1L << 56) - bytes) {
            throw unsound(name, "its %s is at 0x%x, which is no place for it".formatted(what, offset));
        }
    }

    static UserErrorException unsound(String name, String why) {
        return new UserErrorException("Cannot open %s as qcow2: %s".formatted(name, why));
    }

    Geometry geometry() {
        return new Geometry(clusterBits, has(Feature.EXTENDED_L2), refcountOrder);
    }

    /// Whether an incompatible feature is there.
    boolean has(Feature incompatibleFeature) {
        return (incompatible & incompatibleFeature.mask()) != 0;
    }

    boolean dataFile() {
        return has(Feature.DATA_FILE);
    }

    boolean dataFileRaw() {
        return (autoclear & Feature.RAW_DATA_FILE.mask()) != 0;
    }

    boolean lazyRefcounts() {
        return (compatible & Feature.LAZY_REFCOUNTS.mask()) != 0;
    }

    Optional<String> backing() {
        return Optional.ofNullable(backingName).map(bytes -> new String(bytes, StandardCharsets.UTF_8));
    }

    Optional<String> backingFormat() {
        return text(HeaderExtension.BACKING_FORMAT);
    }

    Optional<String> dataFileName() {
        return text(HeaderExtension.DATA_FILE);
    }

    private Optional<String> text(int type) {
        return extension(type)
                .map(bytes -> new String(bytes, StandardCharsets.UTF_8))
                .filter(s -> !s.isEmpty());
    }

    Optional<byte[]> extension(int type) {
        for (HeaderExtension extension : extensions) {
            if (extension.type() == type) {
                return Optional.of(extension.data());
            }
        }
        return Optional.empty();
    }

    void setBacking(Optional<String> name, Optional<String> format) {
        backingName = name.map(text -> text.getBytes(StandardCharsets.UTF_8)).orElse(null);
        setExtension(
                HeaderExtension.BACKING_FORMAT,
                format.map(text -> text.getBytes(StandardCharsets.UTF_8)).orElse(null));
    }

    /// Replaces, adds or (null) removes.
    void setExtension(int type, byte @Nullable [] data) {
        extensions.removeIf(extension -> extension.type() == type);
        if (data != null) {
            extensions.add(new HeaderExtension(type, data));
        }
    }

    /// The first cluster, or what of it is in use.
    ///
    /// @throws UserErrorException if it does not fit
    byte[] encode(String name) {
        List<HeaderExtension> all = new ArrayList<>();
        // Those that change stand first, so that they and the fixed fields are in the first sector.
        for (int type : new int[] {
            HeaderExtension.BITMAPS,
            HeaderExtension.ENCRYPTION,
            HeaderExtension.BACKING_FORMAT,
            HeaderExtension.DATA_FILE
        }) {
            extension(type).ifPresent(data -> all.add(new HeaderExtension(type, data)));
        }
        List<HeaderExtension> unknown = new ArrayList<>(extensions);
        unknown.removeAll(all);
        all.addAll(unknown);
        int fixed = version == 2 ? V2_BYTES : V3_BYTES + furtherFields.length;
        int nameBytes = backingName == null ? 0 : backingName.length;
        int taken = fixed
                + 8
                + nameBytes
                + all.stream().mapToInt(HeaderExtension::storedBytes).sum();
        int cluster = 1 << clusterBits;
        if (version == 3) {
            var names = new HeaderExtension(HeaderExtension.FEATURE_NAMES, Feature.nameTable());
            if (taken + names.storedBytes() <= cluster) {
                all.add(names);
                taken += names.storedBytes();
            }
        }
        if (nameBytes > MAX_BACKING_NAME_BYTES || taken > cluster) {
            throw new UserErrorException(
                    "Cannot write the header of %s: %d bytes do not fit into a cluster of %d; use a shorter name for the backing or data file, or larger clusters"
                            .formatted(name, taken, cluster));
        }
        // Always a whole number of sectors: what an older, longer header left behind must not look like extensions.
        ByteBuffer out = ByteBuffer.allocate(Math.min(cluster, (taken + 511 & ~511) + 512));
        putFixed(out);
        out.position(fixed);
        for (HeaderExtension extension : all) {
            int next = out.position() + extension.storedBytes();
            out.putInt(extension.type()).putInt(extension.data().length).put(extension.data());
            out.position(next);
        }
        out.putLong(0);
        if (backingName != null) {
            out.putLong(8, out.position()).putInt(16, nameBytes);
            out.put(backingName);
        }
        return out.array();
    }

    /// The fields from [#FIELDS_FROM] on, as far as this header is long: what changes while an image is open.
    byte[] fixedFields() {
        ByteBuffer out = ByteBuffer.allocate(V3_BYTES + furtherFields.length);
        int length = headerLength;
        putFixed(out);
        headerLength = length;
        if (version == 3) {
            out.putInt(100, length);
        }
        return java.util.Arrays.copyOfRange(out.array(), FIELDS_FROM, version == 2 ? V2_BYTES : V3_MIN_BYTES);
    }

    private void putFixed(ByteBuffer out) {
        out.putInt(0, MAGIC).putInt(4, version).putInt(20, clusterBits).putLong(24, size);
        out.putInt(32, cryptMethod).putInt(36, l1Size).putLong(40, l1Offset);
        out.putLong(48, refcountTableOffset).putInt(56, refcountTableClusters);
        out.putInt(60, snapshotCount).putLong(64, snapshotsOffset);
        if (version == 3) {
            headerLength = V3_BYTES + furtherFields.length;
            out.putLong(72, incompatible).putLong(80, compatible).putLong(88, autoclear);
            out.putInt(96, refcountOrder).putInt(100, headerLength).put(104, (byte) compressionType);
            out.put(V3_BYTES, furtherFields);
        } else {
            headerLength = V2_BYTES;
        }
    }
}

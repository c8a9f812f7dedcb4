package org.jvirt.images.qcow2;

import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.jvirt.core.UserErrorException;
import org.jvirt.images.format.CreateRequest;
import org.jvirt.images.format.Preallocation;
import org.jvirt.images.luks.LuksOptions;

/// How an image is to be made: the options, checked against each other.
record CreateChoices(
        long sizeBytes,
        int version,
        Geometry geometry,
        boolean lazyRefcounts,
        boolean zstd,
        Optional<String> backing,
        Optional<String> backingFormat,
        Optional<String> dataFile,
        boolean dataFileRaw,
        Preallocation preallocation,
        Optional<LuksOptions> luks,
        Optional<String> secret) {
    private static final long DEFAULT_CLUSTER_BYTES = 64 << 10;
    /// Of the largest L1 table.
    static final long MAX_L1_ENTRIES = Qcow2Header.MAX_L1_BYTES / 8;

    static CreateChoices parse(CreateRequest request) {
        Map<String, String> options = request.options();
        int version = version(options.getOrDefault("compat", "v3"));
        boolean extended = Options.onOff("extended_l2", options.getOrDefault("extended_l2", "off"));
        long clusterBytes = options.containsKey("cluster_size")
                ? Options.size("cluster_size", options.get("cluster_size"))
                : DEFAULT_CLUSTER_BYTES;
        int clusterBits = 63 - Long.numberOfLeadingZeros(clusterBytes);
        if (Long.bitCount(clusterBytes) != 1
                || clusterBits < Geometry.MIN_CLUSTER_BITS
                || clusterBits > Geometry.MAX_CLUSTER_BITS) {
            throw refused("cluster_size is a power of two from 512 to 2M, not " + clusterBytes);
        }
        if (extended && clusterBits < Geometry.MIN_EXTENDED_CLUSTER_BITS) {
            throw refused("extended_l2 needs a cluster_size of 16K at least");
        }
        long refcountBits = Options.number("refcount_bits", options.getOrDefault("refcount_bits", "16"));
        if (Long.bitCount(refcountBits) != 1 || refcountBits > 64 || refcountBits < 1) {
            throw refused("refcount_bits is a power of two from 1 to 64, not " + refcountBits);
        }
        String compression = options.getOrDefault("compression_type", "zlib");
        if (!compression.equals("zlib") && !compression.equals("zstd")) {
            throw refused("compression_type is zlib or zstd, not '%s'".formatted(compression));
        }
        var choices = new CreateChoices(
                request.sizeBytes(),
                version,
                new Geometry(clusterBits, extended, Long.numberOfTrailingZeros(refcountBits)),
                Options.onOff("lazy_refcounts", options.getOrDefault("lazy_refcounts", "off")),
                compression.equals("zstd"),
                Optional.ofNullable(options.get("backing_file")).filter(name -> !name.isEmpty()),
                Optional.ofNullable(options.get("backing_fmt")),
                Optional.ofNullable(options.get("data_file")),
                Options.onOff("data_file_raw", options.getOrDefault("data_file_raw", "off")),
                preallocation(options.getOrDefault("preallocation", "off")),
                luks(options),
                Optional.ofNullable(options.get("encrypt.key-secret")));
        choices.agree();
        return choices;
    }

    private static Optional<LuksOptions> luks(Map<String, String> options) {
        String format = options.get("encrypt.format");
        if (format == null) {
            return Optional.empty();
        }
        if (!format.equals("luks")) {
            throw refused("encrypt.format is luks, not '%s'; the legacy aes is read only".formatted(format));
        }
        return Optional.of(LuksOptions.parse(options, "encrypt."));
    }

    static int version(String compat) {
        return switch (compat) {
            case "0.10", "v2" -> 2;
            case "1.1", "v3" -> 3;
            default -> throw refused("compat is v2 (0.10) or v3 (1.1), not '%s'".formatted(compat));
        };
    }

    static Preallocation preallocation(String name) {
        for (Preallocation each : Preallocation.values()) {
            if (each.name().toLowerCase(Locale.ROOT).equals(name)) {
                return each;
            }
        }
        throw refused("preallocation is off, metadata, falloc or full, not '%s'".formatted(name));
    }

    private void agree() {
        if (sizeBytes < 0 || geometry.l1Entries(sizeBytes) > MAX_L1_ENTRIES) {
            throw refused("a disk of %d bytes is too large for clusters of %d; use a larger cluster_size"
                    .formatted(sizeBytes, geometry.clusterBytes()));
        }
        if (version == 2) {
            need(!lazyRefcounts, "lazy_refcounts");
            need(geometry.refcountOrder() == 4, "refcount_bits other than 16");
            need(!geometry.extendedL2(), "extended_l2");
            need(!zstd, "compression_type zstd");
            need(dataFile.isEmpty(), "data_file");
        }
        if (dataFileRaw && dataFile.isEmpty()) {
            throw refused("data_file_raw needs data_file");
        }
        if (dataFile.isPresent() && backing.isPresent() && dataFileRaw) {
            throw refused("data_file_raw and backing_file exclude each other");
        }
        if (backing.isPresent() && preallocation != Preallocation.OFF && !geometry.extendedL2()) {
            throw refused("preallocation and backing_file together need extended_l2");
        }
        if (backing.isEmpty() && backingFormat.isPresent()) {
            throw refused("backing_fmt needs backing_file");
        }
        if (luks.isPresent() && secret.isEmpty()) {
            throw refused("encrypt.format needs encrypt.key-secret");
        }
    }

    private static void need(boolean fits, String what) {
        if (!fits) {
            throw refused(what + " needs compat=v3");
        }
    }

    private static UserErrorException refused(String why) {
        return new UserErrorException("Cannot make a qcow2 image: " + why);
    }
}

package org.jvirt.images.qcow2;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.jvirt.core.UserErrorException;
import org.jvirt.images.format.CreateOption;
import org.jvirt.images.format.ImageOpener;
import org.jvirt.images.format.Preallocation;
import org.jvirt.images.luks.LuksAmendment;
import org.jvirt.images.luks.LuksVolume;

/// Changes how an image is stored. The caller is alone.
final class Qcow2Amend {
    private final Qcow2Image image;
    private final Volume volume;
    private final Qcow2Header header;

    Qcow2Amend(Qcow2Image image, Volume volume) {
        this.image = image;
        this.volume = volume;
        this.header = volume.header;
    }

    static List<CreateOption> options() {
        List<CreateOption> options = new ArrayList<>(List.of(
                new CreateOption("backing_file", CreateOption.Kind.TEXT, "File name of a base image"),
                new CreateOption("backing_fmt", CreateOption.Kind.TEXT, "Image format of the base image"),
                new CreateOption("compat", CreateOption.Kind.TEXT, "Version: v2 (0.10) or v3 (1.1)"),
                new CreateOption("data_file", CreateOption.Kind.TEXT, "File name of the external data file"),
                new CreateOption("data_file_raw", CreateOption.Kind.SWITCH, "Off: the data file need not stay raw"),
                new CreateOption("lazy_refcounts", CreateOption.Kind.SWITCH, "Postpone refcount updates"),
                new CreateOption("refcount_bits", CreateOption.Kind.NUMBER, "Width of a reference count: 1 to 64 bits"),
                new CreateOption("size", CreateOption.Kind.SIZE, "Virtual disk size")));
        options.addAll(LuksAmendment.options("encrypt."));
        return options;
    }

    void changeBacking(Optional<String> reference, Optional<String> format) throws IOException {
        if (header.dataFileRaw() && reference.isPresent()) {
            throw new UserErrorException(
                    "Cannot put %s on a backing file: its data file is raw".formatted(image.name()));
        }
        header.setBacking(reference.filter(name -> !name.isEmpty()), format);
        volume.writeHeader();
        volume.file.flush();
    }

    static void amend(Qcow2Image image, Map<String, String> options, ImageOpener opener) throws IOException {
        new Qcow2Amend(image, image.parts().volume()).widen(options);
        // Other counters mean other tables: the rest is done with the volume as it is now.
        new Qcow2Amend(image, image.parts().volume()).amend(options, opener);
    }

    private static int version(Map<String, String> options, int present) {
        return options.containsKey("compat") ? CreateChoices.version(options.get("compat")) : present;
    }

    private void widen(Map<String, String> options) throws IOException {
        for (String name : options.keySet()) {
            if (options().stream().noneMatch(option -> option.name().equals(name))) {
                throw new UserErrorException("Cannot change option %s of %s; amend can change %s"
                        .formatted(
                                name,
                                image.name(),
                                String.join(
                                        ", ",
                                        options().stream()
                                                .map(CreateOption::name)
                                                .toList())));
            }
        }
        int version = version(options, header.version);
        upgrade(version);
        refcountBits(options.get("refcount_bits"), version);
    }

    private void amend(Map<String, String> wanted, ImageOpener opener) throws IOException {
        Map<String, String> options = new HashMap<>(wanted);
        Map<String, String> encryption = new HashMap<>();
        options.forEach((name, value) -> {
            if (name.startsWith("encrypt.")) {
                encryption.put(name, value);
            }
        });
        options.keySet().removeAll(encryption.keySet());
        int version = version(options, header.version);
        lazyRefcounts(options.get("lazy_refcounts"), version);
        dataFile(options);
        if (options.containsKey("backing_file") || options.containsKey("backing_fmt")) {
            Optional<String> name =
                    Optional.ofNullable(options.get("backing_file")).or(header::backing);
            Optional<String> format =
                    Optional.ofNullable(options.get("backing_fmt")).or(header::backingFormat);
            changeBacking(name, name.filter(text -> !text.isEmpty()).isPresent() ? format : Optional.empty());
        }
        if (!encryption.isEmpty()) {
            encrypt(encryption, opener);
        }
        downgrade(version);
        if (options.containsKey("size")) {
            new Qcow2Resize(image, image.parts()).resize(Options.size("size", options.get("size")), Preallocation.OFF);
        }
    }

    private void upgrade(int version) throws IOException {
        if (version > header.version) {
            if (header.snapshotCount > 0) {
                widenSnapshots();
            }
            header.version = version;
            header.refcountOrder = 4;
            volume.writeHeader();
            volume.file.flush();
        }
    }

    /// Version 3 wants each snapshot to say how large its disk was.
    private void widenSnapshots() throws IOException {
        List<SnapshotEntry> now = new ArrayList<>();
        for (SnapshotEntry entry : image.snapshotEntries()) {
            byte[] extra = java.nio.ByteBuffer.allocate(Math.max(16, entry.extra().length))
                    .putLong(0, entry.vmStateBytes())
                    .putLong(8, entry.diskBytes(header.size))
                    .array();
            if (entry.extra().length > 16) {
                System.arraycopy(entry.extra(), 16, extra, 16, entry.extra().length - 16);
            }
            now.add(new SnapshotEntry(
                    entry.l1Offset(),
                    entry.l1Size(),
                    entry.id(),
                    entry.name(),
                    entry.seconds(),
                    entry.nanoseconds(),
                    entry.vmClockNanos(),
                    entry.vmStateLow(),
                    extra));
        }
        new TableStore(volume).switchSnapshots(image.snapshotEntries(), now);
        image.snapshotEntries(now);
        volume.settle();
    }

    private void refcountBits(@Nullable String value, int version) throws IOException {
        if (value == null) {
            return;
        }
        long bits = Options.number("refcount_bits", value);
        if (Long.bitCount(bits) != 1 || bits < 1 || bits > 64) {
            throw new UserErrorException("refcount_bits is a power of two from 1 to 64, not " + value);
        }
        if (version == 2 && bits != 16) {
            throw new UserErrorException(
                    "Cannot give %s refcounts of %d bits: version 2 has 16".formatted(image.name(), bits));
        }
        if (bits == volume.geometry.refcountBits()) {
            return;
        }
        var findings = new CheckFindings();
        ReferenceCounts counts = new ReferenceCollector(volume, findings).collect(false);
        if (findings.corruptions > 0) {
            throw new UserErrorException("Cannot change the refcounts of %s: it is corrupt; repair it with check -r all"
                    .formatted(image.name()));
        }
        Geometry old = volume.geometry;
        new RefcountRebuild(volume, new Geometry(old.clusterBits(), old.extendedL2(), Long.numberOfTrailingZeros(bits)))
                .rebuild(counts);
        image.reload();
    }

    private void lazyRefcounts(@Nullable String value, int version) throws IOException {
        if (value == null) {
            return;
        }
        boolean lazy = Options.onOff("lazy_refcounts", value);
        if (lazy && version == 2) {
            throw new UserErrorException("Cannot make refcounts of %s lazy: version 2 cannot".formatted(image.name()));
        }
        if (header.version == 3) {
            volume.markClean();
            header.compatible = lazy
                    ? header.compatible | Feature.LAZY_REFCOUNTS.mask()
                    : header.compatible & ~Feature.LAZY_REFCOUNTS.mask();
            volume.writeHeaderFields();
            volume.file.flush();
        }
    }

    private void dataFile(Map<String, String> options) throws IOException {
        String name = options.get("data_file");
        String raw = options.get("data_file_raw");
        if (name == null && raw == null) {
            return;
        }
        if (!header.dataFile()) {
            throw new UserErrorException(
                    "Cannot give %s an external data file; convert it with -o data_file".formatted(image.name()));
        }
        if (raw != null) {
            if (Options.onOff("data_file_raw", raw) && !header.dataFileRaw()) {
                throw new UserErrorException("Cannot make the data file of %s raw; convert it with -o data_file_raw=on"
                        .formatted(image.name()));
            }
            if (!Options.onOff("data_file_raw", raw)) {
                header.autoclear &= ~Feature.RAW_DATA_FILE.mask();
            }
        }
        if (name != null) {
            header.setExtension(
                    HeaderExtension.DATA_FILE, name.isEmpty() ? null : name.getBytes(StandardCharsets.UTF_8));
        }
        volume.writeHeader();
        volume.file.flush();
    }

    private void encrypt(Map<String, String> options, ImageOpener opener) throws IOException {
        if (header.cryptMethod != Qcow2Header.CRYPT_LUKS) {
            throw new UserErrorException(
                    "Cannot change keys of %s: it is not encrypted with LUKS".formatted(image.name()));
        }
        EncryptionHeader area = EncryptionHeader.of(header, volume.file);
        String secret = volume.cipher.secretId();
        if (secret == null) {
            throw new UserErrorException(
                    "Cannot change keys of %s: give its present key with encrypt.key-secret".formatted(image.name()));
        }
        LuksVolume luks = LuksVolume.open(image.name(), area, opener.secret(secret));
        LuksAmendment.parse(options, "encrypt.", opener).apply(luks, image.name());
    }

    private void downgrade(int version) throws IOException {
        if (version >= header.version) {
            return;
        }
        String obstacle = obstacle();
        if (obstacle != null) {
            throw new UserErrorException("Cannot make %s version 2: %s".formatted(image.name(), obstacle));
        }
        volume.markClean();
        new ZeroExpansion(volume, image.parts()).expand();
        volume.settle();
        header.version = 2;
        header.compatible = 0;
        header.autoclear = 0;
        volume.writeHeader();
        volume.file.flush();
        image.reload();
    }

    private @Nullable String obstacle() {
        if (volume.geometry.refcountBits() != 16) {
            return "its refcounts have %d bits; change refcount_bits to 16 first"
                    .formatted(volume.geometry.refcountBits());
        }
        if (header.dataFile()) {
            return "it has an external data file";
        }
        if (header.has(Feature.EXTENDED_L2)) {
            return "it has extended L2 entries";
        }
        if (header.has(Feature.COMPRESSION_TYPE)) {
            return "it is compressed with zstd";
        }
        if (!image.qcow2Bitmaps().entries().isEmpty()) {
            return "it has bitmaps; remove them first";
        }
        if (header.snapshotCount > 0) {
            return "it has snapshots, which may hold zero clusters; delete them first";
        }
        return null;
    }
}

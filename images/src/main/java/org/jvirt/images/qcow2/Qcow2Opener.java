package org.jvirt.images.qcow2;

import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.jvirt.core.UserErrorException;
import org.jvirt.images.file.ImageFile;
import org.jvirt.images.format.DiskImage;
import org.jvirt.images.format.OpenRequest;
import org.jvirt.images.format.Repair;
import org.jvirt.images.luks.LuksVolume;
import org.jvirt.images.luks.SectorCipher;

/// Turns a file into an open image: header, tables, external data, key, layers below, and the repair that a dirty
/// image needs before it is written.
final class Qcow2Opener {
    private static final Logger LOG = System.getLogger(Qcow2Opener.class.getName());

    private final ImageFile file;
    private final OpenRequest request;
    private final boolean readOnly;

    private Qcow2Opener(ImageFile file, OpenRequest request) {
        this.file = file;
        this.request = request;
        readOnly = request.readOnly() || file.readOnly();
    }

    /// Takes the file over, also when it fails.
    static Qcow2Image open(ImageFile file, OpenRequest request) throws IOException {
        var opener = new Qcow2Opener(file, request);
        var owned = new Owned(file);
        try {
            return opener.open(owned);
        } catch (IOException | RuntimeException e) {
            owned.close(e);
            throw e;
        }
    }

    /// What must be closed if opening fails half-way.
    private static final class Owned {
        private final ImageFile file;
        private @Nullable ImageFile data;
        private @Nullable DiskImage backing;

        Owned(ImageFile file) {
            this.file = file;
        }

        void close(Exception cause) {
            try (file;
                    ImageFile closedData = data;
                    DiskImage closedBacking = backing) {
                LOG.log(Level.TRACE, "Closing {0}, {1} and {2} again", file, closedData, closedBacking);
            } catch (IOException e) {
                cause.addSuppressed(e);
            }
        }
    }

    private Qcow2Image open(Owned owned) throws IOException {
        Qcow2Header header = Qcow2Header.read(file);
        if (header.has(Feature.CORRUPT) && !readOnly && !request.forCheck()) {
            throw new UserErrorException(
                    "Cannot open %s for writing: it is marked as corrupt; repair it with check -r all, or open it read-only"
                            .formatted(file.name()));
        }
        Geometry geometry = header.geometry();
        long fileBytes = file.sizeBytes();
        if (!request.forCheck()) {
            inFile("L1 table", header.l1Offset, header.l1Size * 8L, fileBytes);
            inFile("refcount table", header.refcountTableOffset, header.refcountTableClusters == 0 ? 0 : 1, fileBytes);
        }
        int tableEntries = header.refcountTableClusters << geometry.clusterBits() - 3;
        var tables = new Volume.Tables(
                BigEndian.readTable(file, header.refcountTableOffset, tableEntries),
                BigEndian.readTable(file, header.l1Offset, header.l1Size),
                size("l2-cache-size", L2Cache.DEFAULT_BYTES),
                Optional.ofNullable(request.options().get("lazy-refcounts")).map(this::onOff));
        ImageFile data = file;
        if (header.dataFile()) {
            data = openData(header);
            owned.data = data;
        }
        Optional<DiskImage> backing = Optional.empty();
        if (request.withBacking() && header.backing().isPresent()) {
            backing = Optional.of(
                    request.opener().openBacking(file, header.backing().get(), header.backingFormat()));
            owned.backing = backing.get();
        }
        var volume = new Volume(file, data, readOnly, header, tables, cipher(header), backing, new RequestGate());
        var image = new Qcow2Image(volume, request.forCheck());
        if (!readOnly && !request.forCheck()) {
            makeWritable(volume, image);
        }
        return image;
    }

    private void makeWritable(Volume volume, Qcow2Image image) throws IOException {
        Qcow2Header header = volume.header;
        if (header.has(Feature.DIRTY)) {
            LOG.log(Level.DEBUG, "{0} was not closed; its refcounts are made anew", file.name());
            var report = image.check(Repair.ALL);
            if (report.corruptions() > 0 || report.checkErrors() > 0) {
                throw new UserErrorException(
                        "Cannot open %s for writing: it was not closed, and %d errors cannot be mended; look at it with check, or open it read-only"
                                .formatted(file.name(), report.corruptions() + report.checkErrors()));
            }
        }
        if ((header.autoclear & ~Feature.knownAutoclear()) != 0) {
            header.autoclear &= Feature.knownAutoclear();
            volume.writeHeaderFields();
            file.flush();
        }
    }

    private void inFile(String what, long offset, long bytes, long fileBytes) {
        if (bytes > 0 && (offset == 0 || offset + bytes > fileBytes)) {
            throw Qcow2Header.unsound(
                    file.name(),
                    "its %s at 0x%x does not lie in the file of %d bytes; it may have been cut off"
                            .formatted(what, offset, fileBytes));
        }
    }

    private ImageFile openData(Qcow2Header header) throws IOException {
        String name = Optional.ofNullable(request.options().get("data-file.filename"))
                .or(header::dataFileName)
                .orElseThrow(() -> Qcow2Header.unsound(
                        file.name(), "it does not name its external data file; give one with data-file.filename"));
        return request.forInfo() ? new UnopenedData(name) : request.opener().openFile(file, name, readOnly);
    }

    private ClusterCipher cipher(Qcow2Header header) throws IOException {
        if (header.cryptMethod == Qcow2Header.CRYPT_NONE) {
            return ClusterCipher.NONE;
        }
        boolean luks = header.cryptMethod == Qcow2Header.CRYPT_LUKS;
        EncryptionHeader area = luks ? EncryptionHeader.of(header, file) : null;
        String secret = request.options().get("encrypt.key-secret");
        if (secret == null) {
            return new ClusterCipher(true, luks, null, null);
        }
        byte[] passphrase = request.opener().secret(secret);
        SectorCipher cipher = area == null
                ? SectorCipher.ofLegacyQcow(passphrase)
                : LuksVolume.open(file.name(), area, passphrase).cipher();
        return new ClusterCipher(true, luks, cipher, secret);
    }

    private boolean onOff(String value) {
        return Options.onOff("lazy-refcounts", value);
    }

    private long size(String option, long otherwise) {
        String value = request.options().get(option);
        return value == null ? otherwise : Options.size(option, value);
    }
}

package org.jvirt.images.qcow2;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import org.jvirt.images.file.ImageFile;
import org.jvirt.images.format.CreateRequest;
import org.jvirt.images.format.ImageOpener;
import org.jvirt.images.format.Preallocation;
import org.jvirt.images.luks.LuksOptions;
import org.jvirt.images.luks.LuksVolume;

/// Makes empty images.
///
/// ```
/// │ header │ refcount table │ refcount blocks │ L1 table │ encryption header │
/// ```
@SuppressWarnings("ReferenceEquality") // one file may be both
final class Qcow2Creator {
    private final ImageFile file;
    private final ImageOpener opener;
    private final CreateChoices choices;
    private final Geometry geometry;

    private Qcow2Creator(ImageFile file, ImageOpener opener, CreateChoices choices) {
        this.file = file;
        this.opener = opener;
        this.choices = choices;
        geometry = choices.geometry();
    }

    static void create(ImageFile file, CreateRequest request) throws IOException {
        new Qcow2Creator(file, request.opener(), CreateChoices.parse(request)).create();
    }

    private void create() throws IOException {
        long l1Entries = geometry.l1Entries(choices.sizeBytes());
        long l1Clusters = Math.max(1, geometry.clusters(l1Entries * 8));
        long luksClusters =
                geometry.clusters(choices.luks().map(LuksOptions::headerBytes).orElse(0L));
        long tableClusters = 0;
        long blocks = 0;
        long used;
        do {
            used = 1 + tableClusters + blocks + l1Clusters + luksClusters;
            blocks = Math.max(1, used + geometry.refcountBlockEntries() - 1 >>> geometry.refcountBlockBits());
            tableClusters = Math.max(1, geometry.clusters(blocks * 8));
        } while (used != 1 + tableClusters + blocks + l1Clusters + luksClusters);
        long l1Offset = 1 + tableClusters + blocks << geometry.clusterBits();

        Qcow2Header header = header(l1Entries, l1Offset, tableClusters);
        long luksOffset = l1Offset + (l1Clusters << geometry.clusterBits());
        choices.luks()
                .ifPresent(luks -> header.setExtension(
                        HeaderExtension.ENCRYPTION,
                        ByteBuffer.allocate(16)
                                .putLong(luksOffset)
                                .putLong(luks.headerBytes())
                                .array()));
        byte[] encoded = header.encode(file.name());
        writeRefcounts(tableClusters, blocks, used);
        BigEndian.write(file, l1Offset, new byte[Math.toIntExact(l1Clusters << geometry.clusterBits())]);
        if (luksClusters > 0) {
            file.writeZeroes(luksOffset, luksClusters << geometry.clusterBits(), false);
            var area = new EncryptionHeader(
                    file, luksOffset, choices.luks().orElseThrow().headerBytes());
            LuksVolume.create(
                    file.name(),
                    area,
                    choices.luks().orElseThrow(),
                    opener.secret(choices.secret().orElseThrow()));
        }
        BigEndian.write(file, 0, encoded);
        if (choices.dataFile().isPresent()) {
            try (ImageFile data = opener.createFile(file, choices.dataFile().get())) {
                preallocate(header, used, data);
                data.flush();
            }
        } else {
            preallocate(header, used, file);
        }
    }

    private Qcow2Header header(long l1Entries, long l1Offset, long tableClusters) {
        var header = new Qcow2Header();
        header.version = choices.version();
        header.clusterBits = geometry.clusterBits();
        header.size = choices.sizeBytes();
        header.cryptMethod = choices.luks().isPresent() ? Qcow2Header.CRYPT_LUKS : Qcow2Header.CRYPT_NONE;
        header.l1Size = (int) l1Entries;
        header.l1Offset = l1Offset;
        header.refcountTableOffset = geometry.clusterBytes();
        header.refcountTableClusters = (int) tableClusters;
        header.refcountOrder = geometry.refcountOrder();
        header.compressionType = choices.zstd() ? 1 : 0;
        header.incompatible |= choices.zstd() ? Feature.COMPRESSION_TYPE.mask() : 0;
        header.incompatible |= geometry.extendedL2() ? Feature.EXTENDED_L2.mask() : 0;
        header.incompatible |= choices.dataFile().isPresent() ? Feature.DATA_FILE.mask() : 0;
        header.autoclear |= choices.dataFileRaw() ? Feature.RAW_DATA_FILE.mask() : 0;
        header.compatible |= choices.lazyRefcounts() ? Feature.LAZY_REFCOUNTS.mask() : 0;
        header.setBacking(choices.backing(), choices.backingFormat());
        choices.dataFile()
                .ifPresent(
                        name -> header.setExtension(HeaderExtension.DATA_FILE, name.getBytes(StandardCharsets.UTF_8)));
        return header;
    }

    private void writeRefcounts(long tableClusters, long blocks, long used) throws IOException {
        byte[] table = new byte[Math.toIntExact(tableClusters << geometry.clusterBits())];
        long firstBlock = 1 + tableClusters << geometry.clusterBits();
        long cluster = 0;
        for (int i = 0; i < blocks; i++) {
            byte[] block = new byte[geometry.clusterBytes()];
            for (int c = 0; c < geometry.refcountBlockEntries() && cluster < used; c++) {
                RefcountBlock.set(block, geometry.refcountOrder(), c, 1);
                cluster++;
            }
            long offset = firstBlock + ((long) i << geometry.clusterBits());
            BigEndian.put(table, 8 * i, offset);
            BigEndian.write(file, offset, block);
        }
        file.write(geometry.clusterBytes(), MemorySegment.ofArray(table));
    }

    /// A raw data file must be mapped as a whole from the start, since no table can say where it is to be read.
    private void preallocate(Qcow2Header header, long usedClusters, ImageFile data) throws IOException {
        Preallocation wanted = choices.dataFileRaw() && choices.preallocation() == Preallocation.OFF
                ? Preallocation.METADATA
                : choices.preallocation();
        if (data != file) {
            data.truncate(choices.sizeBytes());
        }
        if (wanted == Preallocation.OFF) {
            return;
        }
        int tableEntries = header.refcountTableClusters << geometry.clusterBits() - 3;
        var tables = new Volume.Tables(
                BigEndian.readTable(file, header.refcountTableOffset, tableEntries),
                new long[header.l1Size],
                L2Cache.DEFAULT_BYTES,
                Optional.of(false));
        var volume =
                new Volume(file, data, false, header, tables, ClusterCipher.NONE, Optional.empty(), new RequestGate());
        volume.allocator.occupied(usedClusters << geometry.clusterBits());
        boolean mapped = choices.backing().isEmpty();
        Preallocator.fill(volume, 0, choices.sizeBytes(), wanted, mapped);
        volume.committer.commitAll();
    }
}

package org.jvirt.images.qcow2;

import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import org.jvirt.images.format.ImageInfo;
import org.jvirt.images.luks.LuksVolume;

/// What `info` shows.
final class Qcow2Description {
    private Qcow2Description() {}

    static ImageInfo of(Qcow2Image image, Volume volume, List<ImageInfo.Snapshot> snapshots, List<BitmapEntry> bitmaps)
            throws IOException {
        Qcow2Header header = volume.header;
        return new ImageInfo(
                image.sizeBytes(),
                volume.file.allocatedBytes(),
                OptionalLong.of(image.clusterBytes()),
                header.has(Feature.DIRTY),
                header.cryptMethod != Qcow2Header.CRYPT_NONE,
                false,
                header.backing(),
                header.backingFormat(),
                snapshots,
                specific(volume, bitmaps));
    }

    private static Map<String, Object> specific(Volume volume, List<BitmapEntry> bitmaps) throws IOException {
        Qcow2Header header = volume.header;
        Map<String, Object> data = new LinkedHashMap<>();
        boolean v3 = header.version == 3;
        data.put("compat", v3 ? "1.1" : "0.10");
        header.dataFileName().filter(_ -> header.dataFile()).ifPresent(name -> data.put("data-file", name));
        if (header.dataFile()) {
            data.put("data-file-raw", header.dataFileRaw());
        }
        data.put("compression-type", header.compressionType == 1 ? "zstd" : "zlib");
        if (v3) {
            data.put("lazy-refcounts", header.lazyRefcounts());
        }
        data.put("refcount-bits", volume.geometry.refcountBits());
        if (!bitmaps.isEmpty()) {
            data.put("bitmaps", bitmaps.stream().map(Qcow2Description::bitmap).toList());
        }
        if (header.cryptMethod == Qcow2Header.CRYPT_AES) {
            data.put("encrypt", Map.of("format", "aes"));
        } else if (header.cryptMethod == Qcow2Header.CRYPT_LUKS) {
            Map<String, Object> encrypt = new LinkedHashMap<>();
            encrypt.put("format", "luks");
            encrypt.putAll(LuksVolume.inspect(volume.file.name(), EncryptionHeader.of(header, volume.file))
                    .describe());
            data.put("encrypt", encrypt);
        }
        if (v3) {
            data.put("corrupt", header.has(Feature.CORRUPT));
            data.put("extended-l2", header.has(Feature.EXTENDED_L2));
        }
        return data;
    }

    private static Map<String, Object> bitmap(BitmapEntry entry) {
        List<String> flags = new ArrayList<>();
        if (entry.inUse()) {
            flags.add("in-use");
        }
        if (entry.auto()) {
            flags.add("auto");
        }
        Map<String, Object> shown = new LinkedHashMap<>();
        shown.put("flags", flags);
        shown.put("name", entry.name());
        shown.put("granularity", 1L << entry.granularityBits());
        return shown;
    }
}

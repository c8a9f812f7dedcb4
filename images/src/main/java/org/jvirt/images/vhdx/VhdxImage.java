package org.jvirt.images.vhdx;

import java.io.IOException;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import org.jvirt.images.blocks.BlockImage;
import org.jvirt.images.blocks.BlockStore;
import org.jvirt.images.file.ImageFile;
import org.jvirt.images.format.CheckReport;
import org.jvirt.images.format.ImageFormat;
import org.jvirt.images.format.ImageInfo;
import org.jvirt.images.format.Repair;

/// An open VHDX. Thread-safe.
final class VhdxImage extends BlockImage {
    private static final int MOST_MESSAGES = 100;

    private final VhdxHeaders headers;
    private final VhdxRegions regions;
    private final VhdxMetadata metadata;
    private final VhdxMap map;
    private final VhdxLog log;
    private final boolean replayed;

    /// @param replayed whether opening has brought the log into the file
    VhdxImage(
            ImageFile file,
            VhdxHeaders headers,
            VhdxRegions regions,
            VhdxMetadata metadata,
            VhdxMap map,
            VhdxLog log,
            boolean replayed) {
        super(
                file,
                new BlockStore(file, map, metadata.blockBytes(), metadata.diskBytes(), 0, null),
                metadata.blockBytes(),
                null);
        this.headers = headers;
        this.regions = regions;
        this.metadata = metadata;
        this.map = map;
        this.log = log;
        this.replayed = replayed;
    }

    @Override
    protected void begin() throws IOException {
        headers.change(headers.current().withNewWriteGuids());
        var _ = store().locked(() -> {
            map.placeEnd();
            return true;
        });
    }

    @Override
    protected void end() throws IOException {
        log.empty();
    }

    @Override
    public ImageFormat format() {
        return ImageFormat.VHDX;
    }

    @Override
    public ImageInfo info() throws IOException {
        return new ImageInfo(
                sizeBytes(),
                file().allocatedBytes(),
                OptionalLong.of(metadata.blockBytes()),
                false,
                false,
                false,
                Optional.empty(),
                Optional.empty(),
                List.of(),
                Map.of());
    }

    /// Every block must lie inside of the file, where nothing else does. Nothing of this can be mended; a log that
    /// was not empty has been when the image was opened.
    @Override
    public CheckReport check(Repair repair) throws IOException {
        flush();
        return store().locked(this::checkLocked);
    }

    private CheckReport checkLocked() throws IOException {
        List<String> messages = new ArrayList<>();
        if (replayed) {
            messages.add("Mended: the log has been replayed");
        }
        long size = file().sizeBytes();
        long unitsPerBlock = metadata.blockBytes() / VhdxRegions.UNIT_BYTES;
        BitSet used = new BitSet();
        long corruptions = 0;
        long allocated = 0;
        long fragmented = 0;
        long previous = -1;
        for (long block = 0; block < metadata.blocks(); block++) {
            long entry = map.entry(block);
            if (!VhdxMap.present(entry)) {
                continue;
            }
            long place = VhdxMap.place(entry);
            int unit = (int) Math.min(place >>> 20, Integer.MAX_VALUE - unitsPerBlock);
            if (place < 0
                    || place > size - metadata.blockBytes()
                    || !regions.mayHoldData(place, metadata.blockBytes())) {
                corruptions++;
                note(messages, "ERROR: block %d is said to be at %s".formatted(block, Long.toUnsignedString(place)));
                continue;
            }
            int taken = used.nextSetBit(unit);
            if (taken >= 0 && taken < unit + unitsPerBlock) {
                corruptions++;
                note(messages, "ERROR: block %d at %d overlaps another".formatted(block, place));
            }
            used.set(unit, unit + (int) unitsPerBlock);
            allocated++;
            if (previous >= 0 && place != previous + metadata.blockBytes()) {
                fragmented++;
            }
            previous = place;
        }
        return new CheckReport(
                0, corruptions, 0, 0, replayed ? 1 : 0, metadata.blocks(), allocated, fragmented, 0, size, messages);
    }

    private static void note(List<String> messages, String message) {
        if (messages.size() < MOST_MESSAGES) {
            messages.add(message);
        }
    }
}

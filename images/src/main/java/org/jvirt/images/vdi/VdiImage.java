package org.jvirt.images.vdi;

import java.io.IOException;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import org.jvirt.core.UserErrorException;
import org.jvirt.images.blocks.BlockImage;
import org.jvirt.images.blocks.BlockStore;
import org.jvirt.images.file.ImageFile;
import org.jvirt.images.format.CheckReport;
import org.jvirt.images.format.ImageFormat;
import org.jvirt.images.format.ImageInfo;
import org.jvirt.images.format.Repair;

/// An open VDI. Thread-safe.
final class VdiImage extends BlockImage {
    private static final int MOST_MESSAGES = 100;

    private final VdiHeader header;
    private final VdiMap map;

    VdiImage(ImageFile file, VdiHeader header, VdiMap map) {
        super(
                file,
                new BlockStore(file, map, header.blockBytes(), header.diskBytes(), 0, null),
                header.blockBytes(),
                null);
        this.header = header;
        this.map = map;
    }

    @Override
    protected void begin() throws IOException {
        var _ = store().locked(() -> {
            map.scan();
            return true;
        });
    }

    @Override
    public ImageFormat format() {
        return ImageFormat.VDI;
    }

    @Override
    public ImageInfo info() throws IOException {
        return new ImageInfo(
                sizeBytes(),
                file().allocatedBytes(),
                OptionalLong.of(header.blockBytes()),
                false,
                false,
                false,
                Optional.empty(),
                Optional.empty(),
                List.of(),
                Map.of());
    }

    /// Every entry must name a block of its own, and the header must count them. A wrong count is mended; that two
    /// blocks share their content cannot be.
    @Override
    public CheckReport check(Repair repair) throws IOException {
        if (repair != Repair.NONE && readOnly()) {
            throw new UserErrorException("Cannot mend %s: it was opened read-only".formatted(name()));
        }
        flush();
        return store().locked(() -> checkLocked(repair));
    }

    private CheckReport checkLocked(Repair repair) throws IOException {
        List<String> messages = new ArrayList<>();
        long corruptions = 0;
        long fragmented = 0;
        long previous = -1;
        BitSet used = new BitSet();
        long allocated = 0;
        for (long block = 0; block < header.blocks(); block++) {
            long entry = map.entry(block);
            if (!VdiMap.allocated(entry)) {
                continue;
            }
            allocated++;
            if (entry >= header.blocks()) {
                corruptions++;
                note(messages, "ERROR: block %d is said to be the %d. of %d".formatted(block, entry, header.blocks()));
                continue;
            }
            if (used.get((int) entry)) {
                corruptions++;
                note(messages, "ERROR: block %d shares its place %d with another".formatted(block, entry));
            }
            used.set((int) entry);
            if (previous >= 0 && entry != previous + 1) {
                fragmented++;
            }
            previous = entry;
        }
        // Others append behind that count: too small, it loses data; too large, space only.
        long counted = VdiHeader.read(file()).allocatedBlocks();
        boolean tooSmall = counted < used.length();
        boolean mend = counted != used.length() && repair != Repair.NONE && (repair == Repair.ALL || !tooSmall);
        long leaked = Math.max(0, (mend ? used.length() : counted) - used.cardinality());
        if (counted != allocated) {
            note(
                    messages,
                    "%s: the header counts %d blocks, there are %d"
                            .formatted(mend ? "Mended" : tooSmall ? "ERROR" : "LEAK", counted, allocated));
        }
        if (mend) {
            map.writeCount(used.length());
            file().flush();
        }
        return new CheckReport(
                leaked,
                corruptions + (tooSmall && !mend ? 1 : 0),
                0,
                mend && !tooSmall ? counted - used.length() : 0,
                mend && tooSmall ? 1 : 0,
                header.blocks(),
                allocated,
                fragmented,
                0,
                header.dataOffset() + used.length() * header.blockBytes(),
                messages);
    }

    private static void note(List<String> messages, String message) {
        if (messages.size() < MOST_MESSAGES) {
            messages.add(message);
        }
    }
}

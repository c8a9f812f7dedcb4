package org.jvirt.images.parallels;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
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

/// An open Parallels image. Thread-safe. From the first write until it is closed, its header says that it is in
/// use.
final class ParallelsImage extends BlockImage {
    private static final int MOST_MESSAGES = 100;

    private final ParallelsHeader header;
    private final ParallelsMap map;
    private volatile boolean unclean;

    ParallelsImage(ImageFile file, ParallelsHeader header, ParallelsMap map) {
        super(
                file,
                new BlockStore(file, map, header.clusterBytes(), header.diskBytes(), 0, null),
                header.clusterBytes(),
                null);
        this.header = header;
        this.map = map;
        unclean = header.inUse();
    }

    @Override
    protected void begin() throws IOException {
        if (unclean) {
            Findings findings = store().locked(() -> examine(false));
            if (findings.corruptions() > 0) {
                throw new UserErrorException(
                        "%s was not closed cleanly, and is broken: run check with repair first".formatted(name()));
            }
        }
        mark(ParallelsHeader.IN_USE);
        var _ = store().locked(() -> {
            map.placeEnd();
            return true;
        });
    }

    @Override
    protected void end() throws IOException {
        mark(ParallelsHeader.CLOSED);
    }

    private void mark(int state) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putInt(0, state);
        file().write(ParallelsHeader.IN_USE_OFFSET, MemorySegment.ofBuffer(bytes));
        file().flush();
    }

    @Override
    public ImageFormat format() {
        return ImageFormat.PARALLELS;
    }

    @Override
    public ImageInfo info() throws IOException {
        return new ImageInfo(
                sizeBytes(),
                file().allocatedBytes(),
                OptionalLong.of(header.clusterBytes()),
                unclean,
                false,
                false,
                Optional.empty(),
                Optional.empty(),
                List.of(),
                Map.of());
    }

    /// What an examination has found.
    ///
    /// @param lost how many clusters are said to lie outside of the file
    /// @param end  of what is in use
    private record Findings(long lost, long shared, long allocated, long fragmented, long end, List<String> messages) {
        long corruptions() {
            return lost + shared;
        }
    }

    /// @param forget whether clusters that lie outside of the file shall be forgotten
    private Findings examine(boolean forget) throws IOException {
        long size = file().sizeBytes();
        long lost = 0;
        List<String> messages = new ArrayList<>();
        BitSet places = new BitSet();
        long shared = 0;
        long allocated = 0;
        long fragmented = 0;
        long end = header.dataStart();
        long previous = -1;
        for (long cluster = 0; cluster < header.entries(); cluster++) {
            long entry = map.entry(cluster);
            if (entry == 0) {
                continue;
            }
            long place = entry * header.unitBytes();
            if (place < header.tableEnd() || place + header.clusterBytes() > size) {
                lost++;
                note(
                        messages,
                        "%s: cluster %d is said to be at %d, outside of the image"
                                .formatted(forget ? "Mended" : "ERROR", cluster, place));
                if (forget) {
                    map.forget(cluster);
                }
                continue;
            }
            // Clusters lie a whole number of clusters apart.
            int number = (int) Math.min(place / header.clusterBytes(), Integer.MAX_VALUE);
            if (places.get(number)) {
                shared++;
                note(messages, "ERROR: cluster %d shares its place %d with another".formatted(cluster, place));
            }
            places.set(number);
            allocated++;
            if (previous >= 0 && place != previous + header.clusterBytes()) {
                fragmented++;
            }
            previous = place;
            end = Math.max(end, place + header.clusterBytes());
        }
        return new Findings(lost, shared, allocated, fragmented, end, messages);
    }

    private static void note(List<String> messages, String message) {
        if (messages.size() < MOST_MESSAGES) {
            messages.add(message);
        }
    }

    /// Clusters outside of the file are forgotten when corruption is to be mended, and space behind the last one is
    /// given back. That two clusters share their content cannot be mended.
    @Override
    public CheckReport check(Repair repair) throws IOException {
        boolean mend = repair == Repair.ALL;
        if (repair != Repair.NONE && readOnly()) {
            throw new UserErrorException("Cannot mend %s: it was opened read-only".formatted(name()));
        }
        flush();
        Findings findings = store().locked(() -> examine(mend));
        List<String> messages = new ArrayList<>(findings.messages);
        long uncleanCount = unclean ? 1 : 0;
        if (unclean) {
            messages.add("%s: the image was not closed cleanly".formatted(mend ? "Mended" : "ERROR"));
        }
        if (mend && findings.corruptions() + uncleanCount > 0) {
            store().flush();
            if (findings.shared == 0) {
                mark(ParallelsHeader.CLOSED);
                unclean = false;
            }
        }
        long leaked = Math.ceilDiv(Math.max(0, file().sizeBytes() - findings.end), header.clusterBytes());
        boolean trim = leaked > 0 && repair != Repair.NONE && !header.hasExtension();
        if (trim) {
            var _ = store().locked(() -> {
                file().truncate(findings.end);
                map.placeEnd();
                return true;
            });
        }
        if (leaked > 0) {
            messages.add("%s: %d clusters are lost behind the last one".formatted(trim ? "Mended" : "LEAK", leaked));
        }
        long mended = mend ? findings.lost + (unclean ? 0 : uncleanCount) : 0;
        return new CheckReport(
                trim ? 0 : leaked,
                findings.corruptions() + uncleanCount - mended,
                0,
                trim ? leaked : 0,
                mended,
                header.entries(),
                findings.allocated,
                findings.fragmented,
                0,
                findings.end,
                messages);
    }
}

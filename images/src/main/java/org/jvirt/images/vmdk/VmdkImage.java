package org.jvirt.images.vmdk;

import java.io.EOFException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.jvirt.core.UserErrorException;
import org.jvirt.images.blocks.SegmentCursor;
import org.jvirt.images.file.ImageFile;
import org.jvirt.images.format.CheckReport;
import org.jvirt.images.format.DiskImage;
import org.jvirt.images.format.Extent;
import org.jvirt.images.format.ImageFormat;
import org.jvirt.images.format.ImageInfo;
import org.jvirt.images.format.Preallocation;
import org.jvirt.images.format.Repair;

/// An open VMDK. Thread-safe. The first write gives it a new CID, so that disks made on top of it before notice.
final class VmdkImage implements DiskImage {
    private final ImageFile file;
    private final VmdkDescriptor descriptor;
    private final long descriptorOffset;
    private final List<VmdkExtent> extents;
    private final long[] starts;
    private final long sizeBytes;
    private final @Nullable DiskImage below;
    private final AtomicBoolean closed = new AtomicBoolean();
    private final Object beginning = new Object();
    private volatile boolean begun;
    private volatile int cid;

    /// @param file             that holds the descriptor
    /// @param descriptorOffset where in it the descriptor begins
    VmdkImage(
            ImageFile file,
            VmdkDescriptor descriptor,
            long descriptorOffset,
            List<VmdkExtent> extents,
            @Nullable DiskImage below) {
        this.file = file;
        this.descriptor = descriptor;
        this.descriptorOffset = descriptorOffset;
        this.extents = List.copyOf(extents);
        this.below = below;
        cid = descriptor.cid();
        starts = new long[extents.size() + 1];
        for (int i = 0; i < extents.size(); i++) {
            starts[i + 1] = starts[i] + extents.get(i).lengthBytes();
        }
        sizeBytes = starts[extents.size()];
    }

    int cid() {
        return cid;
    }

    @Override
    public ImageFormat format() {
        return ImageFormat.VMDK;
    }

    @Override
    public String name() {
        return file.name();
    }

    @Override
    public long sizeBytes() {
        return sizeBytes;
    }

    @Override
    public boolean readOnly() {
        return file.readOnly();
    }

    @Override
    public Optional<DiskImage> backing() {
        return Optional.ofNullable(below);
    }

    @Override
    public long clusterBytes() {
        long grain = extents.isEmpty() ? 1 : extents.getFirst().grainBytes();
        return Long.bitCount(grain) == 1 ? grain : 1;
    }

    /// Does something with one extent's part of a request.
    private interface PartTask {
        void run(VmdkExtent extent, long offsetBytes, long lengthBytes) throws IOException;
    }

    private void forEachPart(long offsetBytes, long lengthBytes, String verb, PartTask task) throws IOException {
        if (offsetBytes < 0 || lengthBytes < 0 || lengthBytes > sizeBytes - offsetBytes) {
            throw new EOFException("Cannot %s %d bytes at %d of %s: it has %d bytes"
                    .formatted(verb, lengthBytes, offsetBytes, name(), sizeBytes));
        }
        long end = offsetBytes + lengthBytes;
        for (long at = offsetBytes; at < end; ) {
            int index = indexAt(at);
            long part = Math.min(end, starts[index + 1]) - at;
            task.run(extents.get(index), at - starts[index], part);
            at += part;
        }
    }

    private int indexAt(long offset) {
        int found = Arrays.binarySearch(starts, offset);
        return found >= 0 ? found : -found - 2;
    }

    @Override
    public void read(long offsetBytes, List<MemorySegment> into) throws IOException {
        var cursor = new SegmentCursor(into);
        forEachPart(
                offsetBytes, cursor.totalBytes(), "read", (extent, at, length) -> extent.read(at, cursor.take(length)));
    }

    @Override
    public void write(long offsetBytes, List<MemorySegment> from) throws IOException {
        begin();
        var cursor = new SegmentCursor(from);
        forEachPart(
                offsetBytes,
                cursor.totalBytes(),
                "write",
                (extent, at, length) -> extent.write(at, cursor.take(length)));
    }

    @Override
    public void writeZeroes(long offsetBytes, long lengthBytes, boolean mayUnmap) throws IOException {
        begin();
        forEachPart(
                offsetBytes, lengthBytes, "write", (extent, at, length) -> extent.writeZeroes(at, length, mayUnmap));
    }

    /// Keeps what is there: grains are not given back.
    @Override
    public void discard(long offsetBytes, long lengthBytes) throws IOException {
        forEachPart(offsetBytes, lengthBytes, "discard", (extent, at, length) -> {});
    }

    @Override
    public void writeCompressed(long offsetBytes, MemorySegment content) throws IOException {
        begin();
        int index = indexAt(Math.clamp(offsetBytes, 0, Math.max(0, sizeBytes - 1)));
        if (!(extents.get(index) instanceof CompressedExtent extent)) {
            throw new UserErrorException(
                    "Cannot compress into %s: only streamOptimized images are compressed".formatted(name()));
        }
        long at = offsetBytes - starts[index];
        if (at < 0 || at % extent.grainBytes() != 0 || content.byteSize() > extent.grainBytes()) {
            throw new IllegalArgumentException("No grain: %d bytes at %d".formatted(content.byteSize(), offsetBytes));
        }
        byte[] grain = new byte[(int) extent.grainBytes()];
        MemorySegment.copy(content, 0, MemorySegment.ofArray(grain), 0, content.byteSize());
        extent.writeGrain(at / extent.grainBytes(), grain);
    }

    private void begin() throws IOException {
        if (begun) {
            return;
        }
        if (readOnly()) {
            throw new IOException("Cannot write to %s: it was opened read-only".formatted(name()));
        }
        synchronized (beginning) {
            if (!begun) {
                for (VmdkExtent extent : extents) {
                    extent.begin();
                }
                writeNewCid();
                begun = true;
            }
        }
    }

    /// Eight digits in place of eight others.
    private void writeNewCid() throws IOException {
        int length = (int) Math.min(VmdkDescriptor.MOST_BYTES, file.sizeBytes() - descriptorOffset);
        byte[] bytes = new byte[Math.min(length, 64 << 10)];
        file.read(descriptorOffset, MemorySegment.ofArray(bytes));
        String text = new String(bytes, StandardCharsets.ISO_8859_1);
        int at = text.startsWith("CID=") ? 0 : text.indexOf("\nCID=") + 1;
        int digits = at + "CID=".length();
        int end = digits;
        while (end < text.length() && Character.digit(text.charAt(end), 16) >= 0) {
            end++;
        }
        int width = end - digits;
        if (text.startsWith("CID=", at) && width > 0 && width <= 8) {
            // As many digits as there are, so that nothing moves; never the value that means "no parent".
            int fresh = ThreadLocalRandom.current().nextInt(1, Integer.MAX_VALUE) >>> 4 * (8 - width);
            String hex = ("%0" + width + "x").formatted(fresh);
            file.write(descriptorOffset + digits, MemorySegment.ofArray(hex.getBytes(StandardCharsets.ISO_8859_1)));
            cid = fresh;
        }
    }

    @Override
    public void flush() throws IOException {
        if (!readOnly()) {
            for (VmdkExtent extent : extents) {
                extent.flush();
            }
            file.flush();
        }
    }

    @Override
    public Extent extent(long offsetBytes, long limitBytes) throws IOException {
        int index = indexAt(offsetBytes);
        VmdkExtent part = extents.get(index);
        Extent found = part.extent(offsetBytes - starts[index], Math.min(limitBytes, starts[index + 1] - offsetBytes));
        return new Extent(offsetBytes, found.lengthBytes(), found.state(), found.hostOffsetBytes(), found.compressed());
    }

    @Override
    public ImageInfo info() throws IOException {
        Map<String, Object> facts = new LinkedHashMap<>();
        facts.put("cid", Integer.toUnsignedLong(cid));
        facts.put("parent-cid", Integer.toUnsignedLong(descriptor.parentCid()));
        facts.put("create-type", descriptor.createType());
        List<Map<String, Object>> parts = new ArrayList<>();
        long allocated = 0;
        for (VmdkExtent extent : extents) {
            Map<String, Object> one = new LinkedHashMap<>();
            one.put("virtual-size", extent.lengthBytes());
            one.put("filename", extent.file().name());
            if (extent.grainBytes() > 1) {
                one.put("cluster-size", extent.grainBytes());
            }
            one.put("format", extent.type());
            if (extent instanceof CompressedExtent) {
                one.put("compressed", true);
            }
            parts.add(one);
        }
        facts.put("extents", parts);
        for (ImageFile each : files()) {
            allocated += each.allocatedBytes();
        }
        return new ImageInfo(
                sizeBytes,
                allocated,
                clusterBytes() > 1 ? OptionalLong.of(clusterBytes()) : OptionalLong.empty(),
                false,
                false,
                !extents.isEmpty() && extents.stream().allMatch(CompressedExtent.class::isInstance),
                descriptor.parent(),
                descriptor.parent().map(name -> ImageFormat.VMDK.formatName()),
                List.of(),
                facts);
    }

    private Set<ImageFile> files() {
        Set<ImageFile> files = new LinkedHashSet<>(List.of(file));
        extents.forEach(extent -> files.add(extent.file()));
        return files;
    }

    @Override
    public void resize(long newSizeBytes, Preallocation preallocation) {
        throw new UserErrorException(
                "Cannot resize %s: vmdk images keep their size; convert it to another format".formatted(name()));
    }

    /// Every grain must lie inside of its file, at a place of its own. Nothing of this can be mended.
    @Override
    public CheckReport check(Repair repair) throws IOException {
        flush();
        long grains = 0;
        long allocated = 0;
        long corruptions = 0;
        List<String> messages = new ArrayList<>();
        for (VmdkExtent extent : extents) {
            SparseMap.Findings findings = extent.examine();
            grains += findings.grains();
            allocated += findings.allocated();
            corruptions += findings.outside() + findings.shared();
            if (findings.outside() > 0) {
                messages.add("ERROR: %d grains lie behind the end of %s"
                        .formatted(findings.outside(), extent.file().name()));
            }
            if (findings.shared() > 0) {
                messages.add("ERROR: %d grains of %s share their place with others"
                        .formatted(findings.shared(), extent.file().name()));
            }
        }
        return new CheckReport(0, corruptions, 0, 0, 0, grains, allocated, 0, 0, file.sizeBytes(), messages);
    }

    @Override
    public void close() throws IOException {
        if (!closed.compareAndSet(false, true)) {
            return;
        }
        @Nullable Exception failure = null;
        List<AutoCloseable> all = new ArrayList<>();
        if (begun) {
            all.add(this::flush);
        }
        all.addAll(files());
        if (below != null) {
            all.add(below);
        }
        for (AutoCloseable each : all) {
            try {
                each.close();
            } catch (Exception e) {
                if (failure == null) {
                    failure = e;
                } else {
                    failure.addSuppressed(e);
                }
            }
        }
        switch (failure) {
            case null -> {}
            case IOException e -> throw e;
            case RuntimeException e -> throw e;
            default -> throw new IOException(failure);
        }
    }
}

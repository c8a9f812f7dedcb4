package org.jvirt.images.vmdk;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.zip.DataFormatException;
import java.util.zip.Deflater;
import java.util.zip.Inflater;
import org.jspecify.annotations.Nullable;
import org.jvirt.images.blocks.BlockMap;
import org.jvirt.images.blocks.SegmentCursor;
import org.jvirt.images.file.ImageFile;
import org.jvirt.images.format.DiskImage;
import org.jvirt.images.format.Extent;
import org.jvirt.images.format.Extent.State;

/// The part of a streamOptimized disk: grains deflated one by one, each behind a marker that says where it belongs.
/// Grains can be written once; writing again is refused, as in QEMU.
final class CompressedExtent implements VmdkExtent {
    private static final int MARKER_BYTES = 12;
    private static final int CACHED_GRAINS = 16;
    private static final long MOST_GRAINS_IN_RUN = 1 << 18;

    private final ImageFile file;
    private final SparseHeader header;
    private final long lengthBytes;
    private final long diskOffset;
    private final @Nullable DiskImage below;
    private final int grainBytes;

    private final Object lock = new Object();
    private final SparseMap map; // guarded by lock
    private final Set<Long> filling = new HashSet<>(); // guarded by lock
    private final Map<Long, byte[]> cache = new LinkedHashMap<>(CACHED_GRAINS, 0.75f, true); // guarded by lock
    private long end; // guarded by lock

    private final Object saving = new Object();
    /// Taken from the map, and not known to be durable: what a failure has left comes first the next time.
    private final Deque<BlockMap.Save> unsaved = new ArrayDeque<>(); // guarded by saving

    CompressedExtent(
            ImageFile file, SparseHeader header, long lengthBytes, long diskOffset, @Nullable DiskImage below) {
        this.file = file;
        this.header = header;
        this.lengthBytes = lengthBytes;
        this.diskOffset = diskOffset;
        this.below = below;
        grainBytes = (int) header.grainBytes();
        map = new SparseMap(file, header);
    }

    @Override
    public long lengthBytes() {
        return lengthBytes;
    }

    private long locate(long grain) throws IOException {
        synchronized (lock) {
            return map.locate(grain);
        }
    }

    @Override
    public void read(long offsetBytes, List<MemorySegment> into) throws IOException {
        var cursor = new SegmentCursor(into);
        for (long at = offsetBytes; cursor.remainingBytes() > 0; ) {
            long grain = at / grainBytes;
            int inGrain = (int) (at % grainBytes);
            int part = (int) Math.min(cursor.remainingBytes(), grainBytes - inGrain);
            long place = locate(grain);
            if (place >= 0) {
                byte[] content = grain(grain, place);
                int done = inGrain;
                for (MemorySegment segment : cursor.take(part)) {
                    MemorySegment.copy(MemorySegment.ofArray(content), done, segment, 0, segment.byteSize());
                    done += (int) segment.byteSize();
                }
            } else if (place == BlockMap.ABSENT && below != null && diskOffset + at < below.sizeBytes()) {
                long there = Math.min(part, below.sizeBytes() - diskOffset - at);
                below.read(diskOffset + at, cursor.take(there));
                cursor.fillZeroes(part - there);
            } else {
                cursor.fillZeroes(part);
            }
            at += part;
        }
    }

    private byte[] grain(long grain, long place) throws IOException {
        synchronized (lock) {
            byte[] cached = cache.get(grain);
            if (cached != null) {
                return cached;
            }
        }
        byte[] content = inflate(grain, place);
        synchronized (lock) {
            cache.put(grain, content);
            if (cache.size() > CACHED_GRAINS) {
                cache.remove(cache.keySet().iterator().next());
            }
        }
        return content;
    }

    private byte[] inflate(long grain, long place) throws IOException {
        long dataAt = place;
        int length = 2 * grainBytes;
        if (header.hasMarkers()) {
            ByteBuffer marker = ByteBuffer.allocate(MARKER_BYTES).order(ByteOrder.LITTLE_ENDIAN);
            file.read(place, MemorySegment.ofBuffer(marker));
            length = marker.getInt(8);
            if (length <= 0 || length > 2 * grainBytes || marker.getLong(0) != grain * header.grainSectors()) {
                throw broken(
                        grain,
                        "is marked as %s bytes of sector %s"
                                .formatted(Integer.toUnsignedString(length), Long.toUnsignedString(marker.getLong(0))));
            }
            dataAt += MARKER_BYTES;
        }
        byte[] packed = new byte[length];
        file.readPadded(dataAt, MemorySegment.ofArray(packed));
        byte[] content = new byte[grainBytes];
        int got = 0;
        try (Inflater inflater = new Inflater()) {
            inflater.setInput(packed);
            while (got < grainBytes && !inflater.finished()) {
                int more = inflater.inflate(content, got, grainBytes - got);
                if (more == 0) {
                    break;
                }
                got += more;
            }
        } catch (DataFormatException e) {
            throw broken(grain, "cannot be inflated: " + e.getMessage());
        }
        long wanted = Math.min(grainBytes, lengthBytes - grain * grainBytes);
        if (got < wanted) {
            throw broken(grain, "has %d bytes instead of %d".formatted(got, wanted));
        }
        return content;
    }

    private IOException broken(long grain, String what) {
        return new IOException("%s: the image is broken: grain %d %s".formatted(file.name(), grain, what));
    }

    @Override
    public void write(long offsetBytes, List<MemorySegment> from) throws IOException {
        var cursor = new SegmentCursor(from);
        for (long at = offsetBytes; cursor.remainingBytes() > 0; ) {
            long grain = at / grainBytes;
            int inGrain = (int) (at % grainBytes);
            int part = (int) Math.min(cursor.remainingBytes(), grainBytes - inGrain);
            byte[] content = new byte[grainBytes];
            if (part < grainBytes && below != null && locate(grain) == BlockMap.ABSENT) {
                int there = (int) Math.clamp(below.sizeBytes() - diskOffset - at + inGrain, 0, grainBytes);
                if (there > 0) {
                    below.read(
                            diskOffset + at - inGrain,
                            List.of(MemorySegment.ofArray(content).asSlice(0, there)));
                }
            }
            int done = inGrain;
            for (MemorySegment segment : cursor.take(part)) {
                MemorySegment.copy(segment, 0, MemorySegment.ofArray(content), done, segment.byteSize());
                done += (int) segment.byteSize();
            }
            writeGrain(grain, content);
            at += part;
        }
    }

    /// Deflates and appends; several threads do so side by side.
    void writeGrain(long grain, byte[] content) throws IOException {
        if (file.readOnly()) {
            throw new IOException("Cannot write to %s: it was opened read-only".formatted(file.name()));
        }
        synchronized (lock) {
            if (map.locate(grain) >= 0 || !filling.add(grain)) {
                throw new IOException(
                        "%s: grain %d is there already, and streamOptimized images are written once; convert it to write"
                                .formatted(file.name(), grain));
            }
        }
        boolean done = false;
        long place = 0;
        try {
            ByteBuffer packed = deflate(grain, content);
            synchronized (lock) {
                place = end;
                if (place / 512 >= 1L << 32) {
                    throw new IOException("%s is full: an extent cannot be larger than 2 TiB".formatted(file.name()));
                }
                end += packed.remaining();
            }
            file.write(place, MemorySegment.ofBuffer(packed));
            done = true;
        } finally {
            synchronized (lock) {
                filling.remove(grain);
                if (done) {
                    map.assign(grain, place);
                }
            }
        }
    }

    /// Marker and data, padded to whole sectors.
    private ByteBuffer deflate(long grain, byte[] content) {
        byte[] out = new byte[MARKER_BYTES + grainBytes + grainBytes / 100 + 1024];
        int length = MARKER_BYTES;
        try (Deflater deflater = new Deflater()) {
            deflater.setInput(content);
            deflater.finish();
            while (!deflater.finished()) {
                if (length == out.length) {
                    out = Arrays.copyOf(out, 2 * out.length);
                }
                length += deflater.deflate(out, length, out.length - length);
            }
        }
        int padded = Math.ceilDiv(length, 512) * 512;
        ByteBuffer packed = ByteBuffer.wrap(Arrays.copyOf(Arrays.copyOf(out, length), padded))
                .order(ByteOrder.LITTLE_ENDIAN);
        return packed.putLong(0, grain * header.grainSectors()).putInt(8, length - MARKER_BYTES);
    }

    @Override
    public void writeZeroes(long offsetBytes, long length, boolean mayUnmap) throws IOException {
        for (long done = 0; done < length; ) {
            long at = offsetBytes + done;
            long part = Math.min(length - done, grainBytes - at % grainBytes);
            long place = locate(at / grainBytes);
            if (place >= 0 || place == BlockMap.ABSENT && below != null) {
                write(at, List.of(MemorySegment.ofArray(new byte[(int) part])));
            }
            done += part;
        }
    }

    @Override
    public Extent extent(long offsetBytes, long limitBytes) throws IOException {
        long limit = Math.min(limitBytes, lengthBytes - offsetBytes);
        long grain = offsetBytes / grainBytes;
        State state = state(grain);
        long length = grainBytes - offsetBytes % grainBytes;
        long lastGrain = grain + MOST_GRAINS_IN_RUN;
        while (length < limit && grain < lastGrain && state(++grain) == state) {
            length += grainBytes;
        }
        Extent plain = Extent.of(offsetBytes, Math.min(length, limit), state);
        return state == State.DATA
                ? new Extent(plain.offsetBytes(), plain.lengthBytes(), state, plain.hostOffsetBytes(), true)
                : plain;
    }

    private State state(long grain) throws IOException {
        long place = locate(grain);
        if (place >= 0) {
            return State.DATA;
        }
        return place == BlockMap.ZERO ? State.ZERO : State.ABSENT;
    }

    @Override
    public void begin() throws IOException {
        synchronized (lock) {
            end = Math.max(Math.ceilDiv(file.sizeBytes(), 512L), header.overhead()) * 512;
        }
    }

    @Override
    public void flush() throws IOException {
        synchronized (saving) {
            BlockMap.Save changes;
            synchronized (lock) {
                changes = map.takeChanges();
            }
            if (!changes.equals(BlockMap.Save.NOTHING)) {
                unsaved.add(changes);
            }
            file.flush();
            for (BlockMap.Save next = unsaved.peek(); next != null; next = unsaved.peek()) {
                next.write();
                file.flush();
                synchronized (lock) {
                    next.done();
                }
                unsaved.remove();
            }
        }
    }

    @Override
    public SparseMap.Findings examine() throws IOException {
        synchronized (lock) {
            return map.examine(false);
        }
    }

    @Override
    public ImageFile file() {
        return file;
    }

    @Override
    public long grainBytes() {
        return grainBytes;
    }

    @Override
    public String type() {
        return "";
    }
}

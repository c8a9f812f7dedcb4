package org.jvirt.images.vdi;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import org.jvirt.core.UserErrorException;
import org.jvirt.images.blocks.HeaderReader;
import org.jvirt.images.blocks.Sizes;
import org.jvirt.images.file.ImageFile;
import org.jvirt.images.format.CreateOption;
import org.jvirt.images.format.CreateOption.Kind;
import org.jvirt.images.format.CreateRequest;
import org.jvirt.images.format.DiskImage;
import org.jvirt.images.format.FormatDriver;
import org.jvirt.images.format.ImageFormat;
import org.jvirt.images.format.OpenRequest;

/// Opens and creates VDI images.
public final class VdiDriver implements FormatDriver {
    private static final int TABLE_CHUNK_ENTRIES = 1 << 16;

    @Override
    public ImageFormat format() {
        return ImageFormat.VDI;
    }

    @Override
    public int probe(byte[] head, String fileName, long fileBytes) {
        return head.length >= VdiHeader.BYTES
                        && ByteBuffer.wrap(head).order(ByteOrder.LITTLE_ENDIAN).getInt(VdiHeader.SIGNATURE_OFFSET)
                                == VdiHeader.SIGNATURE
                ? 100
                : 0;
    }

    @Override
    public DiskImage open(ImageFile file, OpenRequest request) throws IOException {
        try {
            VdiHeader header = VdiHeader.read(file);
            return new VdiImage(file, header, new VdiMap(file, header));
        } catch (IOException | RuntimeException e) {
            HeaderReader.closeAfter(file, e);
            throw e;
        }
    }

    @Override
    public List<CreateOption> createOptions() {
        return List.of(new CreateOption("static", Kind.SWITCH, "VDI static (pre-allocated) image"));
    }

    @Override
    public void create(ImageFile file, CreateRequest request) throws IOException {
        VdiHeader header = plan(request.sizeBytes(), isStatic(request));
        if (header.blocks() > VdiHeader.MOST_BLOCKS) {
            throw new UserErrorException("Cannot make a VDI of %d bytes: %d is the most"
                    .formatted(request.sizeBytes(), VdiHeader.MOST_BLOCKS * VdiHeader.USUAL_BLOCK_BYTES));
        }
        file.write(0, MemorySegment.ofArray(header.encode()));
        for (long first = 0; first < header.blocks(); first += TABLE_CHUNK_ENTRIES) {
            int count = (int) Math.min(header.blocks() - first, TABLE_CHUNK_ENTRIES);
            ByteBuffer entries = ByteBuffer.allocate(count * 4).order(ByteOrder.LITTLE_ENDIAN);
            for (int i = 0; i < count; i++) {
                entries.putInt(i * 4, header.isStatic() ? (int) first + i : -1);
            }
            file.write(header.mapOffset() + first * 4, MemorySegment.ofBuffer(entries));
        }
        long end = header.dataOffset() + (header.isStatic() ? header.blocks() * header.blockBytes() : 0);
        file.truncate(end);
    }

    @Override
    public Measure measure(long virtualSizeBytes, long dataBytes, CreateRequest request) {
        VdiHeader header = plan(virtualSizeBytes, isStatic(request));
        long full = header.dataOffset() + header.blocks() * header.blockBytes();
        long dataBlocks = blocks(dataBytes);
        return new Measure(header.isStatic() ? full : header.dataOffset() + dataBlocks * header.blockBytes(), full);
    }

    private static VdiHeader plan(long sizeBytes, boolean isStatic) {
        long blocks = blocks(sizeBytes);
        long dataOffset = (VdiHeader.BYTES + blocks * 4 + 511) & -512L;
        return new VdiHeader(
                isStatic,
                VdiHeader.BYTES,
                dataOffset,
                sizeBytes,
                VdiHeader.USUAL_BLOCK_BYTES,
                blocks,
                isStatic ? blocks : 0);
    }

    private static long blocks(long bytes) {
        return Math.ceilDiv(bytes, VdiHeader.USUAL_BLOCK_BYTES);
    }

    private static boolean isStatic(CreateRequest request) {
        return Sizes.onOff(request.options(), "static", false);
    }
}

package org.jvirt.images.vhdx;

import static org.jvirt.images.blocks.HeaderReader.broken;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
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

/// Opens and creates VHDX images.
public final class VhdxDriver implements FormatDriver {
    private static final long MIB = 1 << 20;
    private static final long GIB = 1 << 30;
    private static final int TABLE_CHUNK_ENTRIES = 1 << 15;
    private static final long MOST_LOG_BYTES = 256 * MIB;

    @Override
    public ImageFormat format() {
        return ImageFormat.VHDX;
    }

    @Override
    public int probe(byte[] head, String fileName, long fileBytes) {
        byte[] signature = VhdxHeaders.FILE_SIGNATURE;
        boolean matches = head.length >= signature.length
                && Arrays.equals(head, 0, signature.length, signature, 0, signature.length);
        return matches ? 100 : 0;
    }

    @Override
    public DiskImage open(ImageFile file, OpenRequest request) throws IOException {
        try {
            VhdxHeaders headers = VhdxHeaders.read(file);
            var log = new VhdxLog(file, headers);
            boolean replay = !headers.current().logGuid().equals(Guid.NONE);
            if (replay) {
                if (request.readOnly()) {
                    throw new UserErrorException(
                            "%s was not closed cleanly: open it once for writing, or run check -r all, to replay its log"
                                    .formatted(file.name()));
                }
                VhdxReplay.run(file, headers.current());
                log.empty();
            }
            VhdxRegions regions = VhdxRegions.read(file, headers.current());
            VhdxMetadata metadata = VhdxMetadata.read(file, regions.metadata());
            if (metadata.entries() * 8 > regions.table().length()) {
                throw broken(
                        file,
                        "a table of %d bytes is too small for %d blocks"
                                .formatted(regions.table().length(), metadata.blocks()));
            }
            var map = new VhdxMap(file, regions, metadata, log);
            return new VhdxImage(file, headers, regions, metadata, map, log, replay);
        } catch (IOException | RuntimeException e) {
            HeaderReader.closeAfter(file, e);
            throw e;
        }
    }

    @Override
    public List<CreateOption> createOptions() {
        return List.of(
                new CreateOption(
                        "block_size",
                        Kind.SIZE,
                        "Block Size; min 1MB, max 256MB. 0 means auto-calculate based on image size."),
                new CreateOption(
                        "block_state_zero",
                        Kind.SWITCH,
                        "Force use of payload blocks of type 'ZERO'. Non-standard, but default.  Do not set to 'off'"
                                + " when using 'qemu-img convert' with subformat=dynamic."),
                new CreateOption("log_size", Kind.SIZE, "Log size; min 1MB."),
                new CreateOption(
                        "subformat",
                        Kind.TEXT,
                        "VHDX format type, can be either 'dynamic' or 'fixed'. Default is 'dynamic'."));
    }

    /// Where everything goes in a new image.
    private record Plan(VhdxMetadata metadata, VhdxRegions regions, long dataOffset) {
        long fullBytes() {
            return dataOffset + metadata.blocks() * metadata.blockBytes();
        }
    }

    private static Plan plan(long sizeBytes, CreateRequest request) {
        long size = (sizeBytes + 511) & -512L;
        if (size > VhdxMetadata.MOST_DISK_BYTES) {
            throw new UserErrorException("Cannot make a VHDX of %d bytes: 64 TiB is the most".formatted(sizeBytes));
        }
        long blockBytes = Sizes.option(request.options(), "block_size", 0);
        if (blockBytes == 0) {
            blockBytes = usualBlockBytes(size);
        }
        if (Long.bitCount(blockBytes) != 1
                || blockBytes < VhdxMetadata.LEAST_BLOCK_BYTES
                || blockBytes > VhdxMetadata.MOST_BLOCK_BYTES) {
            throw new UserErrorException("block_size must be a power of two from 1M to 256M, not " + blockBytes);
        }
        long logBytes = Sizes.option(request.options(), "log_size", MIB);
        if (logBytes < MIB || logBytes > MOST_LOG_BYTES) {
            throw new UserErrorException("log_size must be from 1M to 256M, not " + logBytes);
        }
        logBytes = roundUp(logBytes);
        var metadata = new VhdxMetadata(size, blockBytes, isFixed(request), 512, 512);
        long tableOffset = MIB + logBytes + MIB;
        long tableBytes = Math.max(MIB, roundUp(metadata.entries() * 8));
        var regions = new VhdxRegions(
                new VhdxRegions.Region(tableOffset, tableBytes),
                new VhdxRegions.Region(MIB + logBytes, MIB),
                new VhdxRegions.Region(MIB, logBytes));
        return new Plan(metadata, regions, tableOffset + tableBytes);
    }

    private static long roundUp(long bytes) {
        return (bytes + MIB - 1) & -MIB;
    }

    /// As QEMU chooses.
    private static long usualBlockBytes(long size) {
        if (size > 32L << 40) {
            return 64 * MIB;
        }
        if (size > 100 * GIB) {
            return 32 * MIB;
        }
        return size > GIB ? 16 * MIB : 8 * MIB;
    }

    private static boolean isFixed(CreateRequest request) {
        String subformat = request.options().getOrDefault("subformat", "dynamic");
        return switch (subformat) {
            case "fixed" -> true;
            case "dynamic" -> false;
            default ->
                throw new UserErrorException("subformat must be dynamic or fixed, not '%s'".formatted(subformat));
        };
    }

    @Override
    public void create(ImageFile file, CreateRequest request) throws IOException {
        boolean zeroed = Sizes.onOff(request.options(), "block_state_zero", true);
        Plan plan = plan(request.sizeBytes(), request);
        VhdxMetadata metadata = plan.metadata;
        file.truncate(metadata.leaveAllocated() ? plan.fullBytes() : plan.dataOffset);
        ByteBuffer start = ByteBuffer.allocate(520).order(ByteOrder.LITTLE_ENDIAN);
        start.put(0, VhdxHeaders.FILE_SIGNATURE).put(8, "jvirt".getBytes(StandardCharsets.UTF_16LE));
        file.write(0, MemorySegment.ofBuffer(start));
        VhdxRegions regions = plan.regions;
        var header = new VhdxHeader(
                0,
                Guid.random(),
                Guid.random(),
                Guid.NONE,
                regions.log().length(),
                regions.log().offset());
        for (int i = 0; i < VhdxHeaders.OFFSETS.length; i++) {
            file.write(
                    VhdxHeaders.OFFSETS[i],
                    MemorySegment.ofArray(header.withNumber(i + 1).encode()));
        }
        for (long offset : VhdxRegions.OFFSETS) {
            file.write(offset, MemorySegment.ofArray(regions.encode()));
        }
        file.write(regions.metadata().offset(), MemorySegment.ofArray(metadata.encode()));
        if (metadata.leaveAllocated() || zeroed) {
            writeTable(file, plan);
        }
    }

    private static void writeTable(ImageFile file, Plan plan) throws IOException {
        VhdxMetadata metadata = plan.metadata;
        long ratio = metadata.chunkRatio();
        for (long first = 0; first < metadata.entries(); first += TABLE_CHUNK_ENTRIES) {
            int count = (int) Math.min(metadata.entries() - first, TABLE_CHUNK_ENTRIES);
            ByteBuffer entries = ByteBuffer.allocate(count * 8).order(ByteOrder.LITTLE_ENDIAN);
            for (int i = 0; i < count; i++) {
                long index = first + i;
                long block = index - index / (ratio + 1);
                boolean bitmap = index % (ratio + 1) == ratio;
                long present = plan.dataOffset + block * metadata.blockBytes() | VhdxMap.FULLY_PRESENT;
                long payload = metadata.leaveAllocated() ? present : VhdxMap.ZEROED;
                entries.putLong(i * 8, bitmap ? VhdxMap.NOT_PRESENT : payload);
            }
            file.write(plan.regions.table().offset() + first * 8, MemorySegment.ofBuffer(entries));
        }
    }

    @Override
    public Measure measure(long virtualSizeBytes, long dataBytes, CreateRequest request) {
        Plan plan = plan(virtualSizeBytes, request);
        long blocks = Math.ceilDiv(dataBytes, plan.metadata.blockBytes());
        long dynamic = plan.dataOffset + blocks * plan.metadata.blockBytes();
        return new Measure(plan.metadata.leaveAllocated() ? plan.fullBytes() : dynamic, plan.fullBytes());
    }
}

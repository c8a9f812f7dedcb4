package org.jvirt.images.vhd;

import static org.jvirt.images.blocks.HeaderReader.broken;
import static org.jvirt.images.blocks.HeaderReader.unsupported;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.jvirt.core.UserErrorException;
import org.jvirt.images.blocks.BlockMap;
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

/// Opens and creates VHD images; see the package for what of them.
public final class VhdDriver implements FormatDriver {
    private static final int FIXED_BLOCK_BYTES = 1 << 20;
    private static final int TABLE_CHUNK_BYTES = 256 << 10;

    @Override
    public ImageFormat format() {
        return ImageFormat.VPC;
    }

    /// A fixed disk is not known by its start, which is its guest's to write: it must be named.
    @Override
    public int probe(byte[] head, String fileName, long fileBytes) {
        return VhdFooter.hasCookie(head) ? 100 : 0;
    }

    @Override
    public DiskImage open(ImageFile file, OpenRequest request) throws IOException {
        try {
            return openTaken(file, request);
        } catch (IOException | RuntimeException e) {
            HeaderReader.closeAfter(file, e);
            throw e;
        }
    }

    private static DiskImage openTaken(ImageFile file, OpenRequest request) throws IOException {
        long size = file.sizeBytes();
        if (size < VhdFooter.BYTES) {
            throw broken(file, "%d bytes are too few for a VHD".formatted(size));
        }
        // The end decides: the start of a fixed disk is its guest's, who could write there what looks like a footer.
        byte[] last = HeaderReader.readBytes(file, size - VhdFooter.BYTES, VhdFooter.BYTES);
        if (VhdFooter.matches(last)) {
            VhdFooter footer = VhdFooter.parse(file, last);
            if (footer.type() == VhdFooter.Type.FIXED) {
                if (footer.sectors() * 512 > size - VhdFooter.BYTES) {
                    throw broken(
                            file, "the file is too short for a disk of %d bytes".formatted(footer.sectors() * 512));
                }
                return new VhdImage(file, footer, null, BlockMap.flat(0, FIXED_BLOCK_BYTES), FIXED_BLOCK_BYTES, null);
            }
        }
        byte[] first = HeaderReader.readBytes(file, 0, VhdFooter.BYTES);
        if (!VhdFooter.matches(first)) {
            throw broken(file, "neither its start nor its end has a footer with a right checksum");
        }
        VhdFooter footer = VhdFooter.parse(file, first);
        DynamicHeader header = DynamicHeader.read(file, footer);
        return switch (footer.type()) {
            case FIXED -> throw broken(file, "a fixed disk without footer at its end; it has been truncated");
            case DYNAMIC ->
                new VhdImage(file, footer, header, new DynamicMap(file, first, header), header.blockBytes(), null);
            case DIFFERENCING -> {
                if (!request.readOnly()) {
                    throw unsupported(file, "writing to differencing disks; open it read-only, or convert it");
                }
                yield new VhdImage(
                        file, footer, header, new DifferencingMap(file, header), 512, parent(file, header, request));
            }
        };
    }

    private static @Nullable DiskImage parent(ImageFile file, DynamicHeader header, OpenRequest request)
            throws IOException {
        if (!request.withBacking()) {
            return null;
        }
        DiskImage parent =
                request.opener().openBacking(file, header.parent(), Optional.of(ImageFormat.VPC.formatName()));
        if (parent instanceof VhdImage vhd && vhd.footer().uuid().equals(header.parentUuid())) {
            return parent;
        }
        UserErrorException e = broken(file, "%s is not the parent it was made for".formatted(parent.name()));
        HeaderReader.closeAfter(parent, e);
        throw e;
    }

    @Override
    public List<CreateOption> createOptions() {
        return List.of(
                new CreateOption(
                        "force_size",
                        Kind.SWITCH,
                        "Force disk size calculation to use the actual size specified, rather than using the nearest"
                                + " CHS-based calculation"),
                new CreateOption(
                        "subformat",
                        Kind.TEXT,
                        "Type of virtual hard disk format. Supported formats are {dynamic (default) | fixed}"));
    }

    @Override
    public void create(ImageFile file, CreateRequest request) throws IOException {
        VhdFooter footer = plan(request, request.sizeBytes());
        if (footer.type() == VhdFooter.Type.FIXED) {
            file.truncate(footer.currentBytes());
            file.write(footer.currentBytes(), MemorySegment.ofArray(footer.encode()));
            return;
        }
        DynamicHeader header = DynamicHeader.plan(footer.currentBytes());
        MemorySegment encoded = MemorySegment.ofArray(footer.encode());
        file.write(0, encoded);
        file.write(footer.headerOffset(), MemorySegment.ofArray(header.encode()));
        byte[] unused = new byte[TABLE_CHUNK_BYTES];
        Arrays.fill(unused, (byte) -1);
        for (long at = header.tableOffset(); at < header.tableEnd(); at += TABLE_CHUNK_BYTES) {
            long part = Math.min(header.tableEnd() - at, TABLE_CHUNK_BYTES);
            file.write(at, MemorySegment.ofArray(unused).asSlice(0, part));
        }
        file.write(header.tableEnd(), encoded);
    }

    private static VhdFooter plan(CreateRequest request, long sizeBytes) {
        String subformat = request.options().getOrDefault("subformat", "dynamic");
        VhdFooter.Type type = switch (subformat) {
            case "dynamic" -> VhdFooter.Type.DYNAMIC;
            case "fixed" -> VhdFooter.Type.FIXED;
            default ->
                throw new UserErrorException("subformat must be dynamic or fixed, not '%s'".formatted(subformat));
        };
        VhdFooter footer = VhdFooter.plan(type, sizeBytes, Sizes.onOff(request.options(), "force_size", false));
        if (footer.sectors() > VhdFooter.MOST_SECTORS) {
            throw new UserErrorException("Cannot make a VHD of %d bytes: 2040 GiB is the most".formatted(sizeBytes));
        }
        return footer;
    }

    @Override
    public Measure measure(long virtualSizeBytes, long dataBytes, CreateRequest request) {
        VhdFooter footer = plan(request, virtualSizeBytes);
        if (footer.type() == VhdFooter.Type.FIXED) {
            long bytes = footer.currentBytes() + VhdFooter.BYTES;
            return new Measure(bytes, bytes);
        }
        DynamicHeader header = DynamicHeader.plan(footer.currentBytes());
        long tables = header.tableEnd() + VhdFooter.BYTES;
        long block = header.bitmapBytes() + header.blockBytes();
        return new Measure(
                tables + Math.ceilDiv(dataBytes, header.blockBytes()) * block, tables + header.entries() * block);
    }
}

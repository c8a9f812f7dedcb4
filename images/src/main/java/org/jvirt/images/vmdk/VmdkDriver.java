package org.jvirt.images.vmdk;

import static org.jvirt.images.blocks.HeaderReader.broken;
import static org.jvirt.images.blocks.HeaderReader.unsupported;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.jvirt.core.UserErrorException;
import org.jvirt.images.blocks.HeaderReader;
import org.jvirt.images.file.ImageFile;
import org.jvirt.images.format.CreateOption;
import org.jvirt.images.format.CreateRequest;
import org.jvirt.images.format.DiskImage;
import org.jvirt.images.format.FormatDriver;
import org.jvirt.images.format.ImageFormat;
import org.jvirt.images.format.OpenRequest;

/// Opens and creates VMDK images.
public final class VmdkDriver implements FormatDriver {
    @Override
    public ImageFormat format() {
        return ImageFormat.VMDK;
    }

    @Override
    public int probe(byte[] head, String fileName, long fileBytes) {
        if (head.length >= 4) {
            int magic = ByteBuffer.wrap(head).order(ByteOrder.LITTLE_ENDIAN).getInt(0);
            if (magic == SparseHeader.MAGIC || magic == SparseHeader.MAGIC_COWD) {
                return 100;
            }
        }
        return VmdkDescriptor.matches(new String(head, StandardCharsets.ISO_8859_1)) ? 100 : 0;
    }

    @Override
    public DiskImage open(ImageFile file, OpenRequest request) throws IOException {
        List<AutoCloseable> taken = new ArrayList<>(List.of(file));
        try {
            ByteBuffer start = HeaderReader.read(file, 0, 4, ByteOrder.LITTLE_ENDIAN);
            int magic = start.getInt(0);
            return magic == SparseHeader.MAGIC || magic == SparseHeader.MAGIC_COWD
                    ? openSparse(file, request, taken)
                    : openDescriptor(file, request, taken);
        } catch (IOException | RuntimeException e) {
            for (AutoCloseable each : taken.reversed()) {
                HeaderReader.closeAfter(each, e);
            }
            throw e;
        }
    }

    /// The descriptor is inside of the only extent.
    private static DiskImage openSparse(ImageFile file, OpenRequest request, List<AutoCloseable> taken)
            throws IOException {
        SparseHeader header = SparseHeader.read(file);
        checkWritable(file, header, request);
        long offset = header.descriptorSector() * 512;
        if (header.descriptorSector() < 1
                || header.descriptorSector() > SparseHeader.MOST_SECTORS
                || header.descriptorSectors() < 1
                || offset >= file.sizeBytes()) {
            throw broken(file, "it has no descriptor: open the file that has one");
        }
        long length = Math.min(header.descriptorSectors(), VmdkDescriptor.MOST_BYTES / 512) * 512;
        VmdkDescriptor descriptor = VmdkDescriptor.parse(file, text(file, offset, length));
        @Nullable DiskImage below = below(file, descriptor, request, taken);
        VmdkExtent extent = sparse(file, "", header, header.capacity() * 512, 0, below);
        return new VmdkImage(file, descriptor, offset, List.of(extent), below);
    }

    private static DiskImage openDescriptor(ImageFile file, OpenRequest request, List<AutoCloseable> taken)
            throws IOException {
        String text = text(file, 0, VmdkDescriptor.MOST_BYTES);
        if (!VmdkDescriptor.matches(text)) {
            throw broken(file, "it is no VMDK");
        }
        VmdkDescriptor descriptor = VmdkDescriptor.parse(file, text);
        if (descriptor.parts().isEmpty()) {
            throw broken(file, "its descriptor names no extents");
        }
        @Nullable DiskImage below = below(file, descriptor, request, taken);
        List<VmdkExtent> extents = new ArrayList<>();
        long at = 0;
        for (VmdkDescriptor.Part part : descriptor.parts()) {
            long length = part.sectors() * 512;
            if (length > Long.MAX_VALUE - at) {
                throw broken(file, "its extents are larger than any disk");
            }
            extents.add(open(file, part, at, below, request, taken));
            at += length;
        }
        return new VmdkImage(file, descriptor, 0, extents, below);
    }

    private static VmdkExtent open(
            ImageFile file,
            VmdkDescriptor.Part part,
            long at,
            @Nullable DiskImage below,
            OpenRequest request,
            List<AutoCloseable> taken)
            throws IOException {
        long length = part.sectors() * 512;
        if (part.type().equals("ZERO")) {
            return StoredExtent.zero(file, length);
        }
        ImageFile extentFile = request.opener().openFile(file, part.file(), request.readOnly() || !part.writable());
        taken.add(extentFile);
        if (!part.type().equals("SPARSE")) {
            return StoredExtent.flat(extentFile, part.type(), part.offset() * 512, length);
        }
        SparseHeader header = SparseHeader.read(extentFile);
        checkWritable(extentFile, header, request);
        if (header.capacity() < part.sectors()) {
            throw broken(
                    extentFile,
                    "it has %d sectors, where the descriptor says %d".formatted(header.capacity(), part.sectors()));
        }
        return sparse(extentFile, "SPARSE", header, length, at, below);
    }

    private static VmdkExtent sparse(
            ImageFile file, String type, SparseHeader header, long length, long at, @Nullable DiskImage below) {
        return header.compressed()
                ? new CompressedExtent(file, header, length, at, below)
                : StoredExtent.sparse(file, type, header, length, at, below);
    }

    /// Version 3 tracks changed blocks, which nobody but VMware keeps up to date; in streams it has no such
    /// meaning.
    private static void checkWritable(ImageFile file, SparseHeader header, OpenRequest request) {
        if (header.version() == 3 && !header.compressed() && !request.readOnly()) {
            throw unsupported(file, "writing to VMDK version 3; open it read-only");
        }
    }

    private static String text(ImageFile file, long offset, long length) throws IOException {
        byte[] bytes = HeaderReader.read(
                        file, offset, (int) Math.min(length, file.sizeBytes() - offset), ByteOrder.LITTLE_ENDIAN)
                .array();
        return new String(bytes, StandardCharsets.UTF_8);
    }

    private static @Nullable DiskImage below(
            ImageFile file, VmdkDescriptor descriptor, OpenRequest request, List<AutoCloseable> taken)
            throws IOException {
        if (descriptor.parent().isEmpty() || !request.withBacking()) {
            return null;
        }
        String name = descriptor.parent().get();
        DiskImage parent = request.opener().openBacking(file, name, Optional.of(ImageFormat.VMDK.formatName()));
        taken.add(parent);
        if (!(parent instanceof VmdkImage vmdk) || vmdk.cid() != descriptor.parentCid()) {
            throw new UserErrorException(
                    "%s: its parent %s has changed since it was made (the CIDs differ), or is another"
                            .formatted(file.name(), name));
        }
        return parent;
    }

    @Override
    public List<CreateOption> createOptions() {
        return VmdkPlan.OPTIONS;
    }

    @Override
    public void create(ImageFile file, CreateRequest request) throws IOException {
        VmdkPlan.of(request).write(file);
    }

    @Override
    public Measure measure(long virtualSizeBytes, long dataBytes, CreateRequest request) {
        return VmdkPlan.of(request).measure(virtualSizeBytes, dataBytes);
    }
}

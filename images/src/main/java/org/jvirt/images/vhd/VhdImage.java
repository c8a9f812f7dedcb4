package org.jvirt.images.vhd;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;
import org.jvirt.images.blocks.BlockImage;
import org.jvirt.images.blocks.BlockMap;
import org.jvirt.images.blocks.BlockStore;
import org.jvirt.images.file.ImageFile;
import org.jvirt.images.format.DiskImage;
import org.jvirt.images.format.ImageFormat;
import org.jvirt.images.format.ImageInfo;

/// An open VHD. Thread-safe.
final class VhdImage extends BlockImage {
    private final VhdFooter footer;
    private final @Nullable DynamicHeader header;
    private final BlockMap map;

    /// @param header     of a dynamic or differencing disk
    /// @param blockBytes how long the blocks of `map` are
    VhdImage(
            ImageFile file,
            VhdFooter footer,
            @Nullable DynamicHeader header,
            BlockMap map,
            long blockBytes,
            @Nullable DiskImage parent) {
        super(
                file,
                new BlockStore(file, map, blockBytes, footer.sectors() * 512, 0, parent),
                header == null ? 1 : header.blockBytes(),
                parent);
        this.footer = footer;
        this.header = header;
        this.map = map;
    }

    VhdFooter footer() {
        return footer;
    }

    @Override
    protected void begin() throws IOException {
        if (map instanceof DynamicMap dynamic) {
            var _ = store().locked(() -> {
                dynamic.scan();
                return true;
            });
        }
    }

    @Override
    public ImageFormat format() {
        return ImageFormat.VPC;
    }

    @Override
    public ImageInfo info() throws IOException {
        Optional<String> parent =
                Optional.ofNullable(header).map(DynamicHeader::parent).filter(name -> !name.isEmpty());
        return new ImageInfo(
                sizeBytes(),
                file().allocatedBytes(),
                header == null ? OptionalLong.empty() : OptionalLong.of(header.blockBytes()),
                false,
                false,
                false,
                parent,
                parent.map(name -> ImageFormat.VPC.formatName()),
                List.of(),
                Map.of());
    }
}

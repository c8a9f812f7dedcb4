package org.jvirt.images.parallels;

import static org.jvirt.images.blocks.HeaderReader.unsupported;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
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

/// Opens and creates Parallels images.
public final class ParallelsDriver implements FormatDriver {
    private static final long USUAL_CLUSTER_BYTES = 1 << 20;
    private static final long MOST_CLUSTER_BYTES = 1 << 30;

    @Override
    public ImageFormat format() {
        return ImageFormat.PARALLELS;
    }

    @Override
    public int probe(byte[] head, String fileName, long fileBytes) {
        return ParallelsHeader.matches(head) ? 100 : 0;
    }

    @Override
    public DiskImage open(ImageFile file, OpenRequest request) throws IOException {
        try {
            ParallelsHeader header = ParallelsHeader.read(file);
            if (header.hasExtension() && !request.readOnly()) {
                throw unsupported(file, "writing to an image with a format extension; open it read-only");
            }
            return new ParallelsImage(file, header, new ParallelsMap(file, header));
        } catch (IOException | RuntimeException e) {
            HeaderReader.closeAfter(file, e);
            throw e;
        }
    }

    @Override
    public List<CreateOption> createOptions() {
        return List.of(new CreateOption("cluster_size", Kind.SIZE, "Parallels image cluster size"));
    }

    @Override
    public void create(ImageFile file, CreateRequest request) throws IOException {
        ParallelsHeader header = plan(request.sizeBytes(), request);
        if (header.entries() > ParallelsHeader.MOST_ENTRIES) {
            throw new UserErrorException(
                    "Cannot make a Parallels image of %d bytes with clusters of %d: choose a larger cluster_size"
                            .formatted(request.sizeBytes(), header.clusterBytes()));
        }
        file.truncate(header.dataStart());
        file.write(0, MemorySegment.ofArray(header.encode()));
    }

    private static ParallelsHeader plan(long sizeBytes, CreateRequest request) {
        long clusterBytes = Sizes.option(request.options(), "cluster_size", USUAL_CLUSTER_BYTES);
        if (clusterBytes < 512 || clusterBytes % 512 != 0 || clusterBytes > MOST_CLUSTER_BYTES) {
            throw new UserErrorException("cluster_size must be a multiple of 512 up to 1 GiB, not " + clusterBytes);
        }
        return ParallelsHeader.plan(sizeBytes, clusterBytes);
    }

    @Override
    public Measure measure(long virtualSizeBytes, long dataBytes, CreateRequest request) {
        ParallelsHeader header = plan(virtualSizeBytes, request);
        long clusters = Math.ceilDiv(dataBytes, header.clusterBytes());
        return new Measure(
                header.dataStart() + clusters * header.clusterBytes(),
                header.dataStart() + header.entries() * header.clusterBytes());
    }
}

package org.jvirt.images.qcow2;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jvirt.images.file.ImageFile;
import org.jvirt.images.format.CreateOption;
import org.jvirt.images.format.CreateRequest;
import org.jvirt.images.format.DiskImage;
import org.jvirt.images.format.FormatDriver;
import org.jvirt.images.format.ImageFormat;
import org.jvirt.images.format.OpenRequest;
import org.jvirt.images.luks.LuksOptions;

/// The qcow2 format. Thread-safe, without state.
public final class Qcow2Driver implements FormatDriver {
    @Override
    public ImageFormat format() {
        return ImageFormat.QCOW2;
    }

    @Override
    public int probe(byte[] head, String fileName, long fileBytes) {
        boolean ours = head.length >= 8
                && head[0] == 'Q'
                && head[1] == 'F'
                && head[2] == 'I'
                && head[3] == (byte) 0xfb
                && head[4] == 0
                && head[5] == 0
                && head[6] == 0
                && head[7] >= 2;
        return ours ? 100 : 0;
    }

    @Override
    public DiskImage open(ImageFile file, OpenRequest request) throws IOException {
        return Qcow2Opener.open(file, request);
    }

    @Override
    public List<CreateOption> createOptions() {
        List<CreateOption> options = new ArrayList<>(List.of(
                new CreateOption("backing_file", CreateOption.Kind.TEXT, "File name of a base image"),
                new CreateOption("backing_fmt", CreateOption.Kind.TEXT, "Image format of the base image"),
                new CreateOption("cluster_size", CreateOption.Kind.SIZE, "Cluster size, 512 bytes to 2 MiB"),
                new CreateOption("compat", CreateOption.Kind.TEXT, "Version: v2 (0.10) or v3 (1.1)"),
                new CreateOption(
                        "compression_type", CreateOption.Kind.TEXT, "How clusters are compressed: zlib or zstd"),
                new CreateOption("data_file", CreateOption.Kind.TEXT, "File name of an external data file"),
                new CreateOption("data_file_raw", CreateOption.Kind.SWITCH, "Keep the data file valid as a raw image"),
                new CreateOption("encrypt.format", CreateOption.Kind.TEXT, "Encrypt the image: luks"),
                new CreateOption("extended_l2", CreateOption.Kind.SWITCH, "Divide clusters into 32 subclusters"),
                new CreateOption("lazy_refcounts", CreateOption.Kind.SWITCH, "Postpone refcount updates"),
                new CreateOption("preallocation", CreateOption.Kind.TEXT, "off, metadata, falloc or full"),
                new CreateOption(
                        "refcount_bits", CreateOption.Kind.NUMBER, "Width of a reference count: 1 to 64 bits")));
        options.addAll(LuksOptions.createOptions("encrypt."));
        return options;
    }

    @Override
    public void create(ImageFile file, CreateRequest request) throws IOException {
        Qcow2Creator.create(file, request);
    }

    @Override
    public Measure measure(long virtualSizeBytes, long dataBytes, CreateRequest request) {
        return Qcow2Measure.measure(virtualSizeBytes, dataBytes, CreateChoices.parse(request));
    }
}

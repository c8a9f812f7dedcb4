package org.jvirt.images.fuzz;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jvirt.core.UserErrorException;
import org.jvirt.images.DiskImages;
import org.jvirt.images.format.CreateRequest;
import org.jvirt.images.format.DiskImage;
import org.jvirt.images.format.Extent;
import org.jvirt.images.format.FormatDriver;
import org.jvirt.images.format.ImageFormat;
import org.jvirt.images.format.ImageInfo;
import org.jvirt.images.format.OpenRequest;
import org.jvirt.images.format.Repair;
import org.jvirt.images.testing.MemoryFile;
import org.jvirt.images.testing.MemoryOpener;

/// Opens, reads, maps, checks, mends and writes an image of one format.
public final class ImageTarget implements FuzzTarget {
    private static final long DISK_BYTES = 1 << 20;
    private static final Map<String, List<String>> OPTIONS = Map.of(
            "qcow2",
            List.of("cluster_size=512", "cluster_size=4096,compat=v2", "cluster_size=16384,extended_l2=on"),
            "vmdk",
            List.of("", "subformat=streamOptimized"),
            "vhdx",
            List.of("block_size=1M"),
            "luks",
            List.of("key-secret=first,iter-time=5"));

    private final FormatDriver driver;

    public ImageTarget(String format) {
        driver = DiskImages.driver(ImageFormat.named(format).orElseThrow());
    }

    @Override
    public String toString() {
        return driver.format().formatName();
    }

    @Override
    public List<byte[]> seeds() throws IOException {
        List<byte[]> seeds = new ArrayList<>();
        for (String options : OPTIONS.getOrDefault(toString(), List.of(""))) {
            Map<String, String> map = new HashMap<>();
            for (String option : options.isEmpty() ? new String[0] : options.split(",")) {
                map.put(option.split("=")[0], option.split("=")[1]);
            }
            var opener = new MemoryOpener(driver);
            var file = new MemoryFile("disk");
            opener.put("disk", file);
            driver.create(file, new CreateRequest(DISK_BYTES, map, opener));
            fill(file, opener);
            byte[] bytes = new byte[(int) Math.min(file.sizeBytes(), 8 << 20)];
            file.read(0, MemorySegment.ofArray(bytes));
            seeds.add(bytes);
        }
        return seeds;
    }

    private void fill(MemoryFile file, MemoryOpener opener) throws IOException {
        Map<String, String> key = driver.format() == ImageFormat.LUKS ? Map.of("key-secret", "first") : Map.of();
        try (DiskImage image = driver.open(file, new OpenRequest(false, true, false, key, opener))) {
            image.write(0, List.of(MemorySegment.ofArray(new byte[] {1, 2, 3})));
            image.write(300_000, List.of(MemorySegment.ofArray(new byte[] {4, 5, 6})));
            if (image.snapshots().isPresent()) {
                image.snapshots().get().create("before", java.time.Instant.EPOCH, 0, java.util.OptionalLong.empty(), 0);
                image.write(0, List.of(MemorySegment.ofArray(new byte[] {7})));
            }
            if (image.info().specific().containsValue("1.1")) {
                image.bitmaps().orElseThrow().add("bits", 0, true);
                image.write(70_000, List.of(MemorySegment.ofArray(new byte[] {8})));
            }
        }
    }

    @Override
    public void run(byte[] input) throws IOException {
        var opener = new MemoryOpener(driver);
        var file = new MemoryFile("disk");
        opener.put("disk", file);
        file.write(0, List.of(MemorySegment.ofArray(input)));
        // Without a key, which would cost each run its time, LUKS is only looked at.
        boolean write = driver.format() != ImageFormat.LUKS && input.length % 3 != 0;
        boolean repair = input.length % 5 == 0;
        try (DiskImage image = driver.open(file, new OpenRequest(!write, true, repair, Map.of(), opener))) {
            use(image, write, repair);
        }
    }

    private void use(DiskImage image, boolean write, boolean repair) throws IOException {
        ImageInfo info = image.info();
        long size = image.sizeBytes();
        long at = 0;
        for (int i = 0; i < 20 && at < size; i++) {
            Extent extent = image.extent(at, size - at);
            at = extent.end();
        }
        if (info.encrypted()) {
            return;
        }
        byte[] some = new byte[(int) Math.min(size, 5000)];
        image.read(0, List.of(MemorySegment.ofArray(some)));
        image.read(size - some.length, List.of(MemorySegment.ofArray(some)));
        if (image.bitmaps().isPresent()) {
            var _ = image.bitmaps().get().list();
        }
        for (ImageInfo.Snapshot snapshot : info.snapshots()) {
            if (snapshot.diskSizeBytes() >= 512) {
                image.snapshots().orElseThrow().read(snapshot.id(), 0, List.of(MemorySegment.ofArray(new byte[512])));
            }
        }
        if (write && some.length > 0) {
            image.write(size - some.length, List.of(MemorySegment.ofArray(some)));
            image.writeZeroes(0, some.length, true);
            image.discard(0, some.length);
            image.flush();
        }
        if (size < 1L << 32) {
            try {
                var _ = image.check(repair && write ? Repair.ALL : Repair.NONE);
            } catch (UserErrorException _) {
                // Some formats have nothing to check.
            }
        }
    }
}

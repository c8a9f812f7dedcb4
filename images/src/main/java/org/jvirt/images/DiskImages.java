package org.jvirt.images;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.jvirt.core.BlockBackend;
import org.jvirt.core.UserErrorException;
import org.jvirt.images.file.ImageFile;
import org.jvirt.images.format.DiskImage;
import org.jvirt.images.format.FormatDriver;
import org.jvirt.images.format.ImageFormat;
import org.jvirt.images.luks.LuksDriver;
import org.jvirt.images.overlay.SnapshotOverlay;
import org.jvirt.images.parallels.ParallelsDriver;
import org.jvirt.images.qcow2.Qcow2Driver;
import org.jvirt.images.raw.RawDriver;
import org.jvirt.images.vdi.VdiDriver;
import org.jvirt.images.vhd.VhdDriver;
import org.jvirt.images.vhdx.VhdxDriver;
import org.jvirt.images.vmdk.VmdkDriver;

/// The formats, and the short way to a machine's disk; [ImageAccess] is the long one. Thread-safe.
public final class DiskImages {
    private DiskImages() {}

    public static FormatDriver driver(ImageFormat format) {
        return switch (format) {
            case RAW -> new RawDriver();
            case QCOW2 -> new Qcow2Driver();
            case LUKS -> new LuksDriver();
            case VMDK -> new VmdkDriver();
            case VDI -> new VdiDriver();
            case VPC -> new VhdDriver();
            case VHDX -> new VhdxDriver();
            case PARALLELS -> new ParallelsDriver();
        };
    }

    public static List<FormatDriver> drivers() {
        return Arrays.stream(ImageFormat.values()).map(DiskImages::driver).toList();
    }

    /// The format that a file's first bytes are most like; [ImageFormat#RAW] where they are like none.
    ///
    /// What a guest has written to a raw disk may look like any format: who lets this decide must see to it that
    /// the disk stays what it is, as [ImageAccess] does.
    public static ImageFormat probe(ImageFile file) throws IOException {
        long size = file.sizeBytes();
        byte[] head = new byte[(int) Math.min(size, FormatDriver.PROBE_BYTES)];
        file.readPadded(0, MemorySegment.ofArray(head));
        return probe(head, file.name(), size);
    }

    static ImageFormat probe(byte[] head, String fileName, long fileBytes) {
        ImageFormat best = ImageFormat.RAW;
        int bestScore = 0;
        for (ImageFormat format : ImageFormat.values()) {
            int score = driver(format).probe(head, fileName, fileBytes);
            if (score > bestScore) {
                best = format;
                bestScore = score;
            }
        }
        return best;
    }

    /// Opens an image with all its layers and locks it: many may read, or one may write. The lock ends with
    /// [BlockBackend#close].
    ///
    /// @throws UserErrorException if there is no such file, it is no disk, it may not be opened, or somebody else
    /// uses
    ///     it
    public static DiskImage open(Path path, ImageFormat format, boolean readOnly) {
        return openDisk(new ImageAccess(), ImageReference.ofFile(path), Optional.of(format), readOnly);
    }

    /// As [#open] with keys, a cache mode and a reference of any form.
    ///
    /// @param format probed where it is empty, with the care that [#probe] asks for
    public static DiskImage openDisk(
            ImageAccess access, ImageReference reference, Optional<ImageFormat> format, boolean readOnly) {
        DiskImage image = access.open(reference, format, readOnly ? ImageOpening.reading() : ImageOpening.writing());
        if (image.sizeBytes() > 0) {
            return image;
        }
        var empty = new UserErrorException(
                "Cannot use %s as a disk: it is empty; give it a size first, as with jvirt img resize %s 1G"
                        .formatted(image.name(), image.name()));
        try {
            image.close();
        } catch (IOException e) {
            empty.addSuppressed(e);
        }
        throw empty;
    }

    /// Opens an image that stays as it is: everything written goes to memory, up to `limitBytes`, and is gone with
    /// [BlockBackend#close].
    public static BlockBackend openSnapshot(Path path, ImageFormat format, long limitBytes) {
        return new SnapshotOverlay(open(path, format, true), limitBytes);
    }
}

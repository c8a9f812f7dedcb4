package org.jvirt.images.nbd.server;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jvirt.core.BlockBackend;
import org.jvirt.core.UserErrorException;
import org.jvirt.images.format.DiskImage;
import org.jvirt.images.format.ImageBitmaps;
import org.jvirt.images.format.ImageFormat;
import org.jvirt.images.nbd.Nbd;

/// A disk under a name. Immutable; the disk stays the caller's.
///
/// @param name           what clients ask for; the empty name is what they get who ask for none
/// @param description    for a person, may be empty
/// @param readOnly       whether clients may only read, whatever the disk allows
/// @param discard        whether trimmed blocks are given back, or trimming does nothing
/// @param preferredBytes what requests should be multiples of
/// @param fastZeroes     whether zeroes always take less time than data
/// @param contexts       what may be asked of the blocks; the first one of `base:allocation` also tells reads where
///                       holes are
public record NbdExport(
        String name,
        String description,
        BlockBackend disk,
        boolean readOnly,
        boolean discard,
        int preferredBytes,
        boolean fastZeroes,
        List<MetaContext> contexts) {
    private static final int LEAST_PREFERRED_BYTES = 4096;
    private static final int MOST_PREFERRED_BYTES = 1 << 20;

    public NbdExport {
        contexts = List.copyOf(contexts);
        checkText("name", name);
        checkText("description", description);
        if (Integer.bitCount(preferredBytes) != 1) {
            throw new IllegalArgumentException("Preferred block size " + preferredBytes);
        }
    }

    private static void checkText(String what, String text) {
        int bytes = text.getBytes(StandardCharsets.UTF_8).length;
        if (bytes > Nbd.MAX_STRING_BYTES) {
            throw new UserErrorException("Cannot export a disk: its %s has %d bytes; at most %d can be told"
                    .formatted(what, bytes, Nbd.MAX_STRING_BYTES));
        }
    }

    /// An image, with all that its format knows of its blocks.
    ///
    /// @param bitmaps names of its dirty bitmaps to be shown
    /// @param depth   whether to show which layer of the chain has a block
    /// @throws UserErrorException if there is no such bitmap, or it is of no use
    public static NbdExport ofImage(
            String name, String description, DiskImage image, boolean discard, List<String> bitmaps, boolean depth) {
        List<MetaContext> contexts = new ArrayList<>();
        contexts.add(new AllocationContext(image));
        if (depth) {
            contexts.add(new DepthContext(image));
        }
        bitmaps.forEach(bitmap -> contexts.add(new BitmapContext(usable(image, bitmap), bitmap)));
        int preferred = Math.clamp(image.clusterBytes(), LEAST_PREFERRED_BYTES, MOST_PREFERRED_BYTES);
        boolean fastZeroes = image.format() == ImageFormat.QCOW2;
        return new NbdExport(name, description, image, image.readOnly(), discard, preferred, fastZeroes, contexts);
    }

    /// A disk of which nothing is known but its content.
    public static NbdExport ofDisk(String name, String description, BlockBackend disk, boolean readOnly) {
        return new NbdExport(name, description, disk, readOnly, true, LEAST_PREFERRED_BYTES, false, List.of());
    }

    private static ImageBitmaps usable(DiskImage image, String name) {
        DiskImage layer = image;
        while (true) {
            Optional<ImageBitmaps> bitmaps = layer.bitmaps();
            Optional<ImageBitmaps.Bitmap> found = bitmaps.stream()
                    .flatMap(each -> each.list().stream())
                    .filter(each -> each.name().equals(name))
                    .findFirst();
            if (found.isPresent() && found.get().inconsistent()) {
                throw new UserErrorException("Cannot export bitmap '%s' of %s: it has missed writes; remove it"
                        .formatted(name, layer.name()));
            }
            if (found.isPresent()) {
                return bitmaps.orElseThrow();
            }
            Optional<DiskImage> below = layer.backing();
            if (below.isEmpty()) {
                throw new UserErrorException(
                        "Cannot export bitmap '%s': neither %s nor a layer below has it; jvirt img info lists them"
                                .formatted(name, image.name()));
            }
            layer = below.get();
        }
    }

    Optional<MetaContext> allocation() {
        return contexts.stream()
                .filter(context -> context.name().equals(Nbd.BASE_ALLOCATION))
                .findFirst();
    }

    /// The flags that a client sees.
    int flags(boolean structured, boolean severalConnections) {
        int flags = Nbd.FLAG_HAS_FLAGS | Nbd.FLAG_SEND_FLUSH | Nbd.FLAG_SEND_FUA | Nbd.FLAG_SEND_CACHE;
        flags |= readOnly
                ? Nbd.FLAG_READ_ONLY
                : Nbd.FLAG_SEND_TRIM | Nbd.FLAG_SEND_WRITE_ZEROES | Nbd.FLAG_SEND_FAST_ZERO;
        flags |= structured ? Nbd.FLAG_SEND_DF : 0;
        // All connections use one disk: what one has written the others read, and a flush is for all.
        return flags | (severalConnections || readOnly ? Nbd.FLAG_CAN_MULTI_CONN : 0);
    }
}

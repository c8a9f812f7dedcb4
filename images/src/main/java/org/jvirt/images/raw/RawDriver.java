package org.jvirt.images.raw;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import org.jvirt.core.UserErrorException;
import org.jvirt.images.file.ImageFile;
import org.jvirt.images.format.CreateOption;
import org.jvirt.images.format.CreateRequest;
import org.jvirt.images.format.DiskImage;
import org.jvirt.images.format.FormatDriver;
import org.jvirt.images.format.ImageFormat;
import org.jvirt.images.format.OpenRequest;
import org.jvirt.images.format.Preallocation;

/// Raw images. Thread-safe, without state.
public final class RawDriver implements FormatDriver {
    private static final int FILL_BYTES = 4 << 20;

    @Override
    public ImageFormat format() {
        return ImageFormat.RAW;
    }

    /// Everything may be raw, but anything else is more likely.
    @Override
    public int probe(byte[] head, String fileName, long fileBytes) {
        return 1;
    }

    @Override
    public DiskImage open(ImageFile file, OpenRequest request) throws IOException {
        return open(file, Optional.empty());
    }

    /// Opens a file that nobody has called raw.
    ///
    /// @param otherFormat tells of the first bytes of a file whether they make it another format
    public DiskImage openProbed(ImageFile file, Predicate<byte[]> otherFormat) throws IOException {
        return open(file, Optional.of(otherFormat));
    }

    private static DiskImage open(ImageFile file, Optional<Predicate<byte[]>> otherFormat) throws IOException {
        try {
            return new RawImage(file, otherFormat);
        } catch (IOException e) {
            try {
                file.close();
            } catch (IOException alsoFailed) {
                e.addSuppressed(alsoFailed);
            }
            throw e;
        }
    }

    @Override
    public List<CreateOption> createOptions() {
        return List.of(new CreateOption(
                "preallocation", CreateOption.Kind.TEXT, "Preallocation mode (allowed values: off, falloc, full)"));
    }

    @Override
    public void create(ImageFile file, CreateRequest request) throws IOException {
        String mode = request.options().getOrDefault("preallocation", "off");
        Preallocation preallocation = switch (mode) {
            case "off" -> Preallocation.OFF;
            case "falloc" -> Preallocation.FALLOC;
            case "full" -> Preallocation.FULL;
            default ->
                throw new UserErrorException(
                        "Cannot create %s: preallocation=%s is not off, falloc or full".formatted(file.name(), mode));
        };
        file.truncate(request.sizeBytes());
        reserve(file, 0, request.sizeBytes(), preallocation);
    }

    /// Makes sure of space for the bytes from `start` up to `end`, all of them zeroes.
    static void reserve(ImageFile file, long start, long end, Preallocation preallocation) throws IOException {
        if (end <= start) {
            return;
        }
        switch (preallocation) {
            case OFF, METADATA -> {}
            case FALLOC -> file.allocate(start, end - start);
            case FULL -> {
                file.allocate(start, end - start);
                MemorySegment zeroes = Arena.ofAuto().allocate(FILL_BYTES);
                for (long at = start; at < end; at += FILL_BYTES) {
                    file.write(at, zeroes.asSlice(0, Math.min(FILL_BYTES, end - at)));
                }
                file.flush();
            }
        }
    }

    @Override
    public Measure measure(long virtualSizeBytes, long dataBytes, CreateRequest request) {
        return new Measure(virtualSizeBytes, virtualSizeBytes);
    }
}

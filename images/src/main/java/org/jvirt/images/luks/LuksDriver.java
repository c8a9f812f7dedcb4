package org.jvirt.images.luks;

import java.io.EOFException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.List;
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

/// Opens and creates LUKS volumes. The passphrase is the secret that `key-secret` names; read-only, a volume opens
/// without, and then tells about itself but not its content.
public final class LuksDriver implements FormatDriver {
    @Override
    public ImageFormat format() {
        return ImageFormat.LUKS;
    }

    @Override
    public int probe(byte[] head, String fileName, long fileBytes) {
        return LuksHeader.matches(head) && head.length > 7 && head[6] == 0 && head[7] == 1 ? 100 : 0;
    }

    @Override
    public DiskImage open(ImageFile file, OpenRequest request) throws IOException {
        try {
            LuksHeader header = LuksVolume.inspect(file.name(), area(file));
            if (header.payloadSector() == 0) {
                throw HeaderReader.unsupported(file, "this is a detached header, its content is in another file");
            }
            if (header.payloadOffset() > file.sizeBytes()) {
                throw HeaderReader.broken(file, "the file ends before its content at " + header.payloadOffset());
            }
            return new LuksImage(file, header, unlock(file, request));
        } catch (EOFException e) {
            HeaderReader.closeAfter(file, e);
            throw new UserErrorException("%s: the image is truncated: %s".formatted(file.name(), e.getMessage()), e);
        } catch (IOException | RuntimeException e) {
            HeaderReader.closeAfter(file, e);
            throw e;
        }
    }

    private static @Nullable LuksVolume unlock(ImageFile file, OpenRequest request) throws IOException {
        String secret = request.options().get("key-secret");
        if (secret != null) {
            return LuksVolume.open(file.name(), area(file), request.opener().secret(secret));
        }
        if (!request.readOnly()) {
            throw new UserErrorException("%s is encrypted: name its passphrase with key-secret".formatted(file.name()));
        }
        return null;
    }

    private static LuksVolume.Area area(ImageFile file) {
        return new LuksVolume.Area() {
            @Override
            public void read(long offsetBytes, MemorySegment into) throws IOException {
                file.read(offsetBytes, into);
            }

            @Override
            public void write(long offsetBytes, MemorySegment from) throws IOException {
                file.write(offsetBytes, from);
            }

            @Override
            public void flush() throws IOException {
                file.flush();
            }
        };
    }

    @Override
    public List<CreateOption> createOptions() {
        return LuksOptions.createOptions("");
    }

    @Override
    public void create(ImageFile file, CreateRequest request) throws IOException {
        LuksOptions options = LuksOptions.parse(request.options(), "");
        String secret = request.options().get("key-secret");
        if (secret == null) {
            throw new UserErrorException("A luks image needs a passphrase: name it with key-secret");
        }
        byte[] passphrase = request.opener().secret(secret);
        long size = (request.sizeBytes() + SectorCipher.SECTOR_BYTES - 1) & -SectorCipher.SECTOR_BYTES;
        file.truncate(options.headerBytes() + size);
        var _ = LuksVolume.create(file.name(), area(file), options, passphrase);
    }

    @Override
    public Measure measure(long virtualSizeBytes, long dataBytes, CreateRequest request) {
        long bytes = LuksOptions.parse(request.options(), "").headerBytes() + virtualSizeBytes;
        return new Measure(bytes, bytes);
    }
}

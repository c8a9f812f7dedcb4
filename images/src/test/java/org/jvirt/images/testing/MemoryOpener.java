package org.jvirt.images.testing;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.jvirt.core.UserErrorException;
import org.jvirt.images.file.ImageFile;
import org.jvirt.images.format.DiskImage;
import org.jvirt.images.format.FormatDriver;
import org.jvirt.images.format.ImageOpener;
import org.jvirt.images.format.OpenRequest;

/// Files in memory by name. A layer below is raw, or of the driver's format where the name of its format says so.
/// Every secret is its own name.
public final class MemoryOpener implements ImageOpener {
    private final Map<String, MemoryFile> files = new ConcurrentHashMap<>();
    private final FormatDriver driver;

    public MemoryOpener(FormatDriver driver) {
        this.driver = driver;
    }

    public void put(String name, MemoryFile file) {
        files.put(name, file);
    }

    public MemoryFile file(String name) {
        MemoryFile file = files.get(name);
        if (file == null) {
            throw new UserErrorException("There is no file " + name);
        }
        return file;
    }

    @Override
    public DiskImage openBacking(ImageFile from, String reference, Optional<String> format) throws IOException {
        MemoryFile file = file(reference).readOnlyCopy();
        return format.orElse("raw").equals("raw")
                ? new RawDisk(file)
                : driver.open(file, new OpenRequest(true, true, false, Map.of(), this));
    }

    @Override
    public ImageFile openFile(ImageFile from, String reference, boolean readOnly) {
        return file(reference);
    }

    @Override
    public ImageFile createFile(ImageFile from, String reference) {
        return files.computeIfAbsent(reference, MemoryFile::new);
    }

    @Override
    public byte[] secret(String id) {
        return id.getBytes(StandardCharsets.UTF_8);
    }
}

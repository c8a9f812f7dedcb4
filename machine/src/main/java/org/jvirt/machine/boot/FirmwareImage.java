package org.jvirt.machine.boot;

import java.nio.file.Path;
import java.util.Arrays;
import org.jvirt.core.GuestMemory;
import org.jvirt.core.UserErrorException;
import org.jvirt.core.cpu.Activity;
import org.jvirt.core.cpu.CpuState;
import org.jvirt.machine.layout.MemoryMap;

/// Firmware: it ends at 4 GiB as read-only memory, and its last 128 KiB also lie below 1 MiB, in RAM, where
/// firmware for PCs expects a copy of itself. The processor starts at its reset vector.
public final class FirmwareImage implements BootLoader {
    private static final long LIMIT_BYTES = 16L << 20;
    private static final int GRANULE_BYTES = 64 << 10;
    private static final int SHADOW_BYTES = 128 << 10;

    private final Path path;
    private final byte[] bytes;

    public FirmwareImage(Path path) {
        this.path = path;
        bytes = HostFile.of("firmware", path).content(LIMIT_BYTES);
        if (bytes.length == 0 || bytes.length % GRANULE_BYTES != 0) {
            throw new UserErrorException(
                    "The firmware '%s' has %d bytes; an image is made of whole 64 KiB".formatted(path, bytes.length));
        }
    }

    public int sizeBytes() {
        return bytes.length;
    }

    @Override
    public String description() {
        return "firmware '%s' (%s)".formatted(path, MemoryMap.size(bytes.length));
    }

    @Override
    public boolean firmware() {
        return true;
    }

    @Override
    public CpuState load(GuestMemory memory, int signature) {
        memory.load(MemoryMap.FOUR_GIB - bytes.length, bytes);
        int shadow = Math.min(bytes.length, SHADOW_BYTES);
        memory.write(MemoryMap.ONE_MIB - shadow, Arrays.copyOfRange(bytes, bytes.length - shadow, bytes.length));
        return CpuState.reset(Activity.RUNNING, signature);
    }
}

package org.jvirt.machine.boot;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import org.jvirt.core.UserErrorException;

/// A Linux kernel in the pieces in which firmware takes it through fw_cfg.
///
/// @param setup       the real-mode part of a bzImage
/// @param kernel      the rest
/// @param initrd      empty where there is none
/// @param commandLine ends in 0
public record OfferedKernel(byte[] setup, byte[] kernel, byte[] initrd, byte[] commandLine) {
    private static final long LIMIT_BYTES = 1L << 30;
    private static final int SETUP_SECTS = 0x1f1;
    private static final int SECTOR = 512;

    /// @throws UserErrorException if the kernel is no bzImage
    public static OfferedKernel of(Path kernel, Optional<Path> initrd, String commandLine) {
        HostFile file = HostFile.of("kernel", kernel);
        byte[] bytes = file.content(LIMIT_BYTES);
        var image = new Image(file);
        if (!BzImage.matches(image)) {
            throw new UserErrorException(
                    "'%s' is not a Linux bzImage, the only kind of kernel that firmware takes: leave out the firmware"
                            .formatted(kernel));
        }
        int sectors = image.u8(SETUP_SECTS);
        int setupBytes = ((sectors == 0 ? 4 : sectors) + 1) * SECTOR;
        image.check(0, setupBytes);
        byte[] line = commandLine.getBytes(StandardCharsets.UTF_8);
        return new OfferedKernel(
                Arrays.copyOf(bytes, setupBytes),
                Arrays.copyOfRange(bytes, setupBytes, bytes.length),
                initrd.map(path -> HostFile.of("initrd", path).content(LIMIT_BYTES))
                        .orElse(new byte[0]),
                Arrays.copyOf(line, line.length + 1));
    }
}

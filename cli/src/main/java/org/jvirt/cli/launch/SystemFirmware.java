package org.jvirt.cli.launch;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.jvirt.core.UserErrorException;

/// The PC firmware that distributions install, which starts the boot loader of a disk.
public final class SystemFirmware {
    private static final List<Path> PLACES = List.of(
            Path.of("/usr/share/seabios/bios-256k.bin"),
            Path.of("/usr/share/qemu/bios-256k.bin"),
            Path.of("/usr/share/seabios/bios.bin"));

    private SystemFirmware() {}

    /// SeaBIOS.
    ///
    /// @param image what is to be booted, for the message
    public static Path find(Path image) {
        return PLACES.stream()
                .filter(Files::isReadable)
                .findFirst()
                .orElseThrow(() -> new UserErrorException(
                        "Booting %s by its own boot loader takes SeaBIOS, which is not installed. Run: apt-get install seabios, or give --firmware FILE or --kernel FILE."
                                .formatted(image)));
    }
}

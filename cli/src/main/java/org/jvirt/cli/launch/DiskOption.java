package org.jvirt.cli.launch;

import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;
import org.jvirt.core.UserErrorException;

/// A virtio disk on a raw image.
///
/// @param serial what the guest reads as the disk's serial number
public record DiskOption(Path file, boolean readOnly, boolean snapshot, Optional<String> serial) {
    private static final String FORM =
            "Write --disk PATH, or file=PATH[,if=virtio][,format=raw][,readonly=on][,snapshot=on][,serial=TEXT].";

    /// Reads the value of `jvirt run --disk`.
    public static DiskOption parse(String text) {
        if (!text.contains("=")) {
            return new DiskOption(Path.of(text), false, false, Optional.empty());
        }
        var values = new KeyValues("--disk", "", text);
        var disk = new DiskOption(
                Path.of(values.takeRequired("file")),
                values.takeSwitch("readonly", false),
                values.takeSwitch("snapshot", false),
                values.take("serial"));
        require(values, "if", "virtio");
        require(values, "format", "raw");
        values.end(Set.of("file", "readonly", "snapshot", "serial", "if", "format"));
        return disk;
    }

    private static void require(KeyValues values, String key, String only) {
        String value = values.take(key).orElse(only);
        if (!value.equals(only)) {
            throw new UserErrorException(
                    "--disk: %s=%s is not supported, only %s=%s is. %s".formatted(key, value, key, only, FORM));
        }
    }
}

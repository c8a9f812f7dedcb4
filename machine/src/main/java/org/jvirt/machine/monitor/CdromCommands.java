package org.jvirt.machine.monitor;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jvirt.core.BlockBackend;
import org.jvirt.core.UserErrorException;
import org.jvirt.devices.storage.Tray;
import org.jvirt.images.DiskImages;
import org.jvirt.images.ImageAccess;
import org.jvirt.images.ImageReference;
import org.jvirt.images.format.ImageFormat;
import org.jvirt.machine.VirtualMachine;

/// The monitor's commands about CD-ROM drives. Not thread-safe.
final class CdromCommands {
    private static final String FORCE = "-f";

    private final VirtualMachine vm;

    CdromCommands(VirtualMachine vm) {
        this.vm = vm;
    }

    /// `info cdroms`
    String info() {
        var text = new StringBuilder();
        vm.cdroms()
                .forEach((name, tray) -> text.append("%s: %s%s%s\n"
                        .formatted(
                                name,
                                tray.mediumName().orElse("[not inserted]"),
                                tray.open() ? ", tray open" : "",
                                tray.locked() ? ", locked" : "")));
        return text.isEmpty() ? "There is no CD-ROM drive\n" : text.toString();
    }

    /// `eject [-f] DEVICE`
    String eject(List<String> arguments) {
        var words = new ArrayList<>(arguments);
        boolean force = words.remove(FORCE);
        if (words.size() != 1) {
            return "Error: give a drive; 'info cdroms' lists them\n";
        }
        tray(words.getFirst()).eject(force);
        return "";
    }

    /// `change [-f] DEVICE FILE [FORMAT]`
    String change(List<String> arguments) {
        var words = new ArrayList<>(arguments);
        boolean force = words.remove(FORCE);
        if (words.size() < 2 || words.size() > 3) {
            return "Error: give a drive and a file; 'info cdroms' lists the drives\n";
        }
        Tray tray = tray(words.getFirst());
        Optional<ImageFormat> format =
                words.size() == 3 ? Optional.of(format(words.get(2))) : Optional.<ImageFormat>empty();
        BlockBackend medium =
                DiskImages.openDisk(new ImageAccess(), ImageReference.ofFile(Path.of(words.get(1))), format, true);
        try {
            tray.insert(medium, force);
        } catch (UserErrorException refused) {
            close(medium);
            throw refused;
        }
        return "";
    }

    private static ImageFormat format(String name) {
        return ImageFormat.named(name)
                .orElseThrow(() -> new UserErrorException("There is no format %s; these are: %s"
                        .formatted(name, String.join(", ", ImageFormat.names()))));
    }

    private static void close(BlockBackend medium) {
        try {
            medium.close();
        } catch (IOException e) {
            throw new UserErrorException("Cannot close %s: %s".formatted(medium.name(), e.getMessage()), e);
        }
    }

    private Tray tray(String name) {
        Tray tray = vm.cdroms().get(name);
        if (tray == null) {
            throw new UserErrorException("There is no CD-ROM drive %s; these are: %s"
                    .formatted(name, String.join(", ", vm.cdroms().keySet())));
        }
        return tray;
    }
}

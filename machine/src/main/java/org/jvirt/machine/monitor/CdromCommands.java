package org.jvirt.machine.monitor;

import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jvirt.core.BlockBackend;
import org.jvirt.core.UserErrorException;
import org.jvirt.images.DiskImages;
import org.jvirt.images.ImageReference;
import org.jvirt.images.format.ImageFormat;
import org.jvirt.machine.DiscDrive;
import org.jvirt.machine.VirtualMachine;

/// The monitor's commands about CD-ROM drives. Not thread-safe.
final class CdromCommands {
    private static final String FORCE = "-f";
    private static final List<String> KEYS = List.of("key-secret", "encrypt.key-secret");

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
        drive(words.getFirst()).tray().eject(force);
        return "";
    }

    /// `change [-f] DEVICE FILE [FORMAT] [key-secret=ID] [encrypt.key-secret=ID]`; FILE may be the URI of a served
    /// disk.
    String change(List<String> arguments) {
        var words = new ArrayList<>(arguments);
        boolean force = words.remove(FORCE);
        Map<String, String> keys = takeKeys(words);
        if (words.size() < 2 || words.size() > 3) {
            return "Error: give a drive and a file; 'info cdroms' lists the drives\n";
        }
        DiscDrive drive = drive(words.getFirst());
        Optional<ImageFormat> format =
                words.size() == 3 ? Optional.of(format(words.get(2))) : Optional.<ImageFormat>empty();
        ImageReference named = ImageReference.of(words.get(1));
        keys.putAll(named.options());
        BlockBackend medium =
                DiskImages.openDisk(drive.settings().access(), new ImageReference(named.text(), keys), format, true);
        try {
            drive.tray().insert(medium, force);
        } catch (UserErrorException refused) {
            close(medium);
            throw refused;
        }
        return "";
    }

    /// The words that name keys, which are taken out.
    private static Map<String, String> takeKeys(List<String> words) {
        var keys = new LinkedHashMap<String, String>();
        for (String key : KEYS) {
            String start = key + "=";
            words.stream()
                    .filter(word -> word.startsWith(start))
                    .findFirst()
                    .ifPresent(word -> keys.put(key, word.substring(start.length())));
            words.removeIf(word -> word.startsWith(start));
        }
        return keys;
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

    private DiscDrive drive(String name) {
        return vm.discDrives().stream()
                .filter(drive -> drive.id().equals(name))
                .findFirst()
                .orElseThrow(() -> new UserErrorException("There is no CD-ROM drive %s; these are: %s"
                        .formatted(name, String.join(", ", vm.cdroms().keySet()))));
    }
}

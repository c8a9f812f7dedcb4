package org.jvirt.cli.qemu;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import org.jvirt.cli.launch.DiskOption;
import org.jvirt.cli.launch.DriveOption;
import org.jvirt.cli.launch.KeyValues;
import org.jvirt.cli.launch.LiveOptions;
import org.jvirt.cli.launch.Suggestion;
import org.jvirt.core.UserErrorException;
import org.jvirt.images.ImageReference;
import org.jvirt.images.file.CacheMode;
import org.jvirt.images.format.ImageFormat;
import org.jvirt.images.live.LiveSettings;
import org.jvirt.machine.DriveBus;
import org.jvirt.machine.DriveShape;

/// The `-drive` and `-blockdev` options seen so far, by id, until a device takes them. Not thread-safe.
final class Drives {
    private static final Set<String> NO_CONSEQUENCE = Set.of("aio", "discard", "detect-zeroes", "auto-read-only");

    private static final List<String> KINDS = List.of("ide", "virtio", "scsi", "none");

    private static final List<String> NBD_KEYS = List.of(
            "server.type",
            "server.host",
            "server.port",
            "server.path",
            "export",
            "tls-creds",
            "tls-hostname",
            "reconnect-delay",
            "open-timeout");

    private final Map<String, Medium> waiting = new LinkedHashMap<>();
    private final Map<String, ImageReference> files = new HashMap<>();

    /// What a device finds in its drive.
    ///
    /// @param id    the drive's
    /// @param image empty for a CD-ROM drive without a disc
    record Medium(String id, Optional<DiskOption> image, boolean cdrom) {}

    /// @return the drive, where the option makes a device as well (all but `if=none`)
    Optional<DriveOption> drive(String text) {
        var values = new KeyValues("-drive", "", text);
        boolean cdrom = cdrom(values);
        Optional<String> file = cdrom ? values.take("file") : Optional.of(values.takeRequired("file"));
        Optional<ImageReference> place = file.map(name -> DiskOption.withKeys(ImageReference.of(name), values));
        Optional<String> id = values.take("id");
        String kind = values.take("if").orElse("ide");
        int index = values.takeNumber("index", values.takeNumber("unit", -1));
        Optional<ImageFormat> format = values.take("format").map(name -> DiskOption.format("-drive", name));
        CacheMode cache = values.take("cache")
                .map(name -> DiskOption.cache("-drive", name))
                .orElse(CacheMode.WRITEBACK);
        boolean readOnly = values.takeSwitch("readonly", false) || values.takeSwitch("read-only", false) || cdrom;
        boolean snapshot = values.takeSwitch("snapshot", false) && !cdrom;
        Optional<String> serial = values.take("serial");
        LiveSettings live = live(values, id);
        values.ignore(NO_CONSEQUENCE);
        values.end(Set.of(
                "file",
                "format",
                "cache",
                "id",
                "if",
                "readonly",
                "snapshot",
                "serial",
                "media",
                "index",
                "unit",
                "rerror",
                "werror",
                "bps",
                "iops"));
        Optional<DiskOption> image =
                place.map(where -> new DiskOption(where, format, cache, readOnly, snapshot, serial, live));
        if (kind.equals("none")) {
            String name =
                    id.orElseThrow(() -> new UserErrorException("-drive: if=none needs id=… for a device to name."));
            waiting.put(name, new Medium(name, image, cdrom));
            return Optional.empty();
        }
        DriveBus bus = switch (kind) {
            case "ide" -> DriveBus.SATA;
            case "virtio" -> DriveBus.VIRTIO;
            case "scsi" -> DriveBus.SCSI;
            default ->
                throw new UserErrorException("-drive: if=%s is not supported. The nearest that is: %s."
                        .formatted(kind, Suggestion.nearest(kind, KINDS)));
        };
        DriveShape shape = DriveShape.on(bus);
        if (index >= 0 && bus != DriveBus.VIRTIO) {
            shape = shape.withUnit(OptionalInt.of(index), 0);
        }
        return Optional.of(new DriveOption(id.orElse(""), image, cdrom, shape));
    }

    private static boolean cdrom(KeyValues values) {
        String media = values.take("media").orElse("disk");
        if (!media.equals("disk") && !media.equals("cdrom")) {
            throw new UserErrorException(
                    "-drive: media=%s is not supported. Those that are: disk, cdrom.".formatted(media));
        }
        return media.equals("cdrom");
    }

    /// `-hda` to `-hdd`, and `-cdrom`.
    static DriveOption atPort(int port, String file, boolean cdrom) {
        DiskOption named = DiskOption.named(file);
        DiskOption image = cdrom ? DriveOption.disc(named) : named;
        DriveShape shape = DriveShape.on(DriveBus.SATA).withUnit(OptionalInt.of(port), 0);
        return new DriveOption("", Optional.of(image), cdrom, shape);
    }

    void blockdev(String text) {
        if (text.startsWith("{")) {
            throw new UserErrorException(
                    "-blockdev: JSON is not supported. Use driver=raw,node-name=…,file.filename=….");
        }
        var values = new KeyValues("-blockdev", "driver", text);
        String driver = values.takeRequired("driver");
        String node = values.takeRequired("node-name");
        boolean readOnly = values.takeSwitch("read-only", false);
        if (driver.equals("file")) {
            files.put(node, ImageReference.ofFile(Path.of(values.takeRequired("filename"))));
        } else if (driver.equals("nbd")) {
            var served = new LinkedHashMap<>(Map.of("file.driver", "nbd"));
            for (String key : NBD_KEYS) {
                values.take(key).ifPresent(value -> served.put("file." + key, value));
            }
            files.put(node, new ImageReference(node, served));
        } else {
            ImageFormat format = DiskOption.format("-blockdev", driver);
            values.ignore(Set.of("file.driver"));
            ImageReference below = values.take("file")
                    .map(name -> Optional.ofNullable(files.get(name))
                            .orElseThrow(() -> new UserErrorException("-blockdev: there is no node " + name + ".")))
                    .orElseGet(() -> ImageReference.ofFile(Path.of(values.takeRequired("file.filename"))));
            var image = new DiskOption(
                    DiskOption.withKeys(below, values),
                    Optional.of(format),
                    cacheOf(values),
                    readOnly,
                    false,
                    Optional.empty(),
                    LiveSettings.DEFAULT.withId(node));
            waiting.put(node, new Medium(node, Optional.of(image), false));
        }
        values.ignore(NO_CONSEQUENCE);
        values.ignore(Set.of("cache.direct", "cache.no-flush", "locking"));
        values.end(Set.of("driver", "node-name", "file", "file.filename", "file.driver", "filename", "read-only"));
    }

    Medium take(String option, String id) {
        Medium medium = waiting.remove(id);
        if (medium == null && files.containsKey(id)) {
            var image = new DiskOption(
                    files.remove(id),
                    Optional.of(ImageFormat.RAW),
                    CacheMode.WRITEBACK,
                    false,
                    false,
                    Optional.empty(),
                    LiveSettings.DEFAULT.withId(id));
            medium = new Medium(id, Optional.of(image), false);
        }
        if (medium == null) {
            throw new UserErrorException("%s: there is no -drive or -blockdev named %s.".formatted(option, id));
        }
        return medium;
    }

    private static LiveSettings live(KeyValues values, Optional<String> id) {
        LiveSettings settings = LiveOptions.take("-drive", values);
        return id.map(settings::withId).orElse(settings);
    }

    private static CacheMode cacheOf(KeyValues values) {
        boolean direct = values.takeSwitch("cache.direct", false);
        boolean unsafe = values.takeSwitch("cache.no-flush", false);
        if (unsafe) {
            return CacheMode.UNSAFE;
        }
        return direct ? CacheMode.NONE : CacheMode.WRITEBACK;
    }
}

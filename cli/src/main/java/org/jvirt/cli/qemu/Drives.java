package org.jvirt.cli.qemu;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jvirt.cli.launch.DiskOption;
import org.jvirt.cli.launch.KeyValues;
import org.jvirt.cli.launch.LiveOptions;
import org.jvirt.core.UserErrorException;
import org.jvirt.images.file.CacheMode;
import org.jvirt.images.format.ImageFormat;
import org.jvirt.images.live.LiveSettings;

/// The `-drive` and `-blockdev` options seen so far, by id, until a device takes them. Not thread-safe.
final class Drives {
    private static final Set<String> NO_CONSEQUENCE =
            Set.of("aio", "discard", "detect-zeroes", "media", "index", "auto-read-only");

    private final Map<String, DiskOption> waiting = new LinkedHashMap<>();
    private final Map<String, Path> files = new HashMap<>();

    /// @return the disk, where the option makes a device as well (`if=virtio`)
    Optional<DiskOption> drive(String text) {
        var values = new KeyValues("-drive", "", text);
        Path file = Path.of(values.takeRequired("file"));
        Optional<String> id = values.take("id");
        String kind = values.take("if").orElse("virtio");
        var disk = new DiskOption(
                file,
                values.take("format").map(name -> DiskOption.format("-drive", name)),
                values.take("cache")
                        .map(name -> DiskOption.cache("-drive", name))
                        .orElse(CacheMode.WRITEBACK),
                values.takeSwitch("readonly", false) || values.takeSwitch("read-only", false),
                values.takeSwitch("snapshot", false),
                values.take("serial"),
                live(values, id));
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
                "rerror",
                "werror",
                "bps",
                "iops"));
        switch (kind) {
            case "virtio" -> {
                return Optional.of(disk);
            }
            case "none" -> {
                waiting.put(
                        id.orElseThrow(
                                () -> new UserErrorException("-drive: if=none needs id=… for a device to name.")),
                        disk);
                return Optional.empty();
            }
            default ->
                throw new UserErrorException(
                        "-drive: if=%s is not supported. The nearest that is: virtio.".formatted(kind));
        }
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
            files.put(node, Path.of(values.takeRequired("filename")));
        } else {
            ImageFormat format = DiskOption.format("-blockdev", driver);
            values.ignore(Set.of("file.driver"));
            Path file = values.take("file")
                    .map(name -> Optional.ofNullable(files.get(name))
                            .orElseThrow(() -> new UserErrorException("-blockdev: there is no node " + name + ".")))
                    .orElseGet(() -> Path.of(values.takeRequired("file.filename")));
            waiting.put(
                    node,
                    new DiskOption(
                            file,
                            Optional.of(format),
                            cacheOf(values),
                            readOnly,
                            false,
                            Optional.empty(),
                            LiveSettings.DEFAULT.withId(node)));
        }
        values.ignore(NO_CONSEQUENCE);
        values.ignore(Set.of("cache.direct", "cache.no-flush", "locking"));
        values.end(Set.of("driver", "node-name", "file", "file.filename", "file.driver", "filename", "read-only"));
    }

    DiskOption take(String option, String id) {
        DiskOption disk = waiting.remove(id);
        if (disk == null && files.containsKey(id)) {
            disk = new DiskOption(
                    files.remove(id),
                    Optional.of(ImageFormat.RAW),
                    CacheMode.WRITEBACK,
                    false,
                    false,
                    Optional.empty(),
                    LiveSettings.DEFAULT.withId(id));
        }
        if (disk == null) {
            throw new UserErrorException("%s: there is no -drive or -blockdev named %s.".formatted(option, id));
        }
        return disk;
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

package org.jvirt.cli.qemu;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import org.jvirt.cli.launch.KeyValues;
import org.jvirt.cli.launch.LaunchOptions;
import org.jvirt.cli.launch.MemorySize;
import org.jvirt.core.UserErrorException;
import org.jvirt.machine.host.NumberSet;
import org.jvirt.machine.host.RamSettings;
import org.jvirt.machine.host.RamSettings.Nodes;
import org.jvirt.machine.host.RamSettings.Pages;
import org.jvirt.machine.host.RamSettings.Spread;

/// `-object memory-backend-…` and the older options about what RAM is made of. Not thread-safe.
final class MemoryBackends {
    static final Set<String> TYPES = Set.of("memory-backend-ram", "memory-backend-file", "memory-backend-memfd");

    private static final long HUGE_2_MIB = 2L << 20;
    private static final long HUGE_1_GIB = 1L << 30;

    private final Map<String, Backend> backends = new HashMap<>();
    private Optional<String> chosen = Optional.empty();
    private Optional<Path> directory = Optional.empty();
    private boolean preallocated;
    private boolean locked;
    private boolean merged;

    /// @param sizeBytes as the object says, if it does
    private record Backend(RamSettings settings, OptionalLong sizeBytes) {}

    /// `-object`.
    void define(String type, KeyValues values) {
        String option = "-object " + type;
        String id = values.takeRequired("id");
        Optional<String> size = values.take("size");
        RamSettings settings = RamSettings.DEFAULT
                .withReserved(values.takeSwitch("prealloc", false))
                .withMergeable(values.takeSwitch("merge", false));
        if (type.equals("memory-backend-file")) {
            settings = settings.withDirectory(Path.of(values.takeRequired("mem-path")));
        }
        if (values.takeSwitch("hugetlb", false)) {
            settings = settings.withPages(
                    hugePages(option, values.take("hugetlbsize").orElse("2M")));
        }
        Optional<Nodes> nodes = nodes(option, values);
        if (nodes.isPresent()) {
            settings = settings.withNodes(nodes.get());
        }
        // RAM is always shared with nobody and left out of core dumps; the rest is about how QEMU prepares it.
        values.ignore(
                Set.of("share", "dump", "reserve", "prealloc-threads", "discard-data", "align", "seal", "readonly"));
        values.end(Set.of(
                "id", "size", "prealloc", "merge", "mem-path", "hugetlb", "hugetlbsize", "host-nodes", "policy"));
        OptionalLong bytes =
                size.isPresent() ? OptionalLong.of(MemorySize.parse(option, size.get())) : OptionalLong.empty();
        backends.put(id, new Backend(settings, bytes));
    }

    private static Pages hugePages(String option, String size) {
        long bytes = MemorySize.parse(option, size);
        if (bytes == HUGE_2_MIB) {
            return Pages.HUGE_2_MIB;
        }
        if (bytes == HUGE_1_GIB) {
            return Pages.HUGE_1_GIB;
        }
        throw new UserErrorException(
                "%s: hugetlbsize=%s is not supported. Those that are: 2M, 1G.".formatted(option, size));
    }

    private static Optional<Nodes> nodes(String option, KeyValues values) {
        Optional<String> nodes = values.take("host-nodes");
        String policy = values.take("policy").orElse("default");
        Spread spread = switch (policy) {
            case "default", "bind" -> Spread.BIND;
            case "interleave" -> Spread.INTERLEAVE;
            case "preferred" -> Spread.PREFERRED;
            default ->
                throw new UserErrorException(
                        "%s: policy=%s is not supported. Those that are: default, bind, interleave, preferred."
                                .formatted(option, policy));
        };
        if (nodes.isEmpty() || policy.equals("default")) {
            return Optional.empty();
        }
        return Optional.of(new Nodes(spread, NumberSet.parse(option, nodes.get())));
    }

    /// `-machine memory-backend=` and `-numa node,memdev=`.
    void choose(String id) {
        chosen = Optional.of(id);
    }

    /// `-mem-path`.
    void directory(Path path) {
        directory = Optional.of(path);
    }

    /// `-mem-prealloc`.
    void preallocate() {
        preallocated = true;
    }

    /// `-overcommit`.
    void overcommit(String text) {
        var values = new KeyValues("-overcommit", "", text);
        locked = values.takeSwitch("mem-lock", locked);
        values.ignore(Set.of("cpu-pm"));
        values.end(Set.of("mem-lock", "cpu-pm"));
    }

    /// `-machine mem-merge=on`.
    void merge(boolean on) {
        merged = on;
    }

    /// Says it to the launcher, when all words have been read.
    void apply(LaunchOptions options) {
        RamSettings ram = RamSettings.DEFAULT.withMergeable(merged);
        if (chosen.isPresent()) {
            Backend backend = backends.get(chosen.get());
            if (backend == null) {
                throw new UserErrorException("-machine memory-backend=%s: there is no -object memory-backend-…,id=%s."
                        .formatted(chosen.get(), chosen.get()));
            }
            if (backend.sizeBytes().orElse(options.memoryBytes()) != options.memoryBytes()) {
                throw new UserErrorException("-object id=%s has %d MiB, and -m %d MiB: give both the same size."
                        .formatted(chosen.get(), backend.sizeBytes().orElse(0) >> 20, options.memoryBytes() >> 20));
            }
            ram = backend.settings();
        } else if (directory.isPresent()) {
            ram = RamSettings.DEFAULT.withDirectory(directory.get());
        }
        ram = ram.withReserved(ram.reserved() || preallocated).withLocked(locked);
        options.host(options.host().withRam(ram));
    }
}

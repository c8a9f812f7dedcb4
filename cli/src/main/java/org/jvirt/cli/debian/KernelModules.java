package org.jvirt.cli.debian;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/// A kernel package's loadable modules and what they need of one another, read from the modules themselves
/// (`depends=` in their `.modinfo` section), because a package that was never installed has no `modules.dep`.
public final class KernelModules {
    private static final byte[] DEPENDS = "\0depends=".getBytes(StandardCharsets.US_ASCII);

    private final Map<String, Path> byName = new HashMap<>();

    /// @param directory `lib/modules/VERSION` of the package
    public KernelModules(Path directory) throws IOException {
        try (Stream<Path> files = Files.walk(directory)) {
            files.filter(f -> f.toString().endsWith(".ko")).forEach(f -> byName.put(nameOf(f), f));
        }
    }

    /// The wanted modules and all they depend on, in an order in which they can be loaded. Names that are no
    /// modules are passed over: the kernel has them built in.
    public List<Path> inLoadOrder(List<String> wanted) throws IOException {
        var order = new LinkedHashMap<String, Path>();
        for (String name : wanted) {
            add(canonical(name), order, new ArrayList<>());
        }
        return List.copyOf(order.values());
    }

    private void add(String name, LinkedHashMap<String, Path> order, List<String> above) throws IOException {
        Path file = byName.get(name);
        if (file == null || order.containsKey(name) || above.contains(name)) {
            return;
        }
        above.add(name);
        for (String dependency : dependencies(Files.readAllBytes(file))) {
            add(canonical(dependency), order, above);
        }
        above.remove(name);
        order.put(name, file);
    }

    static List<String> dependencies(byte[] module) {
        for (int i = 0; i + DEPENDS.length < module.length; i++) {
            int matched = 0;
            while (matched < DEPENDS.length && module[i + matched] == DEPENDS[matched]) {
                matched++;
            }
            if (matched == DEPENDS.length) {
                int start = i + matched;
                int end = start;
                while (end < module.length && module[end] != 0) {
                    end++;
                }
                String list = new String(module, start, end - start, StandardCharsets.US_ASCII);
                return list.isEmpty() ? List.of() : List.of(list.split(","));
            }
        }
        return List.of();
    }

    private static String nameOf(Path file) {
        String name = file.getFileName().toString();
        return canonical(name.substring(0, name.length() - ".ko".length()));
    }

    private static String canonical(String name) {
        return name.replace('-', '_');
    }
}

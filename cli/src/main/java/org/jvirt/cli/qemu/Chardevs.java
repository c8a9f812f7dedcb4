package org.jvirt.cli.qemu;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jvirt.cli.launch.KeyValues;
import org.jvirt.cli.launch.SerialTarget;
import org.jvirt.cli.launch.Suggestion;
import org.jvirt.core.UserErrorException;

/// The `-chardev` options seen so far, by id, and the short forms that `-serial` and `-monitor` take. Not
/// thread-safe.
final class Chardevs {
    private static final List<String> KINDS = List.of("stdio", "file", "socket", "pty", "null");

    private final Map<String, SerialTarget> byId = new HashMap<>();

    void define(String text) {
        var values = new KeyValues("-chardev", "backend", text);
        String kind = values.takeRequired("backend");
        String id = values.takeRequired("id");
        SerialTarget target = switch (kind) {
            case "stdio" -> new SerialTarget.Stdio(values.takeSwitch("mux", false));
            case "file" -> new SerialTarget.File(Path.of(values.takeRequired("path")));
            case "socket" -> socket(values);
            case "pty" -> new SerialTarget.Pty();
            case "null" -> new SerialTarget.None();
            default ->
                throw new UserErrorException("-chardev: '%s' is not supported. The nearest that is: %s."
                        .formatted(kind, Suggestion.nearest(kind, KINDS)));
        };
        values.ignore(Set.of("mux", "signal", "logfile", "logappend", "append"));
        values.end(Set.of("id", "path", "mux", "signal"));
        byId.put(id, target);
    }

    private static SerialTarget socket(KeyValues values) {
        if (values.take("host").isPresent() || values.take("port").isPresent()) {
            throw new UserErrorException("-chardev socket: TCP is not supported. Use path=… for a Unix socket.");
        }
        var target = new SerialTarget.Unix(Path.of(values.takeRequired("path")));
        if (!values.takeSwitch("server", true)) {
            throw new UserErrorException(
                    "-chardev socket: connecting to a socket is not supported. Use server=on,wait=off.");
        }
        values.ignore(Set.of("wait", "reconnect"));
        return target;
    }

    SerialTarget byId(String option, String id) {
        SerialTarget target = byId.get(id);
        if (target == null) {
            throw new UserErrorException("%s: there is no -chardev with id=%s%s"
                    .formatted(option, id, byId.isEmpty() ? "." : "; there are " + new TreeSet<>(byId.keySet()) + "."));
        }
        return target;
    }

    /// What `-serial` and `-monitor` take.
    SerialTarget ofShortForm(String option, String text) {
        if (text.startsWith("chardev:")) {
            return byId(option, text.substring("chardev:".length()));
        }
        if (text.equals("stdio")) {
            return new SerialTarget.Stdio(false);
        }
        return SerialTarget.parse(text);
    }
}

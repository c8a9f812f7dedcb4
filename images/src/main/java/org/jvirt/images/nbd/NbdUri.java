package org.jvirt.images.nbd;

import java.net.URI;
import java.net.URISyntaxException;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jvirt.core.UserErrorException;

/// Names of served disks (the NBD project's `doc/uri.md`), as the options that [NbdTarget#of] takes.
///
/// ```
/// nbd://HOST[:PORT][/EXPORT]        nbds://…  with TLS
/// nbd+unix:///[EXPORT]?socket=PATH  nbds+unix://…
/// nbd:HOST:PORT[:exportname=EXPORT] nbd:unix:PATH[:exportname=EXPORT]    as QEMU had it first
/// ```
///
/// Behind `?`, joined by `&`: `socket`, `tls-certificates=FOLDER`, `tls-hostname=NAME`, and jvirt's own
/// `tls-creds=ID`, `reconnect-delay=SECONDS`, `open-timeout=SECONDS`.
public final class NbdUri {
    private static final Set<String> SCHEMES = Set.of("nbd", "nbds", "nbd+unix", "nbds+unix");
    private static final List<String> PARAMETERS =
            List.of("tls-certificates", "tls-hostname", "tls-creds", "reconnect-delay", "open-timeout");
    private static final String OLD_EXPORT = ":exportname=";

    private NbdUri() {}

    /// Whether a name is one of these.
    public static boolean is(String text) {
        int colon = text.indexOf(':');
        return colon > 0 && SCHEMES.contains(text.substring(0, colon));
    }

    /// @throws UserErrorException if it is not well formed
    public static Map<String, String> options(String text) {
        if (text.startsWith("nbd:") && !text.startsWith("nbd://")) {
            return old(text);
        }
        URI uri;
        try {
            uri = new URI(text);
        } catch (URISyntaxException e) {
            throw new UserErrorException("Cannot open disk %s: %s".formatted(text, e.getMessage()), e);
        }
        var options = new LinkedHashMap<String, String>();
        Map<String, String> query = query(text, uri);
        String scheme = uri.getScheme();
        if (scheme.startsWith("nbds")) {
            options.put("tls", "on");
        }
        if (scheme.endsWith("+unix")) {
            String socket = query.remove("socket");
            if (socket == null || uri.getHost() != null) {
                throw new UserErrorException(
                        "Cannot open disk %s: write nbd+unix:///EXPORT?socket=PATH".formatted(text));
            }
            options.put("server.type", "unix");
            options.put("server.path", socket);
        } else {
            String host = uri.getHost();
            if (host == null) {
                throw new UserErrorException("Cannot open disk %s: write nbd://HOST[:PORT][/EXPORT]".formatted(text));
            }
            options.put("server.type", "inet");
            options.put("server.host", host.startsWith("[") ? host.substring(1, host.length() - 1) : host);
            options.put("server.port", "" + (uri.getPort() < 0 ? NbdAddress.DEFAULT_PORT : uri.getPort()));
        }
        String path = uri.getPath() == null ? "" : uri.getPath();
        options.put("export", path.startsWith("/") ? path.substring(1) : path);
        for (String parameter : PARAMETERS) {
            String value = query.remove(parameter);
            if (value != null) {
                options.put(parameter, value);
            }
        }
        if (!query.isEmpty()) {
            throw new UserErrorException("Cannot open disk %s: '%s' is none of socket, %s"
                    .formatted(text, query.keySet().iterator().next(), String.join(", ", PARAMETERS)));
        }
        return options;
    }

    private static Map<String, String> query(String text, URI uri) {
        var query = new LinkedHashMap<String, String>();
        if (uri.getRawQuery() == null) {
            return query;
        }
        for (String part : uri.getRawQuery().split("&", -1)) {
            int equals = part.indexOf('=');
            if (equals <= 0) {
                throw new UserErrorException("Cannot open disk %s: '%s' is not name=value".formatted(text, part));
            }
            // Unlike in forms, a plus is a plus.
            String value = part.substring(equals + 1).replace("+", "%2B");
            query.put(part.substring(0, equals), URLDecoder.decode(value, StandardCharsets.UTF_8));
        }
        return query;
    }

    private static Map<String, String> old(String text) {
        String rest = text.substring("nbd:".length());
        var options = new LinkedHashMap<String, String>();
        int named = rest.indexOf(OLD_EXPORT);
        if (named >= 0) {
            options.put("export", rest.substring(named + OLD_EXPORT.length()));
            rest = rest.substring(0, named);
        }
        if (rest.startsWith("unix:")) {
            options.put("server.type", "unix");
            options.put("server.path", rest.substring("unix:".length()));
            return options;
        }
        int colon = rest.lastIndexOf(':');
        if (colon <= 0) {
            throw new UserErrorException("Cannot open disk %s: write nbd:HOST:PORT or nbd:unix:PATH".formatted(text));
        }
        options.put("server.type", "inet");
        options.put("server.host", rest.substring(0, colon).replaceAll("^\\[|]$", ""));
        options.put("server.port", rest.substring(colon + 1));
        return options;
    }
}

package org.jvirt.images.nbd;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import org.jvirt.core.UserErrorException;

/// An export that a client wants.
///
/// @param text           for messages: its URI
/// @param tls            empty for a connection in the clear
/// @param reconnectDelay how long requests wait for a server that has gone; zero for no time
/// @param openTimeout    how long the first connection may take
public record NbdTarget(
        String text,
        NbdAddress address,
        String export,
        Optional<Tls> tls,
        Duration reconnectDelay,
        Duration openTimeout) {
    private static final Duration OPEN_TIMEOUT = Duration.ofSeconds(30);
    private static final int MAX_SECONDS = 24 * 60 * 60;

    /// @param peerName what the server's certificate must say
    public record Tls(TlsCredentials credentials, String peerName) {}

    /// Where credentials come from.
    @FunctionalInterface
    public interface Credentials {
        /// @throws UserErrorException if there are none of this name
        TlsCredentials named(String id);
    }

    /// Takes what it knows out of the options of a block node of driver `nbd`: `server.type`, `server.host`,
    /// `server.port`, `server.path`, or `host`, `port`, `path`; `export`, `tls-creds`, `tls-hostname`,
    /// `reconnect-delay`, `open-timeout`; and, from URIs, `tls-certificates`.
    public static NbdTarget of(String text, Map<String, String> options, Credentials credentials) {
        NbdAddress address = address(text, options);
        String export = Optional.ofNullable(options.remove("export")).orElse("");
        Optional<String> id = Optional.ofNullable(options.remove("tls-creds"));
        Optional<String> folder = Optional.ofNullable(options.remove("tls-certificates"));
        Optional<String> name = Optional.ofNullable(options.remove("tls-hostname"));
        boolean encrypted = "on".equals(options.remove("tls"));
        Duration delay = Duration.ofSeconds(seconds(text, options, "reconnect-delay", 0));
        long open = seconds(text, options, "open-timeout", OPEN_TIMEOUT.toSeconds());
        Optional<TlsCredentials> tls = id.map(credentials::named)
                .or(() -> folder.map(each -> TlsCredentials.ofClient(Path.of(each), true)))
                .or(() -> encrypted ? Optional.of(TlsCredentials.publicAuthorities()) : Optional.empty());
        if (tls.isPresent() && tls.get().ofServer()) {
            throw new UserErrorException(
                    "Cannot open disk %s: its certificates are a server's; give endpoint=client".formatted(text));
        }
        String peer = name.orElse(peerName(address));
        return new NbdTarget(
                text,
                address,
                export,
                tls.map(each -> new Tls(each, peer)),
                delay,
                Duration.ofSeconds(open == 0 ? OPEN_TIMEOUT.toSeconds() : open));
    }

    /// The default export at an address.
    public static NbdTarget of(NbdAddress address, Optional<TlsCredentials> tls) {
        return new NbdTarget(
                address.toString(),
                address,
                "",
                tls.map(each -> new Tls(each, peerName(address))),
                Duration.ZERO,
                OPEN_TIMEOUT);
    }

    private static String peerName(NbdAddress address) {
        return address instanceof NbdAddress.Tcp(String host, int port) ? host : "localhost";
    }

    private static NbdAddress address(String text, Map<String, String> options) {
        String type = options.remove("server.type");
        Optional<String> path = take(options, "path");
        Optional<String> host = take(options, "host");
        Optional<String> port = take(options, "port");
        if (path.isPresent() == host.isPresent() || type != null && type.equals("unix") != path.isPresent()) {
            throw new UserErrorException(
                    "Cannot open disk %s: say where its server is: server.type=unix,server.path=… or server.type=inet,server.host=…,server.port=…"
                            .formatted(text));
        }
        if (path.isPresent()) {
            return new NbdAddress.Unix(Path.of(path.get()));
        }
        return new NbdAddress.Tcp(host.orElseThrow(), port(text, port.orElse("" + NbdAddress.DEFAULT_PORT)));
    }

    private static Optional<String> take(Map<String, String> options, String key) {
        String flat = options.remove(key);
        String nested = options.remove("server." + key);
        return Optional.ofNullable(nested == null ? flat : nested);
    }

    private static int port(String text, String port) {
        try {
            int number = Integer.parseInt(port);
            if (number > 0 && number < 1 << 16) {
                return number;
            }
        } catch (NumberFormatException e) {
            throw new UserErrorException("Cannot open disk %s: '%s' is no port".formatted(text, port), e);
        }
        throw new UserErrorException("Cannot open disk %s: port %s is not in 1 to 65535".formatted(text, port));
    }

    private static long seconds(String text, Map<String, String> options, String key, long otherwise) {
        String value = options.remove(key);
        try {
            long seconds = value == null ? otherwise : Long.parseLong(value);
            if (seconds >= 0 && seconds <= MAX_SECONDS) {
                return seconds;
            }
        } catch (NumberFormatException e) {
            throw new UserErrorException(
                    "Cannot open disk %s: %s=%s is no number of seconds".formatted(text, key, value), e);
        }
        throw new UserErrorException(
                "Cannot open disk %s: %s=%s is not in 0 to %d seconds".formatted(text, key, value, MAX_SECONDS));
    }

    /// What makes two of them the same disk.
    public Object identity() {
        return address + "/" + export;
    }
}

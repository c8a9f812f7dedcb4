package org.jvirt.images.nbd;

import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Path;

/// Where a server listens.
public sealed interface NbdAddress {
    /// What the protocol's servers listen on (IANA).
    int DEFAULT_PORT = 10809;

    /// @param path of the socket
    record Unix(Path path) implements NbdAddress {
        @Override
        public String toString() {
            return "unix:" + path;
        }
    }

    /// @param host name or number, without brackets
    record Tcp(String host, int port) implements NbdAddress {
        @Override
        public String toString() {
            return (host.contains(":") ? "[" + host + "]" : host) + ":" + port;
        }
    }

    /// With the host's name looked up now.
    default SocketAddress socketAddress() {
        return switch (this) {
            case Unix(Path path) -> UnixDomainSocketAddress.of(path);
            case Tcp(String host, int port) -> new InetSocketAddress(host, port);
        };
    }
}

package org.jvirt.cli.nbd;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.jvirt.core.UserErrorException;
import org.jvirt.images.nbd.NbdAddress;
import picocli.CommandLine.Option;

/// Where the server is, or is to be.
final class ServePlace {
    @Option(
            names = {"-k", "--socket"},
            paramLabel = "PATH",
            description = "A Unix socket, private to the user.")
    private @Nullable Path socket;

    @Option(
            names = {"-p", "--port"},
            paramLabel = "N",
            description = "A TCP port (10809).")
    private @Nullable Integer port;

    @Option(
            names = {"-b", "--bind"},
            paramLabel = "ADDRESS",
            description = "The host's address to listen on (127.0.0.1); others than loopback need --tls-creds.")
    private @Nullable String bind;

    @Option(names = "--insecure", description = "Listen on any address without TLS.")
    private boolean insecure;

    NbdAddress address() {
        if (socket != null && (port != null || bind != null)) {
            throw new UserErrorException("Give either --socket, or --port and --bind.");
        }
        if (socket != null) {
            return new NbdAddress.Unix(socket);
        }
        int number = port == null ? NbdAddress.DEFAULT_PORT : port;
        if (number < 0 || number >= 1 << 16) {
            throw new UserErrorException("--port: %d is not in 0 to 65535.".formatted(number));
        }
        return new NbdAddress.Tcp(bind == null ? "127.0.0.1" : bind, number);
    }

    /// @throws UserErrorException if anybody on the network could read and change the disk
    void refuseOpenDoor(NbdAddress address, boolean encrypted) {
        if (encrypted || insecure || !(address instanceof NbdAddress.Tcp(String host, int ignored))) {
            return;
        }
        try {
            if (!InetAddress.getByName(host).isLoopbackAddress()) {
                throw new UserErrorException(
                        "Refusing to serve at %s without TLS: anybody there could read and change the disk; give --tls-creds, or --insecure"
                                .formatted(address));
            }
        } catch (UnknownHostException e) {
            throw new UserErrorException("--bind: there is no host %s.".formatted(host), e);
        }
    }
}

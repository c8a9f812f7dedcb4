package org.jvirt.images.nbd.server;

import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jvirt.core.UserErrorException;
import org.jvirt.images.nbd.TlsCredentials;

/// What a server serves, and how.
///
/// @param exports          by different names
/// @param tls              empty for connections in the clear; with it, all must be encrypted
/// @param maxConnections   how many clients there may be at once; others wait
/// @param handshakeTimeout how long a client may take until it has chosen an export
public record ServerSettings(
        List<NbdExport> exports, Optional<TlsCredentials> tls, int maxConnections, Duration handshakeTimeout) {
    /// As QEMU's servers have it.
    public static final Duration HANDSHAKE_TIMEOUT = Duration.ofSeconds(10);
    /// A bound where the user has set none.
    public static final int MOST_CONNECTIONS = 256;

    public ServerSettings {
        exports = List.copyOf(exports);
        Set<String> names = new HashSet<>();
        for (NbdExport export : exports) {
            if (!names.add(export.name())) {
                throw new UserErrorException(
                        "Cannot export two disks as '%s'; give each a name of its own".formatted(export.name()));
            }
        }
        if (maxConnections < 1 || maxConnections > MOST_CONNECTIONS) {
            throw new UserErrorException("Cannot serve %d clients at once; 1 to %d are possible"
                    .formatted(maxConnections, MOST_CONNECTIONS));
        }
        if (tls.isPresent() && !tls.get().ofServer()) {
            throw new UserErrorException("Cannot serve with a client's certificates; give those of a server");
        }
    }

    public static ServerSettings of(NbdExport... exports) {
        return new ServerSettings(List.of(exports), Optional.empty(), MOST_CONNECTIONS, HANDSHAKE_TIMEOUT);
    }
}

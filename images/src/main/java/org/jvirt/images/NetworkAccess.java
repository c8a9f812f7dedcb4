package org.jvirt.images;

import java.util.HashMap;
import java.util.Map;
import org.jvirt.core.UserErrorException;
import org.jvirt.images.nbd.TlsCredentials;

/// What may be reached over the network, and as whom. Immutable.
///
/// @param credentials for TLS, by the names that options refer to
/// @param byImages    whether images may name served disks as the layers below them, and served images files of
///                    this host; otherwise only users may name what is reached
public record NetworkAccess(Map<String, TlsCredentials> credentials, boolean byImages) {
    public NetworkAccess {
        credentials = Map.copyOf(credentials);
    }

    /// No credentials, and nothing that images name.
    public static NetworkAccess none() {
        return new NetworkAccess(Map.of(), false);
    }

    /// These and one more.
    public NetworkAccess with(String id, TlsCredentials more) {
        var all = new HashMap<>(credentials);
        all.put(id, more);
        return new NetworkAccess(all, byImages);
    }

    public NetworkAccess allowingImages() {
        return new NetworkAccess(credentials, true);
    }

    /// @throws UserErrorException if there are none of this name
    public TlsCredentials named(String id) {
        TlsCredentials found = credentials.get(id);
        if (found == null) {
            throw new UserErrorException(
                    "There are no TLS credentials '%s'; give them with --object tls-creds-x509,id=%s,dir=FOLDER"
                            .formatted(id, id));
        }
        return found;
    }
}

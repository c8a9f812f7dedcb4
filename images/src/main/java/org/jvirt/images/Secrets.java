package org.jvirt.images;

import java.util.HashMap;
import java.util.Map;
import org.jvirt.core.UserErrorException;

/// Keys and passphrases by the names that images' options refer to. Immutable.
public final class Secrets {
    private static final Secrets NONE = new Secrets(Map.of());

    private final Map<String, byte[]> byId;

    private Secrets(Map<String, byte[]> byId) {
        this.byId = byId;
    }

    public static Secrets none() {
        return NONE;
    }

    /// These and one more.
    public Secrets with(String id, byte[] secret) {
        var more = new HashMap<>(byId);
        more.put(id, secret.clone());
        return new Secrets(more);
    }

    byte[] get(String id) {
        byte[] secret = byId.get(id);
        if (secret == null) {
            throw new UserErrorException(
                    "There is no secret '%s'; give it with --object secret,id=%s,file=PATH".formatted(id, id));
        }
        return secret.clone();
    }
}

package org.jvirt.images;

import java.util.ArrayList;
import java.util.List;
import org.jvirt.core.UserErrorException;

/// The files above an image in its chain of layers. Immutable.
///
/// @param remote whether one of them is not of this host
record Chain(List<Object> identities, boolean remote) {
    /// More layers than anybody needs, and few enough for the stack.
    private static final int MAX_LAYERS = 200;

    Chain {
        identities = List.copyOf(identities);
    }

    static Chain start() {
        return new Chain(List.of(), false);
    }

    /// @throws UserErrorException if the file is in the chain already, or the chain is too long
    Chain with(Object identity, String name) {
        if (identities.contains(identity)) {
            throw new UserErrorException(
                    "Cannot open disk %s: it is its own backing file; correct that with jvirt img rebase -u"
                            .formatted(name));
        }
        if (identities.size() >= MAX_LAYERS) {
            throw new UserErrorException(
                    "Cannot open disk %s: more than %d images lie above it; flatten them with jvirt img convert"
                            .formatted(name, MAX_LAYERS));
        }
        var more = new ArrayList<>(identities);
        more.add(identity);
        return new Chain(more, remote);
    }

    Chain overNetwork() {
        return new Chain(identities, true);
    }
}

package org.jvirt.images.nbd;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jvirt.core.UserErrorException;

/// What a server offers.
public final class NbdListing {
    private NbdListing() {}

    /// The exports that a server tells of, in its order.
    ///
    /// @param target whose export's name does not matter
    /// @throws UserErrorException if it cannot be asked, or does not tell
    public static List<ExportDetails> of(NbdTarget target) {
        try {
            return Dialing.dial(target.address(), target.openTimeout(), transport -> list(target, transport));
        } catch (IOException e) {
            throw new UserErrorException(
                    "Cannot list the exports at %s: %s".formatted(target.address(), e.getMessage()), e);
        }
    }

    private static List<ExportDetails> list(NbdTarget target, Transport transport) throws IOException {
        var handshake = new ClientHandshake(transport);
        handshake.begin(target);
        List<ExportDetails> exports = new ArrayList<>();
        for (String name : handshake.list()) {
            List<ExportDetails.Context> contexts =
                    handshake.structured() ? handshake.contexts(Nbd.OPT_LIST_META_CONTEXT, name, List.of()) : List.of();
            Optional<ExportDetails> details = handshake.details(Nbd.OPT_INFO, name, contexts);
            details.ifPresent(exports::add);
        }
        handshake.abort();
        transport.close();
        return exports;
    }
}

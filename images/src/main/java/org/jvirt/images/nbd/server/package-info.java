/// The NBD server.
///
/// ```
/// NbdServer          listens, and serves each connection in a virtual thread
/// NbdExport          a disk under a name, with what may be asked of its blocks
/// MetaContext        one such question: allocated? how deep in the chain? dirty?
/// Handshake          a connection's first half: options, TLS, which export
/// Transmission       its second half: requests, each in a thread of its own, within bounds
/// ```
@NullMarked
package org.jvirt.images.nbd.server;

import org.jspecify.annotations.NullMarked;

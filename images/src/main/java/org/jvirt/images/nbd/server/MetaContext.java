package org.jvirt.images.nbd.server;

import java.io.IOException;

/// What can be asked of an export's blocks by one name (`doc/proto.md`, "Metadata querying"). Thread-safe.
public interface MetaContext {
    /// A run of blocks with one answer.
    record Status(long lengthBytes, int flags) {}

    /// Namespace and leaf: `base:allocation`.
    String name();

    /// Of the blocks from `offsetBytes` on, for at most `limitBytes`, at least one byte.
    Status at(long offsetBytes, long limitBytes) throws IOException;
}

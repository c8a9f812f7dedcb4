package org.jvirt.images.nbd.server;

import java.io.IOException;
import org.jvirt.images.format.DiskImage;
import org.jvirt.images.nbd.Nbd;
import org.jvirt.images.tool.BlockStatus;
import org.jvirt.images.tool.ChainMap;

/// `base:allocation`: which blocks of an image and the layers below it are zeroes.
///
/// @param image top of the chain
record AllocationContext(DiskImage image) implements MetaContext {
    @Override
    public String name() {
        return Nbd.BASE_ALLOCATION;
    }

    @Override
    public Status at(long offsetBytes, long limitBytes) throws IOException {
        BlockStatus status = ChainMap.at(image, offsetBytes, limitBytes);
        return new Status(status.lengthBytes(), status.zero() ? Nbd.STATE_HOLE | Nbd.STATE_ZERO : 0);
    }
}

package org.jvirt.images.nbd.server;

import java.io.IOException;
import org.jvirt.images.format.DiskImage;
import org.jvirt.images.tool.BlockStatus;
import org.jvirt.images.tool.ChainMap;

/// `qemu:allocation-depth`: which layer of the chain has a block, 1 for the top; 0 if none has (QEMU's
/// `docs/interop/nbd.txt`).
///
/// @param image top of the chain
record DepthContext(DiskImage image) implements MetaContext {
    static final String NAME = "qemu:allocation-depth";

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public Status at(long offsetBytes, long limitBytes) throws IOException {
        BlockStatus status = ChainMap.at(image, offsetBytes, limitBytes);
        return new Status(status.lengthBytes(), status.present() ? status.depth() + 1 : 0);
    }
}

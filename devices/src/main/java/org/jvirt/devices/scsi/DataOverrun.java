package org.jvirt.devices.scsi;

import java.io.Serial;

/// The guest's buffers are smaller than what the command says it moves.
public final class DataOverrun extends ScsiFailure {
    @Serial
    private static final long serialVersionUID = 1L;

    public DataOverrun() {
        super("data overrun");
    }
}

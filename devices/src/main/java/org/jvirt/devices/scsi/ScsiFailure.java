package org.jvirt.devices.scsi;

import java.io.Serial;

/// A command did not do what it was to. Without a stack trace, because a guest can cause it at will.
public abstract sealed class ScsiFailure extends Exception permits CheckCondition, DataOverrun {
    @Serial
    private static final long serialVersionUID = 1L;

    ScsiFailure(String message) {
        super(message, null, false, false);
    }
}

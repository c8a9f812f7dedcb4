package org.jvirt.devices.scsi;

import java.io.Serial;

/// The status CHECK CONDITION, and why.
public final class CheckCondition extends ScsiFailure {
    /// The status byte (SAM-5 §5.3.1).
    public static final int STATUS = 0x02;

    @Serial
    private static final long serialVersionUID = 1L;

    private final transient Sense sense;

    public CheckCondition(Sense sense) {
        super("check condition " + sense);
        this.sense = sense;
    }

    public Sense sense() {
        return sense;
    }
}

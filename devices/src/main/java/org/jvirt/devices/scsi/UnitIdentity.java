package org.jvirt.devices.scsi;

import java.nio.charset.StandardCharsets;
import org.jvirt.core.UserErrorException;

/// What a unit says it is.
///
/// @param name    for messages, and for the guest where there is no serial number: `scsi0-hd1`
/// @param product up to 16 ASCII characters
/// @param serial  up to 36 ASCII characters, may be empty
public record UnitIdentity(String name, String product, String serial) {
    private static final int SERIAL_CHARACTERS = 36;

    public UnitIdentity {
        if (serial.length() > SERIAL_CHARACTERS
                || !StandardCharsets.US_ASCII.newEncoder().canEncode(serial)) {
            throw new UserErrorException(
                    "SCSI serial \"%s\" is not up to %d ASCII characters".formatted(serial, SERIAL_CHARACTERS));
        }
        // The guest gets it in a field whose length is one byte.
        name = name.length() > 200 ? name.substring(0, 200) : name;
    }
}

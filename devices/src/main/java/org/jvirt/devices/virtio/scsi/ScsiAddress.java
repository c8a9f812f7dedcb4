package org.jvirt.devices.virtio.scsi;

/// The eight bytes by which a driver names a logical unit (virtio §5.6.6.1): 1, target, unit as two bytes of
/// peripheral or flat addressing, zeroes.
///
/// @param target -1 where the bytes name none
record ScsiAddress(int target, int unit) {
    static final int BYTES = 8;
    private static final int SINGLE_LEVEL = 1;
    private static final int METHOD_MASK = 0xc0;
    private static final int FLAT = 0x40;
    /// REPORT LUNS of the controller itself, whose answer is that of target 0.
    private static final int WELL_KNOWN = 0xc1;

    private static final ScsiAddress NONE = new ScsiAddress(-1, 0);

    static ScsiAddress of(byte[] bytes, int at) {
        int first = bytes[at] & 0xff;
        if (first == WELL_KNOWN) {
            return new ScsiAddress(0, 0);
        }
        int method = bytes[at + 2] & METHOD_MASK;
        if (first != SINGLE_LEVEL || method != 0 && method != FLAT) {
            return NONE;
        }
        return new ScsiAddress(bytes[at + 1] & 0xff, (bytes[at + 2] & ~METHOD_MASK & 0xff) << 8 | bytes[at + 3] & 0xff);
    }

    /// As in an event: units below 256 as REPORT LUNS has them, which is what drivers look them up by.
    byte[] bytes() {
        return new byte[] {SINGLE_LEVEL, (byte) target, 0, (byte) unit, 0, 0, 0, 0};
    }
}

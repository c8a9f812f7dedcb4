package org.jvirt.devices.scsi;

/// Why a command failed: sense key, additional sense code and qualifier (SPC-4 §4.5, annex F).
public record Sense(int key, int code, int qualifier) {
    public static final Sense NONE = new Sense(0x0, 0x00, 0x00);
    public static final Sense BECOMING_READY = new Sense(0x2, 0x04, 0x01);
    public static final Sense NO_MEDIUM = new Sense(0x2, 0x3a, 0x01);
    public static final Sense NO_MEDIUM_TRAY_OPEN = new Sense(0x2, 0x3a, 0x02);
    public static final Sense WRITE_ERROR = new Sense(0x3, 0x0c, 0x00);
    public static final Sense READ_ERROR = new Sense(0x3, 0x11, 0x00);
    public static final Sense INTERNAL_FAILURE = new Sense(0x4, 0x44, 0x00);
    public static final Sense PARAMETER_LIST_LENGTH = new Sense(0x5, 0x1a, 0x00);
    public static final Sense INVALID_OPERATION_CODE = new Sense(0x5, 0x20, 0x00);
    public static final Sense BLOCK_OUT_OF_RANGE = new Sense(0x5, 0x21, 0x00);
    public static final Sense INVALID_FIELD_IN_CDB = new Sense(0x5, 0x24, 0x00);
    public static final Sense NO_SUCH_UNIT = new Sense(0x5, 0x25, 0x00);
    public static final Sense INVALID_FIELD_IN_LIST = new Sense(0x5, 0x26, 0x00);
    public static final Sense SAVING_NOT_SUPPORTED = new Sense(0x5, 0x39, 0x00);
    public static final Sense REMOVAL_PREVENTED = new Sense(0x5, 0x53, 0x02);
    public static final Sense WRONG_TRACK_MODE = new Sense(0x5, 0x64, 0x00);
    public static final Sense MEDIUM_CHANGED = new Sense(0x6, 0x28, 0x00);
    public static final Sense POWER_ON = new Sense(0x6, 0x29, 0x00);
    public static final Sense BUS_RESET = new Sense(0x6, 0x29, 0x02);
    public static final Sense CAPACITY_CHANGED = new Sense(0x6, 0x2a, 0x09);
    public static final Sense UNITS_CHANGED = new Sense(0x6, 0x3f, 0x0e);
    public static final Sense WRITE_PROTECTED = new Sense(0x7, 0x27, 0x00);
    public static final Sense MISCOMPARE = new Sense(0xe, 0x1d, 0x00);

    /// Length of [#bytes].
    public static final int BYTES = 18;

    private static final int FIXED_FORMAT = 0x70;

    /// Fixed format.
    public byte[] bytes() {
        var data = new byte[BYTES];
        data[0] = FIXED_FORMAT;
        data[2] = (byte) key;
        data[7] = BYTES - 8;
        data[12] = (byte) code;
        data[13] = (byte) qualifier;
        return data;
    }
}

package org.jvirt.devices.ahci;

/// The registers of an ATA device: what a command was given, then what it leaves. One object serves a port; [#load]
/// fills it anew. Not thread-safe.
final class TaskFile {
    static final int STATUS_ERROR = 0x01;
    static final int STATUS_REQUEST = 0x08;
    static final int STATUS_SEEK = 0x10;
    static final int STATUS_READY = 0x40;
    static final int STATUS_BUSY = 0x80;
    static final int STATUS_IDLE = STATUS_READY | STATUS_SEEK;

    static final int ERROR_ABORTED = 0x04;
    static final int ERROR_NO_ID = 0x10;
    static final int ERROR_UNCORRECTABLE = 0x40;

    private static final int LBA_MODE = 0x40;

    /// How a command ends for the host.
    enum Ending {
        /// A register FIS from the device.
        REGISTERS,
        /// A PIO set-up FIS, in place of which no other follows.
        PIO_IN,
        /// A set-device-bits FIS: native command queuing.
        QUEUED
    }

    int command;
    int features;
    long lba;
    int count;
    int device;

    int status;
    int error;
    long movedBytes;
    Ending ending = Ending.REGISTERS;

    /// Takes a register FIS to the device (SATA 3.0 §10.3.4).
    void load(byte[] fis) {
        command = fis[2] & 0xff;
        features = fis[3] & 0xff | (fis[11] & 0xff) << 8;
        lba = fis[4] & 0xffL
                | (fis[5] & 0xffL) << 8
                | (fis[6] & 0xffL) << 16
                | (fis[8] & 0xffL) << 24
                | (fis[9] & 0xffL) << 32
                | (fis[10] & 0xffL) << 40;
        device = fis[7] & 0xff;
        count = fis[12] & 0xff | (fis[13] & 0xff) << 8;
        status = STATUS_IDLE;
        error = 0;
        movedBytes = 0;
        ending = Ending.REGISTERS;
    }

    void fail(int code) {
        status = STATUS_IDLE | STATUS_ERROR;
        error = code;
    }

    boolean failed() {
        return (status & STATUS_ERROR) != 0;
    }

    /// Whether addresses count sectors, not cylinders and heads.
    boolean lbaMode() {
        return (device & LBA_MODE) != 0;
    }

    /// The 28 bits of the older commands.
    long lba28() {
        return lba & 0xff_ffff | (device & 0xfL) << 24;
    }

    /// In these 0 means 256.
    int count8() {
        return (count & 0xff) == 0 ? 256 : count & 0xff;
    }

    /// And 65536 in the extended ones.
    int count16() {
        return count == 0 ? 65536 : count;
    }
}

package org.jvirt.devices.ahci;

/// Log 10h: which queued command failed, and how (ACS-2 §A.14). Port's worker only.
final class QueuedErrorLog {
    static final int DIRECTORY_ADDRESS = 0x00;
    static final int ADDRESS = 0x10;
    private static final int BYTES = 512;
    private static final int NOT_QUEUED = 0x80;

    private final byte[] page = new byte[BYTES];

    QueuedErrorLog() {
        page[0] = (byte) NOT_QUEUED;
        seal();
    }

    /// One page at [#ADDRESS].
    static byte[] directory() {
        var directory = new byte[BYTES];
        directory[0] = 1;
        directory[2 * ADDRESS] = 1;
        return directory;
    }

    void note(TaskFile registers) {
        page[0] = (byte) (registers.count >> 3 & 0x1f);
        page[2] = (byte) registers.status;
        page[3] = (byte) registers.error;
        for (int i = 0; i < 3; i++) {
            page[4 + i] = (byte) (registers.lba >>> 8 * i);
            page[8 + i] = (byte) (registers.lba >>> 24 + 8 * i);
        }
        page[7] = (byte) registers.device;
        page[12] = (byte) registers.count;
        page[13] = (byte) (registers.count >> 8);
        seal();
    }

    private void seal() {
        int sum = 0;
        for (int i = 0; i < BYTES - 1; i++) {
            sum += page[i];
        }
        page[BYTES - 1] = (byte) -sum;
    }

    byte[] page() {
        return page;
    }
}

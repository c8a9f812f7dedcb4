package org.jvirt.devices.ahci;

/// SMART of a disk that is always well (ACS-2 §7.52): on, off, "no threshold is exceeded", and a page of data
/// without attributes. Port's worker only.
final class SmartData {
    private static final int BYTES = 512;
    private static final int KEY = 0xc24f00;
    private static final int KEY_MASK = 0xffff00;
    private static final byte[] NOTHING = {};

    private boolean enabled = true;

    boolean enabled() {
        return enabled;
    }

    void enable(boolean on) {
        enabled = on;
    }

    /// Answers data to give, or none.
    byte[] execute(TaskFile registers) {
        int operation = registers.features & 0xff;
        if ((registers.lba & KEY_MASK) != KEY || !enabled && operation != 0xd8) {
            registers.fail(TaskFile.ERROR_ABORTED);
            return NOTHING;
        }
        switch (operation) {
            case 0xd0, 0xd1 -> { // READ DATA, READ THRESHOLDS
                return page();
            }
            case 0xd2, 0xd4, 0xda -> {} // autosave, off-line, RETURN STATUS: the key stays as it is
            case 0xd8 -> enabled = true;
            case 0xd9 -> enabled = false;
            default -> registers.fail(TaskFile.ERROR_ABORTED);
        }
        return NOTHING;
    }

    private static byte[] page() {
        var page = new byte[BYTES];
        page[0] = 1; // version
        page[362] = (byte) 0x80; // off-line data collection never ran
        page[368] = 0x03; // saves by itself and before power goes
        page[372] = 1;
        page[373] = 1;
        int sum = 0;
        for (int i = 0; i < BYTES - 1; i++) {
            sum += page[i];
        }
        page[BYTES - 1] = (byte) -sum;
        return page;
    }
}

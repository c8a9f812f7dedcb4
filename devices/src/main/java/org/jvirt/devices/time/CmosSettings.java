package org.jvirt.devices.time;

/// What firmware reads from CMOS memory about the machine.
///
/// @param lowBytes  RAM below 4 GiB
/// @param highBytes RAM from 4 GiB on
/// @param vcpus     processors that firmware waits for
public record CmosSettings(long lowBytes, long highBytes, int vcpus) {
    private static final int FLOPPY_TYPES = 0x10;
    private static final int EQUIPMENT = 0x14;
    private static final int BASE_KIB = 0x15;
    private static final int EXTENDED_KIB = 0x17;
    private static final int EXTENDED_KIB_2 = 0x30;
    private static final int ABOVE_16M = 0x34;
    private static final int BOOT_FLAGS_1 = 0x38;
    private static final int BOOT_FLAGS_2 = 0x3d;
    private static final int ABOVE_4G = 0x5b;
    private static final int PROCESSORS = 0x5f;

    private static final long MIB = 1 << 20;

    public CmosSettings {
        if (lowBytes < 0 || highBytes < 0 || vcpus < 1) {
            throw new IllegalArgumentException(
                    "CMOS: %d and %d bytes of RAM, %d vCPUs".formatted(lowBytes, highBytes, vcpus));
        }
    }

    void applyTo(byte[] cmos) {
        cmos[FLOPPY_TYPES] = 0;
        // A coprocessor and a PS/2 mouse.
        cmos[EQUIPMENT] = 0x06;
        put(cmos, BASE_KIB, 2, Math.min(lowBytes >> 10, 640));
        long extendedKib = Math.clamp((lowBytes - MIB) >> 10, 0, 0xffff);
        put(cmos, EXTENDED_KIB, 2, extendedKib);
        put(cmos, EXTENDED_KIB_2, 2, extendedKib);
        put(cmos, ABOVE_16M, 2, Math.clamp((lowBytes - 16 * MIB) >> 16, 0, 0xffff));
        put(cmos, ABOVE_4G, 3, Math.min(highBytes >> 16, 0xff_ffff));
        cmos[PROCESSORS] = (byte) Math.min(vcpus - 1, 255);
        // Disk first, then CD, then network; no check of floppy signatures.
        cmos[BOOT_FLAGS_1] = 0x41;
        cmos[BOOT_FLAGS_2] = 0x32;
    }

    private static void put(byte[] cmos, int at, int bytes, long value) {
        for (int i = 0; i < bytes; i++) {
            cmos[at + i] = (byte) (value >>> 8 * i);
        }
    }
}

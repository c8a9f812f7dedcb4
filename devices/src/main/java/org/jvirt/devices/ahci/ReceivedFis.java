package org.jvirt.devices.ahci;

import java.util.Arrays;
import org.jvirt.core.GuestMemory;

/// Writes FISes from a device to where the guest wants them (AHCI §4.2.1; SATA 3.0 §10.3).
///
/// ```
/// +00 DMA set-up    +20 PIO set-up    +40 registers    +58 set device bits
/// ```
///
/// Port's worker only.
final class ReceivedFis {
    private static final int PIO_SETUP = 0x20;
    private static final int REGISTERS = 0x40;
    private static final int DEVICE_BITS = 0x58;
    private static final int TYPE_REGISTERS = 0x34;
    private static final int TYPE_PIO_SETUP = 0x5f;
    private static final int TYPE_DEVICE_BITS = 0xa1;
    private static final int INTERRUPT = 0x40;
    private static final int TO_HOST = 0x20;
    /// Bits of the status that a set-device-bits FIS carries.
    private static final int SHARED_STATUS = 0x77;

    private final GuestMemory memory;
    private final byte[] fis = new byte[20];

    ReceivedFis(GuestMemory memory) {
        this.memory = memory;
    }

    private void fill(int type, int flags, TaskFile from) {
        Arrays.fill(fis, (byte) 0);
        fis[0] = (byte) type;
        fis[1] = (byte) flags;
        fis[2] = (byte) from.status;
        fis[3] = (byte) from.error;
        for (int i = 0; i < 3; i++) {
            fis[4 + i] = (byte) (from.lba >>> 8 * i);
            fis[8 + i] = (byte) (from.lba >>> 24 + 8 * i);
        }
        fis[7] = (byte) from.device;
        fis[12] = (byte) from.count;
        fis[13] = (byte) (from.count >> 8);
    }

    void registers(long area, TaskFile from, boolean interrupt) {
        fill(TYPE_REGISTERS, interrupt ? INTERRUPT : 0, from);
        memory.write(area + REGISTERS, fis);
    }

    void pioSetup(long area, TaskFile from) {
        fill(TYPE_PIO_SETUP, INTERRUPT | TO_HOST, from);
        fis[2] = (byte) (from.status | TaskFile.STATUS_REQUEST);
        fis[15] = (byte) from.status;
        fis[16] = (byte) from.movedBytes;
        fis[17] = (byte) (from.movedBytes >> 8);
        memory.write(area + PIO_SETUP, fis);
    }

    void deviceBits(long area, TaskFile from, int completed) {
        int status = from.status & SHARED_STATUS;
        memory.writeInt(area + DEVICE_BITS, TYPE_DEVICE_BITS | INTERRUPT << 8 | status << 16 | from.error << 24);
        memory.writeInt(area + DEVICE_BITS + 4, completed);
    }
}

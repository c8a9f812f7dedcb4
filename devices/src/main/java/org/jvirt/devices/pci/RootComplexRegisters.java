package org.jvirt.devices.pci;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import org.jvirt.core.IoDevice;

/// The 16 KiB behind RCBA (ICH9 §10). The device interrupt routes D25IR–D31IR work; all others keep what is
/// written. Thread-safe.
final class RootComplexRegisters implements IoDevice {
    static final int BYTES = 0x4000;
    private static final int D31IR = 0x3140;
    private static final int D25IR = 0x3150;
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    /// By register: D31IR at 0x3140, D30IR 0x3142, D29IR 0x3144, D28IR 0x3146, D27IR 0x3148, D26IR 0x314C, D25IR
    /// 0x3150.
    private static final int[] ROUTE_OFFSETS = {D25IR, 0x314c, 0x3148, 0x3146, 0x3144, 0x3142, D31IR};

    private final PirqRouter router;
    private final byte[] content = new byte[BYTES + Long.BYTES]; // guarded by this

    RootComplexRegisters(PirqRouter router) {
        this.router = router;
        reset();
    }

    synchronized void reset() {
        MemorySegment.ofArray(content).fill((byte) 0);
        for (int i = 0; i < ROUTE_OFFSETS.length; i++) {
            content[ROUTE_OFFSETS[i]] = 0x10;
            content[ROUTE_OFFSETS[i] + 1] = 0x32;
        }
        applyRoutes();
    }

    synchronized byte[] bytes() {
        return content.clone();
    }

    synchronized void load(byte[] saved) {
        System.arraycopy(saved, 0, content, 0, content.length);
        applyRoutes();
    }

    private void applyRoutes() {
        for (int i = 0; i < ROUTE_OFFSETS.length; i++) {
            int at = ROUTE_OFFSETS[i];
            router.setDeviceRoute(25 + i, content[at] & 0xff | (content[at + 1] & 0xff) << 8);
        }
    }

    @Override
    public synchronized long read(long offset, int size) {
        long value = MemorySegment.ofArray(content).get(LONG, offset);
        return size == 8 ? value : value & (1L << 8 * size) - 1;
    }

    @Override
    public synchronized void write(long offset, int size, long value) {
        for (int i = 0; i < size; i++) {
            content[(int) offset + i] = (byte) (value >>> 8 * i);
        }
        if (offset < D25IR + 2 && offset + size > D31IR) {
            applyRoutes();
        }
    }
}

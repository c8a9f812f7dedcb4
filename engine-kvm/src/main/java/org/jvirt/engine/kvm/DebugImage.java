package org.jvirt.engine.kvm;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemorySegment;
import java.util.List;
import org.jvirt.core.GuestDebug;

/// `struct kvm_guest_debug`: control, padding, then debug registers 0–7.
///
/// Source: API, 4.87; Intel SDM volume 3, 19.2.4.
final class DebugImage {
    static final int BYTES = 72;
    private static final int ENABLE = 1;
    private static final int SINGLE_STEP = 2;
    private static final int USE_SW_BP = 0x1_0000;
    private static final int USE_HW_BP = 0x2_0000;
    private static final int REGISTERS = 8;
    private static final long DR7_ALWAYS = 0x400;

    private DebugImage() {}

    static void fill(MemorySegment image, GuestDebug wishes) {
        image.fill((byte) 0);
        if (wishes.isNone()) {
            return;
        }
        List<GuestDebug.Point> points = wishes.points();
        image.set(
                JAVA_INT,
                0,
                ENABLE
                        | (wishes.singleStep() ? SINGLE_STEP : 0)
                        | (wishes.trapInt3() ? USE_SW_BP : 0)
                        | (points.isEmpty() ? 0 : USE_HW_BP));
        long control = DR7_ALWAYS;
        for (int i = 0; i < points.size(); i++) {
            GuestDebug.Point point = points.get(i);
            image.set(JAVA_LONG, REGISTERS + 8L * i, point.gva());
            control |= 2L << 2 * i
                    | (long) point.kind().code() << 16 + 4 * i
                    | (long) lengthCode(point.bytes()) << 18 + 4 * i;
        }
        image.set(JAVA_LONG, REGISTERS + 8 * 7, control);
    }

    private static int lengthCode(int bytes) {
        return switch (bytes) {
            case 2 -> 1;
            case 4 -> 3;
            case 8 -> 2;
            default -> 0;
        };
    }
}

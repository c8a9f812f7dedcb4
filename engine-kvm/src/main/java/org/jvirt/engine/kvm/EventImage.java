package org.jvirt.engine.kvm;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.MemorySegment;
import org.jvirt.core.cpu.PendingEvents;

/// `struct kvm_vcpu_events`: what waits for delivery or has been interrupted in it.
///
/// ```
/// 0 exception: injected, nr, has_error_code, pending, error_code   8 interrupt: injected, nr, soft, shadow
/// 12 nmi: injected, pending, masked   16 sipi_vector   20 flags   24 smi
/// ```
final class EventImage {
    static final int BYTES = 64;
    private static final int EXCEPTION = 0;
    private static final int INTERRUPT = 8;
    private static final int SHADOW = 11;
    private static final int NMI_INJECTED = 12;
    private static final int NMI_PENDING = 13;
    private static final int NMI_MASKED = 14;
    private static final int FLAGS = 20;
    private static final int VALID_NMI_PENDING = 1;
    private static final int VALID_SHADOW = 4;
    private static final int STI = 2;
    private static final int NMI_VECTOR = 2;
    private static final int EXCEPTIONS = 32;

    private EventImage() {}

    static PendingEvents parse(MemorySegment image) {
        int vector = -1;
        int errorCode = -1;
        if (image.get(JAVA_BYTE, EXCEPTION) != 0 || image.get(JAVA_BYTE, EXCEPTION + 3) != 0) {
            vector = image.get(JAVA_BYTE, EXCEPTION + 1) & 0xFF;
            errorCode = image.get(JAVA_BYTE, EXCEPTION + 2) != 0 ? image.get(JAVA_INT, EXCEPTION + 4) : -1;
        } else if (image.get(JAVA_BYTE, NMI_INJECTED) != 0) {
            vector = NMI_VECTOR;
        } else if (image.get(JAVA_BYTE, INTERRUPT) != 0) {
            vector = image.get(JAVA_BYTE, INTERRUPT + 1) & 0xFF;
        }
        return new PendingEvents(
                image.get(JAVA_BYTE, NMI_PENDING) != 0,
                nmiMasked(image),
                image.get(JAVA_BYTE, SHADOW) != 0,
                vector,
                errorCode);
    }

    static boolean nmiMasked(MemorySegment image) {
        return image.get(JAVA_BYTE, NMI_MASKED) != 0;
    }

    /// @param interruptsEnabled whether RFLAGS.IF is set: an external interrupt can have begun only then
    static void fill(MemorySegment image, PendingEvents events, boolean interruptsEnabled, boolean realMode) {
        image.fill((byte) 0);
        int vector = events.injectedVector();
        // In real mode the 8259 pair's vectors 8–15 look like exceptions.
        boolean external = vector >= EXCEPTIONS || realMode && interruptsEnabled && vector >= 8 && vector < 16;
        if (vector == NMI_VECTOR) {
            set(image, NMI_INJECTED, 1);
        } else if (external) {
            set(image, INTERRUPT, 1);
            set(image, INTERRUPT + 1, vector);
        } else if (vector >= 0) {
            set(image, EXCEPTION, 1);
            set(image, EXCEPTION + 1, vector);
            set(image, EXCEPTION + 2, events.injectedErrorCode() >= 0 ? 1 : 0);
            image.set(JAVA_INT, EXCEPTION + 4, Math.max(0, events.injectedErrorCode()));
        }
        set(image, SHADOW, events.interruptShadow() ? STI : 0);
        set(image, NMI_PENDING, events.nmiPending() ? 1 : 0);
        set(image, NMI_MASKED, events.nmiBlocked() || vector == NMI_VECTOR ? 1 : 0);
        image.set(JAVA_INT, FLAGS, VALID_NMI_PENDING | VALID_SHADOW);
    }

    private static void set(MemorySegment image, int at, int value) {
        image.set(JAVA_BYTE, at, (byte) value);
    }
}

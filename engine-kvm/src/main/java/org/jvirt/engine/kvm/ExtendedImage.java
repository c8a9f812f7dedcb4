package org.jvirt.engine.kvm;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.jvirt.core.UserErrorException;
import org.jvirt.core.cpu.CpuFeature;
import org.jvirt.core.cpu.CpuidTable;
import org.jvirt.core.cpu.XsaveArea;

/// `struct kvm_xsave`, an XSAVE area in standard format, and `struct kvm_xcrs`: count, flags, then xcr, reserved,
/// value.
///
/// KVM always gives 4096 bytes; what a VM saves is as long as its CPUID table makes the area, so that it fits
/// another engine and another host.
final class ExtendedImage {
    static final int BYTES = 4096;
    static final int XCRS_BYTES = 392;
    private static final int XCR0_VALUE = 16;
    private static final int MINIMUM = XsaveArea.LEGACY_BYTES + XsaveArea.HEADER_BYTES;
    private static final int XSTATE_BV = XsaveArea.LEGACY_BYTES;
    private static final int XSAVE_LEAF = 0xD;
    private static final int MXCSR_MASK = 28;
    /// The processor ignores it, and the kernel keeps notes of its own there.
    private static final int FOR_SOFTWARE = 464;

    private static final int FIRST_COMPONENT = 2;
    private static final int LAST_COMPONENT = 62;
    private static final long X87_AND_SSE = 3;

    private ExtendedImage() {}

    /// How long the area is for a guest with this table.
    static int bytes(CpuidTable cpuid) {
        int bytes = MINIMUM;
        if (cpuid.has(CpuFeature.XSAVE)) {
            for (int i = FIRST_COMPONENT; i <= LAST_COMPONENT; i++) {
                // EAX is the component's size, EBX its offset, ECX bit 0 a supervisor's, which is not in this format
                bytes = Math.max(
                        bytes,
                        cpuid.leaf(XSAVE_LEAF, i)
                                .map(leaf -> (leaf.ecx() & 1) == 0 ? leaf.eax() + leaf.ebx() : 0)
                                .orElse(0));
            }
        }
        return Math.min(bytes, BYTES);
    }

    static XsaveArea parse(MemorySegment image, int bytes) {
        var content = image.asSlice(0, bytes).toArray(JAVA_BYTE);
        // the same on every host and engine: all bits of MXCSR exist
        content[MXCSR_MASK] = (byte) 0xFF;
        content[MXCSR_MASK + 1] = (byte) 0xFF;
        content[MXCSR_MASK + 2] = 0;
        content[MXCSR_MASK + 3] = 0;
        Arrays.fill(content, FOR_SOFTWARE, XsaveArea.LEGACY_BYTES, (byte) 0);
        return new XsaveArea(content);
    }

    /// @throws UserErrorException if `area` holds more than `bytes`
    static void fill(MemorySegment image, XsaveArea area, int bytes) {
        image.fill((byte) 0);
        byte[] content = area.bytes();
        for (int i = bytes; i < content.length; i++) {
            if (content[i] != 0) {
                throw new UserErrorException("The saved extended registers have %d bytes, and this VM's processor %d"
                        .formatted(content.length, bytes));
            }
        }
        int length = Math.min(content.length, bytes);
        MemorySegment.copy(content, 0, image, JAVA_BYTE, 0, length);
        // x87 and SSE are always there, also where the saver found them in their initial state and wrote nothing
        image.set(JAVA_LONG, XSTATE_BV, image.get(JAVA_LONG, XSTATE_BV) | X87_AND_SSE);
        image.asSlice(XSTATE_BV + 8, XsaveArea.HEADER_BYTES - 8).fill((byte) 0);
    }

    static long xcr0(MemorySegment xcrs) {
        return xcrs.get(JAVA_INT, 0) > 0 ? xcrs.get(JAVA_LONG, XCR0_VALUE) : 1;
    }

    static void fillXcr0(MemorySegment xcrs, long value) {
        xcrs.fill((byte) 0);
        xcrs.set(JAVA_INT, 0, 1);
        xcrs.set(JAVA_LONG, XCR0_VALUE, value);
    }
}

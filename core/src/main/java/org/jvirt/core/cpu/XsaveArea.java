package org.jvirt.core.cpu;

import java.util.Arrays;

/// x87, SSE and AVX state in the standard (non-compacted) XSAVE layout, at least the 512-byte legacy area and the
/// 64-byte header.
///
/// Source: Intel SDM volume 1, 13.4.
public final class XsaveArea {
    public static final int LEGACY_BYTES = 512;
    public static final int HEADER_BYTES = 64;
    private static final int MINIMUM_BYTES = LEGACY_BYTES + HEADER_BYTES;

    private final byte[] bytes;

    public XsaveArea(byte[] bytes) {
        if (bytes.length < MINIMUM_BYTES) {
            throw new IllegalArgumentException(
                    "An XSAVE area has at least %d bytes, not %d".formatted(MINIMUM_BYTES, bytes.length));
        }
        this.bytes = bytes.clone();
    }

    /// The state after power-on: FCW 0x37F as FNINIT leaves it, MXCSR 0x1F80, all registers zero.
    public static XsaveArea initial() {
        var bytes = new byte[MINIMUM_BYTES];
        bytes[0] = 0x7f;
        bytes[1] = 0x03;
        bytes[24] = (byte) 0x80;
        bytes[25] = 0x1f;
        return new XsaveArea(bytes);
    }

    public byte[] bytes() {
        return bytes.clone();
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof XsaveArea area && Arrays.equals(bytes, area.bytes);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(bytes);
    }
}

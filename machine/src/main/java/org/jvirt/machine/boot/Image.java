package org.jvirt.machine.boot;

import java.lang.foreign.MemorySegment;
import org.jvirt.core.UserErrorException;

/// A kernel file's bytes, little-endian, with checked access: leaving the file means it is truncated.
record Image(byte[] bytes, HostFile file) {
    int u8(long offset) {
        check(offset, 1);
        return bytes[(int) offset] & 0xff;
    }

    int u16(long offset) {
        return u8(offset) | u8(offset + 1) << 8;
    }

    int i32(long offset) {
        return u16(offset) | u16(offset + 2) << 16;
    }

    long u32(long offset) {
        return i32(offset) & 0xffff_ffffL;
    }

    long u64(long offset) {
        return u32(offset) | u32(offset + 4) << 32;
    }

    MemorySegment slice(long offset, long length) {
        check(offset, length);
        return MemorySegment.ofArray(bytes).asSlice(offset, length);
    }

    boolean has(long offset, long length) {
        return offset >= 0 && length >= 0 && offset <= bytes.length - length;
    }

    private void check(long offset, long length) {
        if (!has(offset, length)) {
            throw new UserErrorException(
                    "The kernel '%s' is truncated: it has %d bytes but refers to 0x%x–0x%x: fetch it again"
                            .formatted(file.path(), bytes.length, offset, offset + length));
        }
    }
}

package org.jvirt.engine.soft.cpu;

/// Locked operations that no Java method does at once: of values that cross 8 bytes, and of 16 bytes. With them the
/// interpreter's are atomic against those in translated code, too. Owner thread only.
///
/// Operands are on one page, at an offset in the guest's backing memory.
public interface LockedAccess {
    /// `LOCK CMPXCHG` of 2, 4 or 8 bytes at any offset; answers what was found, zero-extended.
    long exchange(long at, int size, long expected, long value);

    /// `LOCK CMPXCHG16B` at a multiple of 16; answers whether the expected pair was found.
    boolean exchange16(long at, long expectedLow, long expectedHigh, long low, long high);

    /// What the last [#exchange16] found.
    long foundLow();

    long foundHigh();
}

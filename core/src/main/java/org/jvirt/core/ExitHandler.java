package org.jvirt.core;

/// What lies outside one vCPU: ports and memory-mapped registers. Called on that vCPU's thread only.
///
/// `size` is 1, 2, 4 or (MMIO) 8 bytes; values are zero-extended, and bits above `size` of a written value are
/// ignored. Wider or page-crossing accesses arrive in pieces, lowest address first. Must not throw for anything a
/// guest can do.
public interface ExitHandler {
    long readPort(int port, int size);

    void writePort(int port, int size, long value);

    long readMmio(long gpa, int size);

    void writeMmio(long gpa, int size, long value);
}

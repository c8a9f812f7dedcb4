package org.jvirt.core.cpu;

/// The registers programs see.
public record GeneralRegisters(
        long rax,
        long rcx,
        long rdx,
        long rbx,
        long rsp,
        long rbp,
        long rsi,
        long rdi,
        long r8,
        long r9,
        long r10,
        long r11,
        long r12,
        long r13,
        long r14,
        long r15,
        long rip,
        long rflags) {
    public static final int COUNT = 16;

    /// From the 16 registers in encoding order (rax, rcx, rdx, rbx, rsp, …).
    public static GeneralRegisters of(long[] r, long rip, long rflags) {
        return new GeneralRegisters(
                r[0], r[1], r[2], r[3], r[4], r[5], r[6], r[7], r[8], r[9], r[10], r[11], r[12], r[13], r[14], r[15],
                rip, rflags);
    }

    /// The 16 registers in encoding order.
    public long[] toArray() {
        return new long[] {rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi, r8, r9, r10, r11, r12, r13, r14, r15};
    }
}

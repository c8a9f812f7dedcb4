package org.jvirt.engine.soft.cpu;

/// Values on their way to a stack in 16- or 32-bit mode: all are checked before the first is written.
final class StackFrame {
    private static final int MAX_VALUES = 48;

    private final Cpu cpu;
    private final int size;
    private final boolean current;
    private final long mask;
    private final long base;
    private final long low;
    private final long high;
    private final int errorCode;
    private final long[] values = new long[MAX_VALUES];
    private int count;
    private final long start;
    private long pointer;

    /// On the current stack.
    ///
    /// @param size of each value: 2 or 4
    StackFrame(Cpu cpu, int segment, long pointer, int size, boolean wide) {
        this.cpu = cpu;
        this.size = size;
        current = true;
        mask = wide ? 0xFFFF_FFFFL : cpu.stackMask();
        base = cpu.segments.base(segment);
        low = 0;
        high = 0;
        errorCode = 0;
        start = pointer;
        this.pointer = pointer;
    }

    /// On another stack.
    ///
    /// @param descriptor of its segment, already checked
    /// @param errorCode  of the `#SS` when it has no room
    StackFrame(Cpu cpu, long descriptor, long pointer, int size, int errorCode) {
        this.cpu = cpu;
        this.size = size;
        current = false;
        mask = Descriptor.big(descriptor) ? 0xFFFF_FFFFL : 0xFFFF;
        base = Descriptor.base(descriptor);
        boolean down = (Descriptor.type(descriptor) & 4) != 0;
        low = down ? Descriptor.limit(descriptor) + 1 : 0;
        high = down ? mask : Descriptor.limit(descriptor);
        this.errorCode = errorCode;
        start = pointer & mask;
        this.pointer = start;
    }

    void push(long value) {
        values[count++] = value;
        pointer = pointer - size & mask;
    }

    /// The stack pointer after all pushes.
    long pointer() {
        return pointer;
    }

    /// Writes everything, or faults having written nothing.
    void commit() {
        long[] la = new long[count];
        for (int i = 0; i < count; i++) {
            la[i] = address(start - (long) size * (i + 1) & mask);
        }
        boolean system = !current;
        int context = system ? cpu.mmu.tlb.enterSystem() : -1;
        try {
            for (int i = count - 1; i >= 0; i--) {
                cpu.mmu.checkWrite(la[i], size);
            }
            for (int i = 0; i < count; i++) {
                cpu.mmu.store(la[i], size, values[i]);
            }
        } finally {
            if (system) {
                cpu.mmu.tlb.leaveSystem(context);
            }
        }
    }

    private long address(long offset) {
        if (current) {
            return cpu.stackLinear(offset, size, true);
        }
        if (offset < low || offset + size - 1 > high) {
            throw cpu.ss(errorCode);
        }
        return base + offset & 0xFFFF_FFFFL;
    }
}

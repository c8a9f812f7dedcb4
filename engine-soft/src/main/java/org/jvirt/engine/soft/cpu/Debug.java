package org.jvirt.engine.soft.cpu;

import org.jvirt.core.cpu.DebugRegisters;

/// The debug registers: breakpoints on execution, data and ports, general detect, and the status they leave in DR6.
///
/// Source: Intel SDM volume 3, 18.2.
public final class Debug {
    static final long SINGLE_STEP = 1 << 14;
    static final long TASK_SWITCH = 1 << 15;
    static final long GENERAL_DETECT = 1 << 13;
    private static final long DR6_FIXED = 0xFFFF_0FF0L;
    private static final long DR7_FIXED = 0x400;
    private static final long DR7_GENERAL_DETECT = 1 << 13;

    private static final int EXECUTE = 0;
    private static final int WRITE = 1;
    private static final int PORT = 2;

    private final Cpu cpu;
    private final long[] address = new long[4];
    private long dr6 = DR6_FIXED;
    private long dr7 = DR7_FIXED;
    private boolean executes;
    private boolean watches;
    private boolean ports;
    /// DR6 bits of data and port breakpoints met by the current instruction.
    private long met;

    Debug(Cpu cpu) {
        this.cpu = cpu;
    }

    DebugRegisters save() {
        return new DebugRegisters(address[0], address[1], address[2], address[3], dr6, dr7);
    }

    void load(DebugRegisters saved) {
        address[0] = saved.dr0();
        address[1] = saved.dr1();
        address[2] = saved.dr2();
        address[3] = saved.dr3();
        dr6 = saved.dr6();
        dr7 = saved.dr7();
        met = 0;
        update();
    }

    /// MOV from DR0–DR7. DR4 and DR5 mean DR6 and DR7 unless CR4.DE makes them undefined.
    public long read(int register) {
        int number = check(register);
        return switch (number) {
            case 6 -> dr6;
            case 7 -> dr7;
            default -> address[number];
        };
    }

    /// MOV to DR0–DR7.
    ///
    /// @throws GuestFault `#GP(0)` for upper bits in DR6 and DR7
    public void write(int register, long value) {
        int number = check(register);
        if (number >= 6 && value >>> 32 != 0) {
            throw cpu.gp(0);
        }
        switch (number) {
            case 6 -> dr6 = value & 0xE00FL | DR6_FIXED;
            case 7 -> dr7 = value & 0xFFFF_2BFFL | DR7_FIXED;
            default -> address[number] = value;
        }
        update();
    }

    private int check(int register) {
        boolean alias = register == 4 || register == 5;
        if (alias && (cpu.control.cr4() & Control.DE) != 0) {
            throw cpu.ud();
        }
        if ((dr7 & DR7_GENERAL_DETECT) != 0) {
            throw cpu.db(GENERAL_DETECT);
        }
        return alias ? register + 2 : register;
    }

    private void update() {
        executes = false;
        watches = false;
        ports = false;
        for (int i = 0; i < 4; i++) {
            if (enabled(i)) {
                executes |= kind(i) == EXECUTE;
                watches |= (kind(i) & 1) != 0;
                ports |= kind(i) == PORT;
            }
        }
        cpu.mmu.tlb.flushFast();
        cpu.endBlock();
    }

    private boolean enabled(int i) {
        return (dr7 >> 2 * i & 3) != 0;
    }

    private int kind(int i) {
        return (int) (dr7 >> 16 + 4 * i) & 3;
    }

    private int length(int i) {
        return switch ((int) (dr7 >> 18 + 4 * i) & 3) {
            case 0 -> 1;
            case 1 -> 2;
            case 2 -> 8;
            default -> 4;
        };
    }

    /// Whether any execution breakpoint is enabled.
    public boolean hasExecutionBreakpoints() {
        return executes;
    }

    /// The DR6 bits of execution breakpoints at a linear address.
    long executionHits(long la) {
        long hits = 0;
        for (int i = 0; i < 4; i++) {
            if (enabled(i) && kind(i) == EXECUTE && address[i] == la) {
                hits |= 1L << i;
            }
        }
        return hits;
    }

    /// Whether there are data breakpoints.
    boolean watchesAnything() {
        return watches;
    }

    /// Whether data breakpoints lie in this linear page.
    boolean watchesData(long page) {
        if (!watches) {
            return false;
        }
        for (int i = 0; i < 4; i++) {
            if (enabled(i) && (kind(i) & 1) != 0 && (address[i] & -4096L) == page) {
                return true;
            }
        }
        return false;
    }

    /// Notes an access that took the slow way.
    void noteAccess(long la, int size, boolean write) {
        if (!watches) {
            return;
        }
        for (int i = 0; i < 4; i++) {
            int kind = kind(i);
            if (enabled(i) && (kind == 3 || kind == WRITE && write)) {
                note(i, la, size);
            }
        }
    }

    /// Notes an access to ports.
    public void notePort(int port, int size) {
        if (!ports || (cpu.control.cr4() & Control.DE) == 0) {
            return;
        }
        for (int i = 0; i < 4; i++) {
            if (enabled(i) && kind(i) == PORT) {
                note(i, port, size);
            }
        }
    }

    private void note(int i, long at, int size) {
        int length = length(i);
        long first = address[i] & -length;
        if (at < first + length && first < at + size) {
            met |= 1L << i;
            cpu.endBlock();
        }
    }

    /// Notes a trap for the end of the current instruction.
    void trap(long bits) {
        met |= bits;
        cpu.endBlock();
    }

    /// A fault ends the instruction: what it has met is forgotten.
    public void dropMet() {
        met = 0;
    }

    /// Data and port breakpoints met since the last call.
    long takeMet() {
        long bits = met;
        met = 0;
        return bits;
    }

    /// Delivery of #DB: DR6 takes the bits, and general detect is switched off.
    void delivered(long bits) {
        dr6 = dr6 & ~15L | bits;
        dr7 &= ~DR7_GENERAL_DETECT;
    }

    /// A task switch clears the local enable bits.
    void taskSwitched() {
        dr7 &= ~0x155L;
        update();
    }
}

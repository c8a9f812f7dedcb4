package org.jvirt.engine.soft.cpu;

import java.util.Map;
import org.jvirt.core.GuestMemory;
import org.jvirt.core.cpu.CpuidLeaf;

/// What a guest that knows KVM's interface finds: kvm-clock, wall clock, paravirtual EOI, steal time, hypercalls.
/// Only what CPUID 0x4000_0001 announces exists.
///
/// Time: guest time runs with the invariant counter, so one set of numbers, the same for all processors, stays
/// right for ever: counter value `tscAdjust` is time 0.
///
/// Source: Linux, Documentation/virt/kvm/x86/msr.rst, hypercalls.rst, cpuid.rst.
public final class Paravirtual {
    private static final int WALL_CLOCK_OLD = 0x11;
    private static final int SYSTEM_TIME_OLD = 0x12;
    private static final int WALL_CLOCK = 0x4B56_4D00;
    private static final int SYSTEM_TIME = 0x4B56_4D01;
    private static final int STEAL_TIME = 0x4B56_4D03;
    private static final int END_OF_INTERRUPT = 0x4B56_4D04;
    private static final int POLL_CONTROL = 0x4B56_4D05;

    private static final int FEATURE_CLOCK_OLD = 0;
    private static final int FEATURE_CLOCK = 3;
    private static final int FEATURE_STEAL_TIME = 5;
    private static final int FEATURE_END_OF_INTERRUPT = 6;
    private static final int FEATURE_SEND_INTERRUPTS = 11;
    private static final int FEATURE_POLL_CONTROL = 12;

    private static final int ENABLED = 1;
    private static final long NANOS = 1_000_000_000L;
    private static final int FLAG_TSC_STABLE = 1;

    private static final int CALL_POLL_INTERRUPTS = 1;
    private static final int CALL_KICK = 5;
    private static final int CALL_SEND_INTERRUPTS = 10;
    private static final long NO_SUCH_CALL = -1000;
    private static final long NOT_PERMITTED = -1;
    private static final long INVALID = -22;
    private static final long MSI_ADDRESS = 0xFEE0_0000L;
    /// Vector and delivery mode: all that a paravirtual interrupt command may have besides the assert bit.
    private static final long COMMAND_BITS = 0x7FF;
    private static final long ASSERT = 0x4000;

    private final Cpu cpu;
    private final int features;
    private final int multiplier;
    private final int shift;
    private long wallClock;
    private long systemTime;
    private long stealTime;
    private long endOfInterrupt;
    private long pollControl = 1;
    private int clockVersion;
    private int wallVersion;
    /// The guest has been told that it may end the interrupt in service by clearing a bit in memory.
    private boolean silentEndOffered;

    Paravirtual(Cpu cpu) {
        this.cpu = cpu;
        features = cpu.cpuid().leaf(0x4000_0001, 0).map(CpuidLeaf::eax).orElse(0);
        long hz = cpu.processors().tsc().hz();
        // nanos = ((ticks << shift) * multiplier) >> 32, the multiplier as large as fits
        int s = 0;
        while (scaled(hz, s) <= NANOS) {
            s++;
        }
        while (scaled(hz, s - 1) > NANOS) {
            s--;
        }
        shift = s;
        long scaled = scaled(hz, s);
        multiplier = (int) ((NANOS << 32) / scaled);
    }

    private static long scaled(long hz, int shift) {
        return shift >= 0 ? hz << shift : hz >> -shift;
    }

    /// Whether the guest has been told of KVM's interface.
    public boolean isPresent() {
        return features != 0;
    }

    static boolean owns(int msr) {
        return msr == WALL_CLOCK_OLD || msr == SYSTEM_TIME_OLD || msr >= WALL_CLOCK && msr <= WALL_CLOCK + 0xFF;
    }

    private boolean has(int feature) {
        return (features >>> feature & 1) != 0;
    }

    private void require(int feature) {
        if (!has(feature)) {
            throw cpu.gp(0);
        }
    }

    void reset() {
        wallClock = 0;
        systemTime = 0;
        stealTime = 0;
        endOfInterrupt = 0;
        pollControl = 1;
        silentEndOffered = false;
    }

    // ---------------------------------------------------------------- registers

    long read(int msr) {
        switch (msr) {
            case WALL_CLOCK_OLD, SYSTEM_TIME_OLD -> require(FEATURE_CLOCK_OLD);
            case WALL_CLOCK, SYSTEM_TIME -> require(FEATURE_CLOCK);
            case STEAL_TIME -> require(FEATURE_STEAL_TIME);
            case END_OF_INTERRUPT -> require(FEATURE_END_OF_INTERRUPT);
            case POLL_CONTROL -> require(FEATURE_POLL_CONTROL);
            default -> throw cpu.gp(0);
        }
        return switch (msr) {
            case WALL_CLOCK_OLD, WALL_CLOCK -> wallClock;
            case SYSTEM_TIME_OLD, SYSTEM_TIME -> systemTime;
            case STEAL_TIME -> stealTime;
            case END_OF_INTERRUPT -> endOfInterrupt;
            default -> pollControl;
        };
    }

    void write(int msr, long value) {
        read(msr);
        switch (msr) {
            case WALL_CLOCK_OLD, WALL_CLOCK -> {
                wallClock = value;
                writeWallClock();
            }
            case SYSTEM_TIME_OLD, SYSTEM_TIME -> {
                systemTime = value;
                writeSystemTime();
            }
            case STEAL_TIME -> {
                if ((value & 0x3E) != 0) {
                    throw cpu.gp(0);
                }
                stealTime = value;
                writeStealTime();
            }
            case END_OF_INTERRUPT -> {
                if ((value & 2) != 0) {
                    throw cpu.gp(0);
                }
                endOfInterrupt = value;
                silentEndOffered = false;
            }
            default -> {
                if ((value & ~1) != 0) {
                    throw cpu.gp(0);
                }
                pollControl = value;
            }
        }
    }

    void save(Map<Integer, Long> into) {
        if (has(FEATURE_CLOCK) || has(FEATURE_CLOCK_OLD)) {
            into.put(WALL_CLOCK, wallClock);
            into.put(SYSTEM_TIME, systemTime);
        }
        if (has(FEATURE_STEAL_TIME)) {
            into.put(STEAL_TIME, stealTime);
        }
        if (has(FEATURE_END_OF_INTERRUPT)) {
            into.put(END_OF_INTERRUPT, endOfInterrupt);
        }
        if (has(FEATURE_POLL_CONTROL)) {
            into.put(POLL_CONTROL, pollControl);
        }
    }

    /// Restores one register; the clock page is written anew, the wall clock is not.
    void load(int msr, long value) {
        switch (msr) {
            case WALL_CLOCK_OLD, WALL_CLOCK -> wallClock = value;
            case SYSTEM_TIME_OLD, SYSTEM_TIME -> {
                systemTime = value;
                writeSystemTime();
            }
            case STEAL_TIME -> stealTime = value;
            case END_OF_INTERRUPT -> {
                endOfInterrupt = value;
                // an offer made before is still in the guest's memory
                silentEndOffered = endsSilently() && (memory().readByte(value & ~3L) & 1) != 0;
            }
            case POLL_CONTROL -> pollControl = value;
            default -> {
                // not one of ours
            }
        }
    }

    // ---------------------------------------------------------------- time

    private GuestMemory memory() {
        return cpu.processors().memory();
    }

    private boolean writable(long gpa, long bytes) {
        return memory().contains(gpa, bytes) && memory().writableOffsetOf(gpa) >= 0;
    }

    void tscChanged() {
        writeSystemTime();
    }

    private void writeSystemTime() {
        long gpa = systemTime & ~(long) ENABLED;
        if ((systemTime & ENABLED) == 0 || !writable(gpa, 32)) {
            return;
        }
        GuestMemory memory = memory();
        clockVersion = (memory.readInt(gpa) & ~1) + 1;
        memory.writeInt(gpa, clockVersion);
        memory.writeInt(gpa + 4, 0);
        memory.writeLong(gpa + 8, cpu.msrs.tscAdjust());
        memory.writeLong(gpa + 16, 0);
        memory.writeInt(gpa + 24, multiplier);
        memory.writeInt(gpa + 28, shift & 0xFF | FLAG_TSC_STABLE << 8);
        memory.writeInt(gpa, ++clockVersion);
    }

    private void writeWallClock() {
        if (!writable(wallClock, 12)) {
            return;
        }
        GuestMemory memory = memory();
        var clock = cpu.processors().tsc().clock();
        long start = clock.wallNanos() - clock.nanos();
        wallVersion = (memory.readInt(wallClock) & ~1) + 1;
        memory.writeInt(wallClock, wallVersion);
        memory.writeInt(wallClock + 4, (int) Math.floorDiv(start, NANOS));
        memory.writeInt(wallClock + 8, (int) Math.floorMod(start, NANOS));
        memory.writeInt(wallClock, ++wallVersion);
    }

    /// Nothing is ever stolen that the engine could know of.
    private void writeStealTime() {
        long gpa = stealTime & ~63L;
        if ((stealTime & ENABLED) == 0 || !writable(gpa, 64)) {
            return;
        }
        memory().writeLong(gpa, 0);
        memory().writeInt(gpa + 8, (memory().readInt(gpa + 8) & ~1) + 2);
    }

    // ---------------------------------------------------------------- end of interrupt

    private boolean endsSilently() {
        return (endOfInterrupt & ENABLED) != 0 && writable(endOfInterrupt & ~3L, 4);
    }

    /// Offers the guest to end the interrupt it has just been given without leaving its code.
    void interruptTaken(int vector) {
        if (endsSilently() && cpu.processors().local(cpu.index()).allowsSilentEnd(vector)) {
            long gpa = endOfInterrupt & ~3L;
            memory().writeByte(gpa, memory().readByte(gpa) | 1);
            silentEndOffered = true;
        }
    }

    /// Before the local APIC is asked for an interrupt: passes on an end that the guest has signalled, or takes the
    /// offer back so that it will signal it to the APIC itself.
    void settleEndOfInterrupt() {
        if (!silentEndOffered) {
            return;
        }
        silentEndOffered = false;
        if (!endsSilently()) {
            return;
        }
        long gpa = endOfInterrupt & ~3L;
        int value = memory().readByte(gpa);
        if ((value & 1) == 0) {
            cpu.processors().local(cpu.index()).endOfInterrupt();
        } else {
            memory().writeByte(gpa, value & ~1);
        }
    }

    // ---------------------------------------------------------------- hypercalls

    /// VMCALL and VMMCALL: the answer for RAX.
    public long hypercall() {
        boolean wide = cpu.longMode64();
        long mask = wide ? -1L : 0xFFFF_FFFFL;
        long result = cpu.cpl() != 0 ? NOT_PERMITTED : call(cpu.r[Cpu.RAX] & mask, cpu.r[Cpu.RCX] & mask, wide);
        return result & mask;
    }

    private long call(long number, long second, boolean wide) {
        if (number == CALL_POLL_INTERRUPTS) {
            return 0;
        }
        if (number == CALL_KICK) {
            for (Cpu other : cpu.processors().all()) {
                if (other.index() == second) {
                    other.signals.unhalt();
                }
            }
            return 0;
        }
        if (number == CALL_SEND_INTERRUPTS && has(FEATURE_SEND_INTERRUPTS)) {
            return wide
                    ? sendInterrupts(cpu.r[Cpu.RBX], second, cpu.r[Cpu.RDX], cpu.r[Cpu.RSI])
                    : sendInterrupts(cpu.r[Cpu.RBX] & 0xFFFF_FFFFL | second << 32, 0, cpu.r[Cpu.RDX], cpu.r[Cpu.RSI]);
        }
        return NO_SUCH_CALL;
    }

    /// One interrupt command for many processors: bit `i` of `high:low` means local APIC `first + i`. APIC ids are
    /// the processors' numbers.
    ///
    /// @return how many processors have been reached
    private long sendInterrupts(long low, long high, long first, long command) {
        if ((command & 0xFFFF_FFFFL & ~(COMMAND_BITS | ASSERT)) != 0) {
            return INVALID;
        }
        long start = first & 0xFFFF_FFFFL;
        long reached = 0;
        for (long id = start; id < Math.min(start + 128, cpu.processors().count()); id++) {
            long bit = id - start;
            if (((bit < 64 ? low : high) >>> bit & 1) != 0) {
                cpu.processors().send(MSI_ADDRESS | (id & 0xFF) << 12 | id >>> 8 << 5, (int) (command & COMMAND_BITS));
                reached++;
            }
        }
        return reached;
    }
}

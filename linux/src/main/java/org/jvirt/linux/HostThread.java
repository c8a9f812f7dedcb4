package org.jvirt.linux;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.BitSet;

/// The calling thread as the host's scheduler sees it. Thread-safe: each method changes the thread that calls it,
/// which must be a platform thread.
public final class HostThread {
    private static final int PRIO_PROCESS = 0;
    private static final String PRIVILEGE =
            "; it needs CAP_SYS_NICE or a higher limit (ulimit -e, -r; LimitNICE=, LimitRTPRIO=)";

    /// How the scheduler chooses among threads (`sched(7)`).
    public enum Policy {
        /// The usual one, with its nice value.
        OTHER(0),
        /// Real time, until it waits.
        FIFO(1),
        /// Real time, in turns.
        ROUND_ROBIN(2),
        /// As [#OTHER], woken with less haste.
        BATCH(3),
        /// What nobody else wants.
        IDLE(5);

        private final int number;

        Policy(int number) {
            this.number = number;
        }
    }

    private HostThread() {}

    /// The thread's number in `/proc/self/task`.
    public static int id() {
        return LibC.gettid();
    }

    /// Keeps the thread on these processors.
    ///
    /// @throws SystemCallException if it may run on none of them
    public static void pin(BitSet cpus) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment mask = bits(arena, cpus);
            int result = PlacementCalls.schedSetaffinity(0, mask.byteSize(), mask);
            if (result < 0) {
                throw new SystemCallException(
                        "keep a thread on host CPUs " + cpus, -result, "; name CPUs that this process may use");
            }
        }
    }

    /// @param priority 0, or 1–99 for the real-time policies
    /// @throws SystemCallException if the process may not
    public static void schedule(Policy policy, int priority) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment parameters = arena.allocate(JAVA_INT);
            parameters.set(JAVA_INT, 0, priority);
            int result = PlacementCalls.schedSetscheduler(0, policy.number, parameters);
            if (result < 0) {
                throw new SystemCallException(
                        "give a thread the scheduling policy %s with priority %d".formatted(policy, priority),
                        -result,
                        PRIVILEGE);
            }
        }
    }

    /// @param nice -20, the most, to 19, the least
    /// @throws SystemCallException if the process may not
    public static void nice(int nice) {
        int result = PlacementCalls.setpriority(PRIO_PROCESS, id(), nice);
        if (result < 0) {
            throw new SystemCallException("give a thread the nice value " + nice, -result, PRIVILEGE);
        }
    }

    /// As the kernel wants sets: words of 64 bits.
    static MemorySegment bits(Arena arena, BitSet set) {
        byte[] bytes = set.toByteArray();
        MemorySegment mask = arena.allocate((bytes.length + 7 & -8) + 8L, 8);
        MemorySegment.copy(bytes, 0, mask, JAVA_BYTE, 0, bytes.length);
        return mask;
    }
}

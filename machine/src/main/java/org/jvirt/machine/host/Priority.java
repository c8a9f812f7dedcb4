package org.jvirt.machine.host;

import java.util.Locale;
import org.jvirt.core.UserErrorException;
import org.jvirt.linux.HostThread;
import org.jvirt.linux.HostThread.Policy;

/// How eagerly the host runs a machine's processors.
public sealed interface Priority {
    /// The usual scheduling, from -20 (most) to 19 (least).
    record Nice(int value) implements Priority {
        public Nice {
            if (value < -20 || value > 19) {
                throw new UserErrorException("A nice value is from -20 to 19, not " + value);
            }
        }
    }

    /// Before everything that is not real time, from 1 to 99; a guest that computes then keeps its host CPU to
    /// itself.
    ///
    /// @param inTurns whether equals take turns (SCHED_RR) or wait for each other (SCHED_FIFO)
    record RealTime(boolean inTurns, int value) implements Priority {
        public RealTime {
            if (value < 1 || value > 99) {
                throw new UserErrorException("A real-time priority is from 1 to 99, not " + value);
            }
        }
    }

    /// As the usual, with less haste when woken (SCHED_BATCH).
    record Batch() implements Priority {}

    /// Only what nobody else wants (SCHED_IDLE).
    record Idle() implements Priority {}

    /// Reads `nice=N`, `fifo=N`, `rr=N`, `batch` or `idle`.
    ///
    /// @param option names the option in the message
    static Priority parse(String option, String text) {
        int equals = text.indexOf('=');
        String kind = (equals < 0 ? text : text.substring(0, equals)).toLowerCase(Locale.ROOT);
        String value = equals < 0 ? "" : text.substring(equals + 1);
        try {
            return switch (kind) {
                case "nice" -> new Nice(Integer.parseInt(value));
                case "fifo" -> new RealTime(false, Integer.parseInt(value));
                case "rr" -> new RealTime(true, Integer.parseInt(value));
                case "batch" -> new Batch();
                case "idle" -> new Idle();
                default -> throw malformed(option, text);
            };
        } catch (NumberFormatException e) {
            throw malformed(option, text);
        }
    }

    private static UserErrorException malformed(String option, String text) {
        return new UserErrorException(
                "%s: '%s' is no priority: write nice=N, fifo=N, rr=N, batch or idle".formatted(option, text));
    }

    /// Gives it to the calling thread.
    ///
    /// @throws org.jvirt.core.HostFailureException if the process may not
    default void apply() {
        switch (this) {
            case Nice nice -> HostThread.nice(nice.value());
            case RealTime real -> HostThread.schedule(real.inTurns() ? Policy.ROUND_ROBIN : Policy.FIFO, real.value());
            case Batch() -> HostThread.schedule(Policy.BATCH, 0);
            case Idle() -> HostThread.schedule(Policy.IDLE, 0);
        }
    }
}

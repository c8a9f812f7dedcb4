package org.jvirt.core;

import java.util.List;

/// What a debugger wants a vCPU to stop for. [Vcpu#run] then returns [RunResult.Debug]. The guest notices nothing
/// of it, but while `points` is not empty its own breakpoint registers are out of force.
///
/// @param singleStep    stop after every instruction
/// @param trapInt3      stop at INT3 (0xCC), which a debugger has put into the guest's code; an INT3 of the guest's
/// own
///                      stops, too, and the debugger must hand it on
/// @param points        at most [#MAX_POINTS]
public record GuestDebug(boolean singleStep, boolean trapInt3, List<Point> points) {
    /// What the four debug registers of a processor hold.
    public static final int MAX_POINTS = 4;

    public static final GuestDebug NONE = new GuestDebug(false, false, List.of());

    public GuestDebug {
        points = List.copyOf(points);
        if (points.size() > MAX_POINTS) {
            throw new UserErrorException("A processor has %d hardware breakpoints, not %d: use software breakpoints"
                    .formatted(MAX_POINTS, points.size()));
        }
    }

    public boolean isNone() {
        return !singleStep && !trapInt3 && points.isEmpty();
    }

    /// What a hardware breakpoint waits for, with its code in DR7.
    public enum Kind {
        EXECUTE(0),
        WRITE(1),
        ACCESS(3);

        private final int code;

        Kind(int code) {
            this.code = code;
        }

        public int code() {
            return code;
        }
    }

    /// A hardware breakpoint.
    ///
    /// @param gva   a multiple of `bytes`
    /// @param bytes 1, 2, 4 or 8; 1 for [Kind#EXECUTE]
    public record Point(Kind kind, long gva, int bytes) {
        public Point {
            boolean width = bytes == 1 || kind != Kind.EXECUTE && (bytes == 2 || bytes == 4 || bytes == 8);
            if (!width || (gva & bytes - 1) != 0) {
                throw new UserErrorException(
                        "A hardware breakpoint cannot cover %d bytes at 0x%x: 1, or for data 2,".formatted(bytes, gva)
                                + " 4 or 8 bytes, aligned to their number");
            }
        }
    }
}

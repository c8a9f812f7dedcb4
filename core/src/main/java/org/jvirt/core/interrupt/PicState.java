package org.jvirt.core.interrupt;

/// What one 8259A remembers.
///
/// @param lines         levels of the inputs
/// @param nextIcw       the initialisation word expected next, 0 for none
/// @param firstPriority the input with the highest priority
public record PicState(
        int lines,
        int irr,
        int isr,
        int imr,
        int elcr,
        int vectorBase,
        int icw4,
        int nextIcw,
        boolean needsIcw4,
        boolean single,
        int firstPriority,
        boolean rotateOnAutoEnd,
        boolean specialMask,
        boolean readIsr,
        boolean poll) {
    /// After power-on.
    public static final PicState RESET =
            new PicState(0, 0, 0, 0, 0, 0, 0, 0, false, false, 0, false, false, false, false);

    public PicState {
        if (((lines | irr | isr | imr | elcr | vectorBase) & ~0xff) != 0
                || (firstPriority & ~7) != 0
                || nextIcw < 0
                || nextIcw > 4) {
            throw new IllegalArgumentException("8259A state out of range");
        }
    }
}

package org.jvirt.devices.interrupt;

import org.jvirt.core.interrupt.PicState;

/// One 8259A. Guarded by the lock of its [PicPair].
///
/// The trigger mode of each input comes from ELCR; LTIM of ICW1 is ignored, as in ICH9. An edge that was seen stays
/// latched until it is acknowledged, so that a pulse is never lost.
final class Pic {
    private static final int ICW1 = 0x10;
    private static final int ICW1_IC4 = 1;
    private static final int ICW1_SNGL = 2;
    private static final int ICW4_AEOI = 2;
    private static final int ICW4_SFNM = 0x10;
    private static final int OCW3 = 0x08;

    private final boolean master;
    private final int elcrMask;

    private int lines;
    private int irr;
    private int isr;
    private int imr;
    private int elcr;
    private int vectorBase;
    private int icw4;
    /// The ICW expected next on the odd port: 2, 3, 4; 0 when initialised.
    private int nextIcw;
    private boolean needsIcw4;
    private boolean single;
    /// The input with the highest priority.
    private int first;
    private boolean rotateOnAutoEnd;
    private boolean specialMask;
    private boolean readIsr;
    private boolean poll;

    Pic(boolean master) {
        this.master = master;
        elcrMask = master ? 0xf8 : 0xde;
    }

    Pic(boolean master, PicState s) {
        this(master);
        lines = s.lines();
        irr = s.irr();
        isr = s.isr();
        imr = s.imr();
        elcr = s.elcr();
        vectorBase = s.vectorBase();
        icw4 = s.icw4();
        nextIcw = s.nextIcw();
        needsIcw4 = s.needsIcw4();
        single = s.single();
        first = s.firstPriority();
        rotateOnAutoEnd = s.rotateOnAutoEnd();
        specialMask = s.specialMask();
        readIsr = s.readIsr();
        poll = s.poll();
    }

    PicState save() {
        return new PicState(
                lines,
                irr,
                isr,
                imr,
                elcr,
                vectorBase,
                icw4,
                nextIcw,
                needsIcw4,
                single,
                first,
                rotateOnAutoEnd,
                specialMask,
                readIsr,
                poll);
    }

    /// Power-on and bus reset; the input levels belong to others and stay.
    void reset() {
        elcr = 0;
        vectorBase = 0;
        icw4 = 0;
        nextIcw = 0;
        clearForInitialization();
    }

    private void clearForInitialization() {
        irr = lines & levelInputs();
        isr = 0;
        imr = 0;
        first = 0;
        rotateOnAutoEnd = false;
        specialMask = false;
        readIsr = false;
        poll = false;
    }

    void setLine(int input, boolean high) {
        int bit = 1 << input;
        if ((levelInputs() & bit) != 0) {
            irr = high ? irr | bit : irr & ~bit;
        } else if (high && (lines & bit) == 0) {
            irr |= bit;
        }
        lines = high ? lines | bit : lines & ~bit;
    }

    /// The cascade counts as level-triggered: the slave's INT stays high exactly as long as it has a request.
    private int levelInputs() {
        return master ? elcr | 1 << PicPair.CASCADE : elcr;
    }

    /// The INT pin.
    boolean output() {
        return request() >= 0;
    }

    /// The input that interrupts, or -1.
    private int request() {
        int requests = irr & ~imr;
        if (requests == 0) {
            return -1;
        }
        int serving = isr;
        if (specialMask) {
            serving &= ~imr;
        }
        if (master && (icw4 & ICW4_SFNM) != 0) {
            serving &= ~(1 << PicPair.CASCADE);
        }
        int rank = highestRank(requests);
        return rank < highestRank(serving) ? rank + first & 7 : -1;
    }

    /// The rank (0 highest, 8 none) of the most important of `inputs`.
    private int highestRank(int inputs) {
        int rotated = (inputs >> first | inputs << 8 - first) & 0xff;
        return rotated == 0 ? 8 : Integer.numberOfTrailingZeros(rotated);
    }

    /// The INTA cycle: the input taken into service, or 7 when the request is gone (spurious).
    int acknowledge() {
        int input = request();
        if (input < 0) {
            return 7;
        }
        int bit = 1 << input;
        if ((levelInputs() & bit) == 0) {
            irr &= ~bit;
        }
        if ((icw4 & ICW4_AEOI) == 0) {
            isr |= bit;
        } else if (rotateOnAutoEnd) {
            first = input + 1 & 7;
        }
        return input;
    }

    int vector(int input) {
        return vectorBase + input;
    }

    int elcr() {
        return elcr;
    }

    void writeElcr(int value) {
        elcr = value & elcrMask;
        irr = irr & ~levelInputs() | lines & levelInputs();
    }

    int read(int port) {
        if (poll) {
            poll = false;
            int input = request();
            return input < 0 ? 0 : 0x80 | acknowledge();
        }
        return port == 1 ? imr : readIsr ? isr : irr;
    }

    void write(int port, int value) {
        if (port == 0) {
            if ((value & ICW1) != 0) {
                initialize(value);
            } else if ((value & OCW3) != 0) {
                operationWord3(value);
            } else {
                operationWord2(value);
            }
        } else {
            writeOdd(value);
        }
    }

    private void initialize(int icw1) {
        clearForInitialization();
        needsIcw4 = (icw1 & ICW1_IC4) != 0;
        single = (icw1 & ICW1_SNGL) != 0;
        if (!needsIcw4) {
            icw4 = 0;
        }
        nextIcw = 2;
    }

    private void writeOdd(int value) {
        switch (nextIcw) {
            case 2 -> {
                vectorBase = value & 0xf8;
                nextIcw = single ? afterIcw3() : 3;
            }
            // The cascade is wired: what ICW3 says about it changes nothing.
            case 3 -> nextIcw = afterIcw3();
            case 4 -> {
                icw4 = value & 0x1f;
                nextIcw = 0;
            }
            default -> imr = value;
        }
    }

    private int afterIcw3() {
        return needsIcw4 ? 4 : 0;
    }

    private void operationWord3(int value) {
        poll = (value & 4) != 0;
        if ((value & 2) != 0) {
            readIsr = (value & 1) != 0;
        }
        if ((value & 0x40) != 0) {
            specialMask = (value & 0x20) != 0;
        }
    }

    private void operationWord2(int value) {
        int level = value & 7;
        switch (value >> 5) {
            case 0 -> rotateOnAutoEnd = false;
            case 4 -> rotateOnAutoEnd = true;
            case 1 -> endOfInterrupt(highestInService(), false);
            case 5 -> endOfInterrupt(highestInService(), true);
            case 3 -> endOfInterrupt(level, false);
            case 7 -> endOfInterrupt(level, true);
            case 6 -> first = level + 1 & 7;
            default -> {
                // 2: no operation
            }
        }
    }

    /// In special mask mode a non-specific EOI passes over masked inputs.
    private int highestInService() {
        int rank = highestRank(specialMask ? isr & ~imr : isr);
        return rank == 8 ? -1 : rank + first & 7;
    }

    private void endOfInterrupt(int input, boolean rotate) {
        if (input < 0) {
            return;
        }
        isr &= ~(1 << input);
        if (rotate) {
            first = input + 1 & 7;
        }
    }
}
